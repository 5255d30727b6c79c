/** V8's optimizing compiler, for who knows better how long a run will be. */

/**
 * Work that is over before optimized code would pay: compiling it beside, and throwing it away again when a guess was
 * wrong, takes half of such a run. Switched on again afterwards, because V8's code cache belongs to the flags that it
 * was made with.
 */
export async function runUnoptimized<T>(work: () => Promise<T>): Promise<T> {
  const { setFlagsFromString } = process.getBuiltinModule('node:v8');
  setFlagsFromString('--no-opt');
  try {
    return await work();
  } finally {
    setFlagsFromString('--opt');
  }
}
