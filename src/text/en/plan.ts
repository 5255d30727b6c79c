/** Sentences of this area. */
export const plan = {} as const;
