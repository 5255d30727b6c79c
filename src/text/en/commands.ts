/** Sentences of this area. */
export const commands = {} as const;
