/** Sentences of this area. */
export const views = {} as const;
