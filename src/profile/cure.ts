/** What would cure a wrong setting, as a map for `--set`: only where one thing alone can have been meant. */
import { toNearest } from '../core/nearest.ts';
import { parseKeyPath, putAt, readAt } from './layer.ts';
import { isMap } from './map.ts';
import { parseShape, toKnownKeys } from './schema.ts';
import { isReference, isSecretPath, isSecretText } from './secrets.ts';

export type Fix = Readonly<Record<string, unknown>>;

type Tree = Readonly<Record<string, unknown>>;

export interface WrongValue {
  readonly path: readonly string[];
  /** Of the layer that the path is in. */
  readonly tree: Tree;
  /** As it stands in the file, of what is not text. */
  readonly written: string | undefined;
  /** What the setting may be, where that is a list. */
  readonly choices: readonly string[];
}

export interface Cure {
  readonly value: unknown;
  readonly fix: Fix;
}

/** Another reading of the same value that the setting takes. */
export function toValueCure({ path, tree, written, choices }: WrongValue): Cure | undefined {
  const value = readAt(tree, path);
  if (isSecretPath(path) || (typeof value === 'string' && isSecretText(value))) return undefined;
  // A part of a list cannot be set, so all of it is.
  const list = path.findIndex((_, index) => Array.isArray(readAt(tree, path.slice(0, index))));
  const settable = list < 0 ? path : path.slice(0, list);
  if (!isSettable(settable)) return undefined;
  for (const candidate of toCandidates(value, written, choices)) {
    const whole = list < 0 ? candidate : replaceAt(readAt(tree, settable), path.slice(list), candidate);
    if (isAccepted(settable, whole)) return { value: candidate, fix: { [settable.join('.')]: whole } };
  }
  return undefined;
}

export interface Move {
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly tree: Tree;
  /** When it must be written otherwise there. */
  readonly value?: unknown;
}

/** The value in its right place; undefined when something stands there already, or would not be right there either. */
export function toMoveCure({ from, to, tree, value = readAt(tree, from) }: Move): Fix | undefined {
  if (value === undefined || value === null || readAt(tree, to) !== undefined || !isSettable(from) || !isSettable(to)) return undefined;
  const isHidden = [from, to].some(isSecretPath) && !(typeof value === 'string' && isReference(value));
  if (isHidden || !isAccepted(to, value)) return undefined;
  return { [to.join('.')]: value, [from.join('.')]: null };
}

/** The other block, or the top, that knows a key; undefined when none does, or several do. */
export function toRightPlace(key: string, block: string): readonly string[] | undefined {
  const blocks = ['', 'model', 'server', 'resources', 'engine', 'health', 'restart', 'stop'].filter((name) => name !== block);
  const found = blocks.filter((name) => toKnownKeys(name)?.includes(key));
  const [only] = found;
  if (only === undefined || found.length > 1) return undefined;
  return only === '' ? [key] : [only, key];
}

/** `served_names`, `servedNames` → `served-names`. */
export function toKebab(name: string): string {
  return name
    .replaceAll(/(?<=[a-z\d])[A-Z]/g, (letter) => `-${letter}`)
    .replaceAll(/[_\s]+/g, '-')
    .toLowerCase();
}

function isSettable(path: readonly string[]): boolean {
  const text = path.join('.');
  const steps = parseKeyPath(text);
  return !/[=\s]/.test(text) && steps.length === path.length && steps.every((step, index) => step !== '' && step === path[index]);
}

function isAccepted(path: readonly string[], value: unknown): boolean {
  return 'raw' in parseShape(putAt({}, path, value));
}

const words: Readonly<Record<string, boolean>> = { true: true, yes: true, on: true, false: false, no: false, off: false };

function toCandidates(value: unknown, written: string | undefined, choices: readonly string[]): readonly unknown[] {
  if (typeof value === 'number' || typeof value === 'boolean') return [written ?? String(value)];
  if (Array.isArray(value)) return toMerged(value);
  if (typeof value !== 'string') return [];
  const text = value.trim();
  const word = text.toLowerCase();
  const nearest = toNearest(word, choices);
  return [
    ...(Object.hasOwn(words, word) ? [choices.includes('on') ? (words[word] ? 'on' : 'off') : words[word]] : []),
    ...toNumber(text),
    ...(word === value ? [] : [word]),
    ...(/^v\d/.test(word) ? [word.slice(1)] : []),
    ...(nearest.length === 1 ? nearest : []),
    [value],
  ];
}

/** Digits as every reader understands them. */
function toNumber(text: string): readonly number[] {
  const isPlain = /^[+-]?(0|[1-9][\d_]*)(\.\d+)?(e[+-]?\d+)?$/i.test(text);
  const value = Number(text.replaceAll('_', ''));
  return isPlain && Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value)) ? [value] : [];
}

/** `- port: 1` and `- host: x` below each other are a map that somebody wrote with dashes. */
function toMerged(list: readonly unknown[]): readonly unknown[] {
  if (list.length === 0 || !list.every(isMap)) return [];
  const entries = list.flatMap((part) => Object.entries(part));
  const names = new Set(entries.map(([name]) => name));
  return names.size === entries.length ? [Object.fromEntries(entries)] : [];
}

function replaceAt(here: unknown, [step, ...rest]: readonly string[], value: unknown): unknown {
  if (step === undefined) return value;
  if (Array.isArray(here)) return here.map((item, index) => (String(index) === step ? replaceAt(item, rest, value) : item));
  return isMap(here) ? { ...here, [step]: replaceAt(here[step], rest, value) } : here;
}
