/** What a proof has made is undone when somebody ends it by Ctrl-C or SIGTERM. */
const signals = ['SIGINT', 'SIGTERM'] as const;

/** Returns how to take it back, once it was undone in the ordinary way. The last one that is done ends the program. */
export function undoOnSignal(undo: () => Promise<unknown>): () => void {
  let begun = false;
  const undoThis = () => {
    if (begun) return;
    begun = true;
    const end = () => {
      forget();
      if (!process.listeners('SIGINT').some(({ name }) => name === undoThis.name)) process.exit(130);
    };
    undo().then(end, end);
  };
  const forget = () => {
    for (const signal of signals) process.off(signal, undoThis);
  };
  for (const signal of signals) process.on(signal, undoThis);
  return forget;
}
