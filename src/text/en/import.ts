/** What `profiles import` says about a line that it turns into a profile. */
export const imports = {} as const;
