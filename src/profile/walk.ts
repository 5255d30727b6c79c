/** What a walk through the nodes of a profile carries along. */
import type { Node } from 'yaml';
import type { Finding } from '../core/finding.ts';
import type { Place } from './layer.ts';

export interface KeyPlaces {
  readonly key: Place;
  readonly value: Place;
  /** Has a value of its own; a map has none, its keys have. */
  readonly leaf: boolean;
  /** As it stands there, of what is not text. */
  readonly written?: string;
}

export interface TreeOptions {
  readonly toPlace: (offset: number) => Place;
  /** Of the root. */
  readonly path: readonly string[];
  /** Findings of a text that is no file have no place. */
  readonly file?: string;
}

export interface Walk extends TreeOptions {
  readonly places: Map<string, KeyPlaces>;
  readonly appends: Set<string>;
  readonly findings: Finding[];
  readonly anchors: Map<string, Node>;
  /** What is being read: an alias to one of these is a circle. */
  readonly open: Set<Node>;
  aliased: number;
}

/** Where in the profile a node is read. */
export interface At {
  readonly path: readonly string[];
  readonly depth: number;
  /** Below an `x-…` key: not a part of the profile, but there to be referred to. */
  readonly ignored: boolean;
  /** The outermost alias that led here. */
  readonly alias: Node | undefined;
}

export interface TreeProblem extends Pick<Finding, 'code' | 'message' | 'hint' | 'fix'> {
  readonly path: readonly string[];
}

export function report(walk: Walk, node: Node | null, { path, ...problem }: TreeProblem): undefined {
  const place = walk.file === undefined ? {} : { file: walk.file, ...walk.toPlace(toOffset(node)) };
  const named = path.length === 0 ? {} : { path: path.join('.') };
  walk.findings.push({ ...problem, severity: 'error', ...named, ...place });
}

export function toOffset(node: Node | null): number {
  return node?.range?.[0] ?? 0;
}

/** A tag that asks for more than a plain value. The parser sets one only where it was written. */
export function toStrangeTag({ tag }: Node): string | undefined {
  if (tag === undefined || /^(tag:yaml\.org,2002:(str|int|float|bool|null|map|seq)|!)$/.test(tag)) return undefined;
  return tag.replace('tag:yaml.org,2002:', '!!').slice(0, 80);
}
