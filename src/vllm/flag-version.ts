/** Versions of vLLM, as far as catalogues go by them. */

/** Of released versions: numbers between dots. */
export function isNewer(a: string, b: string): boolean {
  const [left, right] = [a, b].map((version) => version.split('.').map((part) => Number.parseInt(part, 10)));
  const step = [0, 1, 2].map((at) => (left?.[at] ?? 0) - (right?.[at] ?? 0)).find((difference) => difference !== 0);
  return (step ?? 0) > 0;
}

/** `0.32.0+cpu` and `0.32.0.post1` are builds of 0.32.0; `0.32` is the first of its line. */
export function toRelease(version: string): string {
  const numbers = /^\d+(\.\d+){0,2}/.exec(version)?.[0] ?? '0';
  return [...numbers.split('.'), '0', '0'].slice(0, 3).join('.');
}

/** `0.32.1` → `0.32`: flags stay what they are within it. */
export function toMinor(version: string): string {
  return version.split('.').slice(0, 2).join('.');
}
