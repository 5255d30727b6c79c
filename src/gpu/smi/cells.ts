/**
 * What stands in one cell of any of nvidia-smi's outputs. A value counts only when the whole cell is as nvidia-smi
 * writes it: a cell that is cut or damaged has no value, rather than a wrong one.
 */

/** By nvidia-smi's names of query fields (`memory.total`), whatever the output called them. */
export type Cells = ReadonlyMap<string, string>;

export type Unit = 'MiB' | '%' | 'W' | 'C' | 'MHz' | 'x' | 'none';

const reasons =
  /^(?:N\/A|Not Supported|Not Found|Unknown Error|Unknown|ERR!|GPU requires reset|GPU is lost|Insufficient Permissions|Requested functionality has been deprecated|-)$/;

/** The words in place of a value, without brackets: `N/A`, `GPU requires reset`. Undefined when there is a value. */
export function toReason(cell: string): string | undefined {
  const bracketed = /^\[([^\]]*)\]$/.exec(cell)?.[1];
  if (bracketed !== undefined) return bracketed;
  return cell === '' || reasons.test(cell) ? cell || 'N/A' : undefined;
}

export function toText(cell: string | undefined, pattern: RegExp): string | undefined {
  return cell !== undefined && toReason(cell) === undefined && pattern.test(cell) ? cell : undefined;
}

/** More digits than any value of a GPU has: a number that JavaScript would round is not what was printed. */
const number = /^-?\d{1,9}(?:\.\d{1,3})?/;

/** With `nounits` the unit is left out; any other than the field's own makes it unreadable. */
export function toNumber(cell: string | undefined, unit: Unit): number | undefined {
  const digits = number.exec(cell ?? '')?.[0];
  if (cell === undefined || digits === undefined) return undefined;
  if (digits.startsWith('-') && unit !== 'C') return undefined;
  const rest = cell.slice(digits.length);
  return rest === '' || (unit !== 'none' && rest.trimStart() === unit) ? Number(digits) : undefined;
}

/** Memory is whole MiB (2^20 bytes), and never negative. */
export function toBytes(cell: string | undefined): number | undefined {
  const mebibytes = toNumber(cell, 'MiB');
  return mebibytes === undefined || !Number.isInteger(mebibytes) ? undefined : mebibytes * 2 ** 20;
}

export function toCount(cell: string | undefined): number | undefined {
  return /^\d{1,9}$/.test(cell ?? '') ? Number(cell) : undefined;
}

const yes = /^(?:Enabled|On|Yes|Active|Enabled\*)$/;
const no = /^(?:Disabled|Off|No|Not Active|Disabled\*)$/;

/** A star says that it changes with the next reset. */
export function toFlag(cell: string | undefined): boolean | undefined {
  if (cell === undefined) return undefined;
  if (yes.test(cell)) return true;
  return no.test(cell) ? false : undefined;
}

/** `{key: value}`, or nothing when there is no value. */
export function toEntry<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V };
}
