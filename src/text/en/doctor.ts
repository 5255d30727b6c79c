/** What the report of `doctor` says around its checks. */
export const doctor = {};
