/** Sentences of this area. */
export const engine = {} as const;
