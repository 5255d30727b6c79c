/** Sentences of this area. */
export const life = {} as const;
