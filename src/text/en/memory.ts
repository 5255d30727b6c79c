/** The memory plan of a GPU. */
export const memory = {};
