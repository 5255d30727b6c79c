/** What rules across settings say, of a profile alone and of a profile on a machine. */
export const rules = {} as const;
