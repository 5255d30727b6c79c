/**
 * A profile out of the skeleton (templates/profile.yaml), in which every setting stands as a comment with an example:
 * those that are given lose their `#`, and so does the block that they are in. What nobody gives stays a comment,
 * because a block with nothing in it would be null, which takes away what the parents gave.
 */
import { stringify } from 'yaml';
import type { SettingValue } from './profile.ts';

export interface SkeletonValues {
  readonly name: string;
  readonly path: string;
  /** By path, as in `--set`. */
  readonly settings: ReadonlyMap<string, SettingValue>;
}

/** Throws for a setting that the skeleton has no line for. */
export function renderSkeleton(skeleton: string, { name, path, settings }: SkeletonValues): string {
  const left = new Set(settings.keys());
  let block = '';
  const lines = skeleton.split('\n').map((line) => {
    // A comment for people begins with `# `, a setting with `#` and its key, indented as it will be.
    const [, indent = '', key] = /^#((?: {2})*)([a-z][a-z0-9-]*):/.exec(line) ?? [];
    if (key === undefined) return line.replace('{name}', name).replace('{path}', path);
    if (indent === '') block = key;
    const full = indent === '' ? key : `${block}.${key}`;
    const value = settings.get(full);
    left.delete(full);
    if (value !== undefined) return `${indent}${key}: ${toFlow(value)}`;
    return [...settings.keys()].some((one) => one.startsWith(`${full}.`)) ? line.slice(1) : line;
  });
  if (left.size > 0) throw new Error(`the skeleton has no ${[...left].join(', ')}`);
  return lines.join('\n');
}

function toFlow(value: SettingValue): string {
  return stringify(value, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: false }).trimEnd();
}
