/**
 * Nodes of YAML → plain values, with the place of each. Own reading instead of the library's: places follow anchors and
 * merge keys, what an alias stands for is counted, and a key can never reach a prototype.
 */
import { type Alias, isAlias, isScalar, isSeq, isMap as isYamlMap, type Node, type YAMLMap } from 'yaml';
import type { Finding } from '../core/finding.ts';
import { say } from '../core/message.ts';
import { isOwnBlock } from './blocks.ts';
import { deepest, toUnspacedKey } from './document.ts';
import { type Entry, toEntries } from './keys.ts';
import { toAppended } from './layer.ts';
import { readScalar } from './scalar.ts';
import { isSecretPath, isSecretText } from './secrets.ts';
import { type At, type KeyPlaces, report, type TreeOptions, toOffset, toStrangeTag, type Walk } from './walk.ts';

export interface Tree {
  /** Undefined when the aliases made it too large, or a wrong root was left out. */
  readonly value: unknown;
  readonly places: ReadonlyMap<string, KeyPlaces>;
  /** Paths of lists that were written as `NAME+`. */
  readonly appends: ReadonlySet<string>;
  readonly findings: readonly Finding[];
}

/** What aliases stand for, all counted. */
const mostAliased = 10_000;

export function toTree(root: unknown, options: TreeOptions): Tree {
  const walk: Walk = { ...options, places: new Map(), appends: new Set(), findings: [], anchors: new Map(), open: new Set(), aliased: 0 };
  const value = readNode(root, { path: options.path, depth: 0, ignored: false, alias: undefined }, walk);
  const { places, appends, findings, aliased } = walk;
  return { value: aliased > mostAliased ? undefined : value, places, appends, findings };
}

/** Undefined: wrong, said, and left out. */
function readNode(node: unknown, at: At, walk: Walk): unknown {
  if (node === null || node === undefined) return null;
  if (isAlias(node)) return readAlias(node, at, walk);
  const known = node as Node;
  if (known.anchor !== undefined && at.alias === undefined) walk.anchors.set(known.anchor, known);
  if (at.alias !== undefined && isTooMuch(at.alias, walk)) return undefined;
  const { path } = at;
  const tag = toStrangeTag(known);
  if (tag !== undefined)
    return report(walk, known, { code: 'profile/tag', path, message: say('yaml.tag', { tag: isSecretPath(path) ? '…' : tag }) });
  if (isScalar(node)) return readScalar(node, { path, ignored: at.ignored }, (finding) => report(walk, known, finding));
  if (at.depth > deepest) return reportDepth(at.alias ?? known, walk);
  walk.open.add(known);
  const value = isSeq(node) ? readItems(node.items, at, walk) : readMap(node as YAMLMap, at, walk);
  walk.open.delete(known);
  return value;
}

/** By aliases alone: what is written too deep is refused before. Said once. */
function reportDepth(node: Node, walk: Walk): undefined {
  if (walk.findings.some(({ code }) => code === 'profile/too-deep')) return undefined;
  return report(walk, node, { code: 'profile/too-deep', path: walk.path, message: say('yaml.too-deep', { most: deepest }) });
}

function readItems(items: readonly unknown[], at: At, walk: Walk): unknown {
  const values = items.map((item, index) => {
    const path = [...at.path, String(index)];
    const place = walk.toPlace(toOffset(toTarget(item, walk)));
    if (!at.ignored) walk.places.set(path.join('.'), { key: place, value: place, leaf: false });
    return readNode(item, { ...at, path, depth: at.depth + 1 }, walk);
  });
  return values.filter((value) => value !== undefined);
}

function readMap(node: YAMLMap, at: At, walk: Walk): unknown {
  const entries = new Map<string, unknown>();
  const named = toEntries(node, at, walk);
  const own = new Set(named.map(({ name }) => name));
  for (const { name, key, value } of named) {
    if (name === mergeKey && isPlain(key)) mergeInto(entries, value, { at, walk, own });
    else readEntry(entries, { name, key, value }, { at, walk, siblings: own });
  }
  return Object.fromEntries(entries);
}

const mergeKey = '<<';

interface Inside {
  readonly at: At;
  readonly walk: Walk;
  readonly siblings: ReadonlySet<string>;
}

function readEntry(entries: Map<string, unknown>, { name, key, value }: Entry, { at, walk, siblings }: Inside): void {
  const isExtension = name.startsWith('x-') && isOwnBlock(at.path);
  const ignored = at.ignored || isExtension;
  const unspaced = value === null && isOwnBlock(at.path) ? toUnspacedKey(name) : undefined;
  if (unspaced !== undefined && !ignored) {
    const path = [...at.path, unspaced];
    report(walk, key, { code: 'profile/missing-space', path, message: say('yaml.missing-space', { key: unspaced }) });
    return;
  }
  const base = ignored ? undefined : toAppended(name, at.path);
  const path = [...at.path, base ?? name];
  const target = toTarget(value, walk);
  if (!ignored) {
    const written = toWritten(target);
    const places = { key: walk.toPlace(toOffset(key)), value: walk.toPlace(toOffset(target ?? key)), leaf: isLeaf(target) };
    if (base === undefined || !siblings.has(base)) walk.places.set(path.join('.'), written === undefined ? places : { ...places, written });
  }
  const read = readNode(value, { ...at, path, depth: at.depth + 1, ignored }, walk);
  if (read === undefined || isExtension) return;
  if (base === undefined) entries.set(name, read);
  else if (checkAppend({ path, value: read, isTwice: siblings.has(base), key }, walk)) {
    walk.appends.add(path.join('.'));
    entries.set(base, read);
  }
}

interface Append {
  readonly path: readonly string[];
  readonly value: unknown;
  readonly isTwice: boolean;
  readonly key: Node;
}

function checkAppend({ path, value, isTwice, key }: Append, walk: Walk): boolean {
  const text = path.join('.');
  const message = isTwice
    ? say('profile.append-twice', { path: text })
    : text === 'extends'
      ? say('profile.append-extends')
      : Array.isArray(value)
        ? undefined
        : say('profile.append-no-list', { path: text });
  if (message !== undefined) report(walk, key, { code: 'profile/append', path: [...path.slice(0, -1), `${path.at(-1)}+`], message });
  return message === undefined;
}

interface Merging {
  readonly at: At;
  readonly walk: Walk;
  readonly own: ReadonlySet<string>;
}

/** `<<`: what the map itself says wins, then the first of several. */
function mergeInto(entries: Map<string, unknown>, value: unknown, { at, walk, own }: Merging): void {
  const sources = isSeq(value) ? value.items : [value];
  for (const source of sources) {
    const target = toTarget(source, walk);
    if (isAlias(source) && !checkAlias(source, at, walk)) continue;
    if (!isYamlMap(target)) {
      const known = (source ?? value) as Node | null;
      report(walk, known, { code: 'profile/not-yaml', path: [...at.path, mergeKey], message: say('yaml.merge') });
      continue;
    }
    const inside = { ...at, depth: at.depth + 1, alias: at.alias ?? (isAlias(source) ? source : undefined) };
    if (inside.depth > deepest) reportDepth(inside.alias ?? target, walk);
    if (inside.depth > deepest || (isAlias(source) && isTooMuch(source, walk, target.items.length))) continue;
    if (target.anchor !== undefined && at.alias === undefined) walk.anchors.set(target.anchor, target);
    walk.open.add(target);
    for (const entry of toEntries(target, inside, { ...walk, findings: isAlias(source) ? [] : walk.findings })) {
      if (entry.name === mergeKey) mergeInto(entries, entry.value, { at: inside, walk, own });
      else if (!own.has(entry.name) && !entries.has(entry.name)) readEntry(entries, entry, { at: inside, walk, siblings: own });
    }
    walk.open.delete(target);
  }
}

function readAlias(alias: Alias, at: At, walk: Walk): unknown {
  if (!checkAlias(alias, at, walk)) return undefined;
  return readNode(walk.anchors.get(alias.source), { ...at, alias: at.alias ?? alias }, walk);
}

function checkAlias(alias: Alias, at: At, walk: Walk): boolean {
  const target = walk.anchors.get(alias.source);
  if (target !== undefined && !walk.open.has(target)) return true;
  const name = isSecretPath(at.path) || isSecretText(alias.source) ? '…' : alias.source.slice(0, 80);
  const message = target === undefined ? say('yaml.no-anchor', { name }) : say('yaml.circle', { name });
  report(walk, alias, { code: 'profile/not-yaml', path: at.path, message });
  return false;
}

/** Said once, where it began. */
function isTooMuch(alias: Node, walk: Walk, count = 1): boolean {
  const before = walk.aliased;
  walk.aliased += count;
  if (before <= mostAliased && walk.aliased > mostAliased)
    report(walk, alias, { code: 'profile/too-large', path: walk.path, message: say('yaml.too-many-aliases', { most: mostAliased }) });
  return walk.aliased > mostAliased;
}

function toTarget(value: unknown, walk: Walk): Node | null {
  return isAlias(value) ? (walk.anchors.get(value.source) ?? value) : (value as Node | null);
}

function isLeaf(value: Node | null): boolean {
  return !isYamlMap(value) || value.items.length === 0;
}

function isPlain(key: Node): boolean {
  return isScalar(key) && key.type === 'PLAIN';
}

function toWritten(value: Node | null): string | undefined {
  return isScalar(value) && typeof value.value !== 'string' ? value.source : undefined;
}
