/** After a boot a driver may need this long to show its GPUs, and whoever hands them to containers comes after it. */
const bootMs = 10 * 60_000;

export function isBooting(upForMs: number): boolean {
  return upForMs < bootMs;
}
