/** Versions of Python packages, as far as they are needed here: numbers, order, local part. */

/** A released version as people name it (`0.32.0`, `0.11.0rc2`): no local part, nothing that could be a path. */
export function isVersion(text: string): boolean {
  return /^\d+(\.\d+){1,3}((a|b|rc)\d+)?(\.post\d+)?$/.test(text);
}

/** `0.32.0+cpu` → `0.32.0`: builds of one release count as that release. */
export function toPublicVersion(version: string): string {
  return version.replace(/\+.*$/, '');
}

/** Negative when `a` is older than `b`. Only the numbers count; what follows them (`rc1`) does not. */
export function compareVersions(a: string, b: string): number {
  const left = toNumbers(a);
  const right = toNumbers(b);
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const step = (left[at] ?? 0) - (right[at] ?? 0);
    if (step !== 0) return step;
  }
  return 0;
}

function toNumbers(version: string): readonly number[] {
  return (/^\d+(\.\d+)*/.exec(version)?.[0] ?? '').split('.').map(Number);
}
