/** YAML of others (compose files, vLLM's own configuration) with a place for every value. */
import { isMap, isScalar, isSeq, type Node, parseDocument } from 'yaml';
import { say } from '../../core/message.ts';
import { parseYaml } from '../document.ts';
import { find, type Notes, type Word } from './launch.ts';

export interface YamlEntry {
  readonly key: Word;
  readonly value: YamlValue;
}

/** A value with its place: as it is, and as text. */
export interface YamlValue {
  readonly plain: unknown;
  readonly word: Word;
  readonly entries?: readonly YamlEntry[];
  readonly items?: readonly YamlValue[];
}

/** `1.1` is what Python's reader understands: `yes` is true there. Undefined when it cannot be read; the finding says why. */
export function parseForeignYaml(text: string, version: '1.1' | '1.2', notes: Notes): YamlValue | undefined {
  // Refuses what is too deep or too much before anything is built of it, and says where.
  const { problems, toPlace } = parseYaml(text);
  for (const { offset, code: _, ...problem } of problems)
    find(notes, { text: '', ...toPlace(offset) }, { code: 'profile/import-unreadable', severity: 'error', ...problem });
  if (problems.length > 0) return undefined;
  try {
    const document = parseDocument(text, { version, merge: true, prettyErrors: false, logLevel: 'silent' });
    const [problem] = document.errors;
    if (problem) throw problem;
    // Aliases without end show here.
    return toValue(document.contents, document.toJS({ maxAliasCount: 100 }), { toPlace, around: {} });
  } catch (error) {
    const message = say('profile.not-yaml', { problem: error instanceof Error ? error.message : String(error) });
    find(notes, undefined, { code: 'profile/import-unreadable', severity: 'error', message });
    return undefined;
  }
}

interface At {
  readonly toPlace: (offset: number) => Pick<Word, 'line' | 'column'>;
  /** What came by an alias or a merge key has the place of what is around it. */
  readonly around: Pick<Word, 'line' | 'column'>;
}

/** By the plain value, where merge keys and aliases are resolved. */
function toValue(node: unknown, plain: unknown, at: At): YamlValue {
  const range = (node as Node | null)?.range;
  const around = range ? at.toPlace(range[0]) : at.around;
  const source = isScalar(node) ? node.source : undefined;
  const word = { text: typeof plain === 'string' ? plain : (source ?? toPlainText(plain)), ...around };
  if (Array.isArray(plain)) {
    const items = isSeq(node) ? node.items : [];
    return { plain, word, items: plain.map((item, index) => toValue(items[index], item, { ...at, around })) };
  }
  if (typeof plain !== 'object' || plain === null) return { plain, word };
  const pairs = isMap(node) ? node.items : [];
  const entries = Object.entries(plain).map(([key, value]) => {
    const pair = pairs.find((one) => isScalar(one.key) && String(one.key.value) === key);
    const start = isScalar(pair?.key) ? pair.key.range?.[0] : undefined;
    const place = start === undefined ? around : at.toPlace(start);
    return { key: { text: key, ...place }, value: toValue(pair?.value, value, { ...at, around: place }) };
  });
  return { plain, word, entries };
}

function toPlainText(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

export function findEntry(value: YamlValue | undefined, ...path: readonly string[]): YamlValue | undefined {
  return path.reduce<YamlValue | undefined>((here, step) => here?.entries?.find(({ key }) => key.text === step)?.value, value);
}
