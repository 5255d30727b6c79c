/** `--set key.path=value`, any number of them → one layer that wins over all files. */
import { isScalar } from 'yaml';
import { DeployError } from '../core/error.ts';
import type { Finding } from '../core/finding.ts';
import { say } from '../core/message.ts';
import { isOwnBlock } from './blocks.ts';
import { checkLayer } from './check.ts';
import { deepest, parseYaml } from './document.ts';
import { type Layer, parseKeyPath, putAt, readAt, type Source, toAppended, withoutPaths } from './layer.ts';
import { isMap } from './map.ts';
import { joinFindings } from './parse.ts';
import type { Origin } from './profile.ts';
import { isSecretPath, isSecretText } from './secrets.ts';
import { toTree } from './tree.ts';

export interface ParsedSets {
  readonly layer?: Layer;
  readonly source: Source;
  readonly findings: readonly Finding[];
}

/** As they were typed: nothing of it has been checked as a part of a profile. */
export interface WrittenSets {
  readonly value: Readonly<Record<string, unknown>>;
  readonly origins: Readonly<Record<string, Origin>>;
  readonly appends: ReadonlySet<string>;
  readonly written: ReadonlyMap<string, string>;
  readonly findings: readonly Finding[];
  /** What the files say at these paths does not matter any more. */
  readonly replaced: readonly (readonly string[])[];
}

export function parseSets(texts: readonly string[]): ParsedSets {
  return checkSets(parseSetTexts(texts), { taken: [], unchecked: false });
}

/** Throws `usage/bad-set` for a text without a path or `=`; what is wrong with a value is a finding. */
export function parseSetTexts(texts: readonly string[]): WrittenSets {
  const sets: Sets = { value: {}, origins: {}, appends: new Set(), written: new Map(), findings: [] };
  for (const text of texts) takeSet(toSetText(text), sets);
  return { ...sets, replaced: toLeaves(sets.value, []).filter((path) => !sets.appends.has(path.join('.'))) };
}

export interface SetsAsked {
  /** What stood in the files where something was taken away, so that taking it away is no mistake. */
  readonly taken: readonly string[];
  /** As for checkLayer. */
  readonly unchecked: boolean;
}

export function checkSets(sets: WrittenSets, { taken, unchecked }: SetsAsked): ParsedSets {
  const { origins, appends } = sets;
  const spent = sets.replaced.filter((path) => readAt(sets.value, path) === null && taken.includes(path.join('.')));
  const value = toPruned(withoutPaths(sets.value, spent).value, spent);
  const source: Source = { value, locate: () => ({}), written: (path) => sets.written.get(path.join('.')) };
  const checked = checkLayer(value, { ...source, unchecked });
  const findings = checked.is === 'broken' ? joinFindings(sets.findings, checked.findings) : sets.findings;
  return checked.is === 'broken' || findings.length > 0
    ? { source, findings }
    : { source, findings: checked.notes, layer: { raw: checked.raw, origins, appends } };
}

interface Sets {
  value: Readonly<Record<string, unknown>>;
  readonly origins: Record<string, Origin>;
  readonly appends: Set<string>;
  readonly written: Map<string, string>;
  readonly findings: Finding[];
}

interface SetText {
  readonly text: string;
  readonly steps: readonly string[];
  /** Adds to a list. */
  readonly adds: boolean;
  readonly value: string;
}

/** No path of a profile is longer. */
const longestPath = 500;
const longestValue = 100_000;

function toSetText(text: string): SetText {
  const at = text.indexOf('=');
  const path = text.slice(0, at).trim();
  // Without a path nobody knows what the rest is; it may be a secret.
  if (at < 0 || !isPath(path)) {
    const shown = at < 0 ? (isSecretText(text) ? '…' : text.slice(0, 80)) : `${path.slice(0, 80)}=…`;
    throw DeployError.of('usage/bad-set', { text: shown.replace(/\p{Cc}/gu, '?') });
  }
  const steps = parseKeyPath(path);
  const block = steps.slice(0, -1);
  const base = toAppended(steps.at(-1) ?? '', block);
  return { text, steps: base === undefined ? steps : [...block, base], adds: base !== undefined, value: text.slice(at + 1) };
}

function isPath(path: string): boolean {
  const steps = path.split('.');
  return (
    path.length <= longestPath &&
    steps.length <= deepest &&
    !/\p{Cc}/u.test(path) &&
    steps.every((step) => step !== '' && step !== '__proto__')
  );
}

function takeSet(set: SetText, sets: Sets): void {
  const { steps, adds, text } = set;
  const path = steps.join('.');
  const before = sets.findings.length;
  const refusal = checkPath(steps);
  const value = refusal === undefined ? readValue(set, sets) : undefined;
  if (refusal) sets.findings.push(refusal);
  if (value === undefined || sets.findings.length > before) return;
  const there = readAt(sets.value, steps);
  if (!adds) sets.appends.delete(path);
  else if (there === undefined) sets.appends.add(path);
  if (adds && (!Array.isArray(value) || (there !== undefined && !Array.isArray(there)))) {
    const message = Array.isArray(value)
      ? say('profile.append-to', { path, value: typeof there })
      : say('profile.append-no-list', { path });
    sets.findings.push({ code: 'profile/append', severity: 'error', path: `${path}+`, message });
    return;
  }
  sets.value = putAt(sets.value, steps, adds && Array.isArray(there) ? [...there, ...(value as readonly unknown[])] : value);
  sets.origins[path] = { from: 'set', text };
}

function checkPath(steps: readonly string[]): Finding | undefined {
  const path = steps.join('.');
  const about = { severity: 'error', path } as const;
  if (steps[0] === 'extends') return { ...about, code: 'profile/wrong-place', message: say('profile.set-extends') };
  const index = steps.findIndex((step, at) => isOwnBlock(steps.slice(0, at)) && /\[.*\]$/.test(step));
  const number = steps.findIndex((step, at) => at > 0 && /^\d+$/.test(step) && ['served-names', 'fallback'].includes(steps[0] ?? ''));
  const gpu = steps[0] === 'resources' && steps[1] === 'gpus' && steps.length > 2 ? 2 : -1;
  if (index < 0 && number < 0 && gpu < 0) return undefined;
  const list = index >= 0 ? [...steps.slice(0, index), steps[index]?.replace(/\[.*$/, '')] : steps.slice(0, Math.max(number, gpu));
  return { ...about, code: 'profile/wrong-value', message: say('profile.set-index', { path, list: list.join('.') }) };
}

/** Undefined: wrong, and said. */
function readValue({ steps, value }: SetText, sets: Sets): unknown {
  const path = steps.join('.');
  const about = { severity: 'error', path } as const;
  if (value.length > longestValue) {
    sets.findings.push({ ...about, code: 'profile/too-large', message: say('profile.set-too-large', { path }) });
    return undefined;
  }
  const { root, problems, toPlace } = parseYaml(value);
  const [problem] = problems;
  // What the parser says may repeat a part of the value.
  if (problem && isSecretPath(steps))
    sets.findings.push({ ...about, code: 'profile/secret', message: say('profile.want.secret', { path }) });
  else if (problem) {
    const message = say('profile.set-not-yaml', { path, problem: problem.message });
    sets.findings.push({ ...about, code: problem.code, message });
  }
  if (problem) return undefined;
  // A version is text even where YAML reads a number (0.30 is 0.3): on a command line nobody quotes twice.
  if (path === 'engine.version' && isScalar(root) && typeof root.value === 'number') return root.source;
  if (isScalar(root) && typeof root.value !== 'string' && root.source !== undefined) sets.written.set(path, root.source);
  const tree = toTree(root, { toPlace, path: steps });
  for (const [inner, { written }] of tree.places) if (written !== undefined) sets.written.set(inner, written);
  sets.findings.push(...tree.findings);
  return tree.value;
}

/** Paths of all that is no map. An adapter's own settings belong together. */
function toLeaves(value: unknown, path: readonly string[]): readonly (readonly string[])[] {
  if (!isMap(value)) return [path];
  return path[0] === 'lora' && path.length === 2 ? [] : Object.entries(value).flatMap(([key, inner]) => toLeaves(inner, [...path, key]));
}

/** Blocks that have nothing in them any more say nothing. */
function toPruned(tree: Readonly<Record<string, unknown>>, spent: readonly (readonly string[])[]): Readonly<Record<string, unknown>> {
  const around = spent.map((path) => path.slice(0, -1)).filter((path) => path.length > 0 && isEmptyMap(readAt(tree, path)));
  return around.length === 0 ? tree : toPruned(withoutPaths(tree, around).value, around);
}

function isEmptyMap(value: unknown): boolean {
  return isMap(value) && Object.keys(value).length === 0;
}
