/** Sentences of this area. */
export const up = {} as const;
