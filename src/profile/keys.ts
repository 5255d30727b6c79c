/** Keys of a map: which of them can be keys, each once. */
import { isAlias, isPair, isScalar, isSeq, isMap as isYamlMap, type Node, type YAMLMap } from 'yaml';
import { type Message, say } from '../core/message.ts';
import { isSecretText } from './secrets.ts';
import { type At, report, toOffset, toStrangeTag, type Walk } from './walk.ts';

export interface Entry {
  readonly name: string;
  readonly key: Node;
  readonly value: unknown;
}

/** No block has more settings; and every one that is unknown is compared with all that are known. */
const mostKeys = 500;

/** What is wrong with the others is said. */
export function toEntries(node: YAMLMap, at: At, walk: Walk): readonly Entry[] {
  const { path } = at;
  if (node.items.length > mostKeys) {
    report(walk, node, { code: 'profile/too-large', path, message: say('yaml.too-many-keys', { most: mostKeys }) });
    return [];
  }
  const seen = new Map<string, number>();
  return (node.items as readonly unknown[]).flatMap((pair): readonly Entry[] => {
    if (!isPair(pair)) return [];
    const key = pair.key as Node;
    const name = readKey(key, at, walk);
    if (name === undefined) return [];
    const line = seen.get(name);
    if (line !== undefined) {
      const twice = [...path, name];
      const message = say('profile.duplicate-key-of', { path: twice.join('.'), line });
      report(walk, key, { code: 'profile/duplicate-key', path: twice, message });
      return [];
    }
    seen.set(name, walk.toPlace(toOffset(key)).line);
    return [{ name, key, value: pair.value }];
  });
}

/** Names that every object of this language has. */
const reserved = new Set([...Object.getOwnPropertyNames(Object.prototype), 'prototype']);

function readKey(key: Node | null, at: At, walk: Walk): string | undefined {
  if (!isScalar(key) || typeof key.value !== 'string') {
    return report(walk, key, {
      code: 'profile/key-not-text',
      path: at.path,
      message: say('yaml.key-not-text', { kind: toKind(key) }),
    });
  }
  const tag = toStrangeTag(key);
  if (tag !== undefined) return report(walk, key, { code: 'profile/tag', path: at.path, message: say('yaml.tag', { tag }) });
  const name = key.value;
  if (key.anchor !== undefined && at.alias === undefined) walk.anchors.set(key.anchor, key);
  if (name.trim() === '') return report(walk, key, { code: 'profile/unknown-key', path: at.path, message: say('profile.empty-key') });
  if (isSecretText(name))
    return report(walk, key, { code: 'profile/secret', path: at.path, message: say('profile.looks-secret', { path: at.path.join('.') }) });
  if (reserved.has(name) || /\p{Cc}/u.test(name)) {
    const path = [...at.path, name];
    return report(walk, key, {
      code: 'profile/unknown-key',
      path,
      message: say('profile.reserved-key', { path: path.join('.').replace(/\p{Cc}/gu, '?') }),
    });
  }
  return name;
}

function toKind(key: Node | null): Message {
  if (isAlias(key)) return say('yaml.kind.alias');
  if (isSeq(key)) return say('yaml.kind.list');
  if (isYamlMap(key)) return say('yaml.kind.map');
  const value = isScalar(key) ? key.value : null;
  if (typeof value === 'number') return say('yaml.kind.number');
  return typeof value === 'boolean' ? say('yaml.kind.boolean') : say('yaml.kind.nothing');
}
