/** What the commands about profiles say. */
export const profiles = {} as const;
