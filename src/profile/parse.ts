/** The only YAML reading: text of a file → a layer, and findings with line and column. Pure; never throws for bad input. */
import { isScalar, isSeq, isMap as isYamlMap, LineCounter, type Node, type Pair, parseDocument } from 'yaml';
import type { Finding } from '../core/finding.ts';
import { type Message, say } from '../core/message.ts';
import { checkLayer } from './check.ts';
import { isMap, type Layer, type Locate, type Place, type Source } from './layer.ts';
import type { Origin } from './profile.ts';

export interface ParsedProfile {
  /** Absent when there are findings. */
  readonly layer?: Layer;
  /** What stands there, sound or not; absent when it is no map. */
  readonly source?: Source;
  readonly findings: readonly Finding[];
}

/** A profile is a page of text; what is larger is something else, and slow to read. */
const longestText = 1_000_000;
const mostAliases = 100;
/** After the first few, what the parser reports are echoes. */
const mostSyntaxErrors = 5;

export function parseProfile(text: string, file: string): ParsedProfile {
  if (text.length > longestText) return refuse(file, { code: 'profile/too-large', message: say('profile.too-large') });
  const lines = new LineCounter();
  const document = attempt(() => parseDocument(text, { lineCounter: lines, merge: true, prettyErrors: false }));
  if (document instanceof Error)
    return refuse(file, { code: 'profile/not-yaml', message: say('profile.not-yaml', { problem: document.message }) });
  const toPlace = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const broken = document.errors.slice(0, mostSyntaxErrors).map((error) => ({ ...toYamlFinding(error), file, ...toPlace(error.pos[0]) }));
  if (broken.length > 0) return { findings: broken };
  const value: unknown = attempt(() => document.toJS({ maxAliasCount: mostAliases }));
  if (value instanceof Error)
    return refuse(file, { code: 'profile/not-yaml', message: say('profile.not-yaml', { problem: value.message }) });
  if (value === null || value === undefined) return refuse(file, { code: 'profile/empty', message: say('profile.empty') });
  if (!isMap(value))
    return refuse(file, { code: 'profile/not-a-map', message: say(Array.isArray(value) ? 'profile.is-list' : 'profile.is-scalar') });

  const places = new Map<string, KeyPlaces>();
  collectPlaces(document.contents, [], { places, toPlace });
  const source = { value: withoutExtensions(value), locate: toLocate(file, places) };
  const checked = checkLayer(source.value, source.locate);
  if (checked.is === 'broken') return { source, findings: checked.findings.toSorted(byPlace) };
  return { layer: { raw: checked.raw, origins: toOrigins(file, places) }, source, findings: [] };
}

function refuse(file: string, problem: { readonly code: string; readonly message: Message }): ParsedProfile {
  return { findings: [{ ...problem, severity: 'error', file, line: 1, column: 1 }] };
}

function toYamlFinding(error: { readonly code: string; readonly message: string }): Pick<Finding, 'code' | 'severity' | 'message'> {
  if (error.code === 'DUPLICATE_KEY') return { code: 'profile/duplicate-key', severity: 'error', message: say('profile.duplicate-key') };
  return { code: 'profile/not-yaml', severity: 'error', message: say('profile.not-yaml', { problem: error.message }) };
}

/** The library throws for too many aliases (a bomb), and the stack ends for what is nested without end. */
function attempt<T>(work: () => T): T | Error {
  try {
    return work();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** `x-…` at the top is the person's own room, for anchors. */
function withoutExtensions(value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith('x-')));
}

function byPlace(a: Finding, b: Finding): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

interface KeyPlaces {
  readonly key: Place;
  readonly value: Place;
  /** A map has no origin of its own: its keys have. */
  readonly leaf: boolean;
}

interface Collector {
  readonly places: Map<string, KeyPlaces>;
  readonly toPlace: (offset: number) => Place;
}

function collectPlaces(node: unknown, path: readonly string[], into: Collector): void {
  if (isSeq(node)) {
    for (const [index, item] of node.items.entries()) collectItem(item as Node, [...path, String(index)], into);
    return;
  }
  if (!isYamlMap(node)) return;
  for (const pair of node.items as Pair<unknown, unknown>[]) {
    if (!isScalar(pair.key)) continue;
    const here = [...path, String(pair.key.value)];
    const key = into.toPlace(pair.key.range?.[0] ?? 0);
    const value = pair.value as Node | null;
    into.places.set(here.join('.'), { key, value: value?.range ? into.toPlace(value.range[0]) : key, leaf: !isYamlMap(value) });
    collectPlaces(value, here, into);
  }
}

function collectItem(item: Node, path: readonly string[], into: Collector): void {
  const place = into.toPlace(item.range?.[0] ?? 0);
  into.places.set(path.join('.'), { key: place, value: place, leaf: false });
  collectPlaces(item, path, into);
}

/** A path that stands nowhere (it came through an anchor) has the place of its nearest parent. */
function toLocate(file: string, places: ReadonlyMap<string, KeyPlaces>): Locate {
  return (path, what) => {
    for (let length = path.length; length > 0; length -= 1) {
      const found = places.get(path.slice(0, length).join('.'));
      if (found) return { file, ...found[what] };
    }
    return { file, line: 1, column: 1 };
  };
}

function toOrigins(file: string, places: ReadonlyMap<string, KeyPlaces>): Readonly<Record<string, Origin>> {
  const leaves = [...places].filter(([, found]) => found.leaf);
  return Object.fromEntries(leaves.map(([path, found]) => [path, { from: 'profile', file, ...found.key }]));
}
