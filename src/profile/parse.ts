/** Text of a file → a layer, and findings with line and column. Pure; never throws for bad input. */
import type { Finding } from '../core/finding.ts';
import { type Message, say } from '../core/message.ts';
import { checkLayer } from './check.ts';
import { parseYaml, toUnspacedKey } from './document.ts';
import { type Layer, type Locate, type Source, withoutPaths } from './layer.ts';
import { isMap } from './map.ts';
import type { Origin } from './profile.ts';
import { type Tree, toTree } from './tree.ts';
import type { KeyPlaces } from './walk.ts';

export interface ParsedProfile {
  /** Absent when there are errors. */
  readonly layer?: Layer;
  /** What stands there, sound or not; absent when it is no map. */
  readonly source?: Source;
  /** Beside a layer, warnings. */
  readonly findings: readonly Finding[];
  /** Those of the given paths that stood there and were passed over. */
  readonly taken: readonly string[];
}

/** A file as YAML: nothing of it has been checked as a profile. */
export interface WrittenProfile {
  readonly file: string;
  /** Absent when it is no map. */
  readonly tree?: Tree & { readonly value: Readonly<Record<string, unknown>> };
  readonly findings: readonly Finding[];
}

export function parseProfile(text: string, file: string): ParsedProfile {
  return checkWritten(parseText(text, file), { given: [], unchecked: false });
}

export function parseText(text: string, file: string): WrittenProfile {
  const { root, problems, toPlace } = parseYaml(text.replace(/^\uFEFF/, ''));
  const said = problems.map(({ offset, ...problem }): Finding => ({ ...problem, severity: 'error', file, ...toPlace(offset) }));
  // What follows from broken YAML is guesswork; a second document leaves the first one whole.
  if (root === undefined || said.some(({ code }) => code !== 'profile/several-documents')) return { file, findings: said };
  const tree = toTree(root, { toPlace, path: [], file });
  const findings = [...tree.findings, ...said];
  const { value } = tree;
  if (isMap(value)) return { file, findings, tree: { ...tree, value } };
  if (findings.length > 0) return { file, findings };
  const place = toPlace(root?.range?.[0] ?? 0);
  return { file, findings: [{ ...toRootProblem(value), severity: 'error', file, ...(value === null ? { line: 1, column: 1 } : place) }] };
}

function toRootProblem(value: unknown): { readonly code: string; readonly message: Message } {
  if (value === null) return { code: 'profile/empty', message: say('profile.empty') };
  const key = typeof value === 'string' ? toUnspacedKey(value) : undefined;
  if (key !== undefined) return { code: 'profile/missing-space', message: say('yaml.missing-space', { key }) };
  return { code: 'profile/not-a-map', message: say(Array.isArray(value) ? 'profile.is-list' : 'profile.is-scalar') };
}

export interface CheckAsked {
  /** Paths that `--set` gives anew, so that what the file says there does not matter any more. */
  readonly given: readonly (readonly string[])[];
  /** As for checkLayer. */
  readonly unchecked: boolean;
}

export function checkWritten({ file, tree, findings }: WrittenProfile, { given, unchecked }: CheckAsked): ParsedProfile {
  if (tree === undefined) return { findings, taken: [] };
  const { value, taken } = withoutPaths(tree.value, given);
  const source: Source = { value, locate: toLocate(file, tree.places), written: (path) => tree.places.get(path.join('.'))?.written };
  const own = findings.filter((finding) => !isTaken(finding, taken));
  const checked = checkLayer(value, { ...source, unchecked });
  const all = checked.is === 'broken' ? joinFindings(own, checked.findings) : own;
  if (checked.is === 'broken' || all.length > 0) return { source, findings: all.toSorted(byPlace), taken };
  const appends = new Set([...tree.appends].filter((path) => !taken.includes(path)));
  return { layer: { raw: checked.raw, origins: toOrigins(file, tree.places, taken), appends }, source, findings: checked.notes, taken };
}

/** A secret that was written is no less written for being passed over, nor is a key that stands twice. */
function isTaken({ code, path = '' }: Finding, taken: readonly string[]): boolean {
  return !['profile/secret', 'profile/duplicate-key'].includes(code) && taken.some((one) => path === one || path.startsWith(`${one}.`));
}

/** One finding for each value: the schema knows best what was meant by an odd number, the text knows all else best. */
export function joinFindings(text: readonly Finding[], shape: readonly Finding[]): readonly Finding[] {
  const weak = ({ code, path }: Finding) => code === 'profile/leading-zero' && shape.some((other) => other.path === path);
  const kept = text.filter((finding) => !weak(finding));
  // What was left out of a list or a map is missing there, and that has been said.
  const isSaid = ({ path = '' }: Finding) => kept.some((finding) => path !== '' && `${finding.path ?? ''}.`.startsWith(`${path}.`));
  return [...kept, ...shape.filter((finding) => !isSaid(finding))];
}

function byPlace(a: Finding, b: Finding): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

/** A path that stands nowhere has the place of its nearest parent. */
export function toLocate(file: string, places: ReadonlyMap<string, KeyPlaces>): Locate {
  return (path, what) => {
    for (let length = path.length; length > 0; length -= 1) {
      const found = places.get(path.slice(0, length).join('.'));
      if (found) return { file, ...found[what] };
    }
    return { file, line: 1, column: 1 };
  };
}

function toOrigins(file: string, places: ReadonlyMap<string, KeyPlaces>, taken: readonly string[]): Readonly<Record<string, Origin>> {
  const leaves = [...places].filter(([path, found]) => found.leaf && !taken.includes(path));
  return Object.fromEntries(leaves.map(([path, found]) => [path, { from: 'profile', file, ...found.key }]));
}
