/**
 * The file of `vllm serve --config` → the words that vLLM's own reader makes of it, with its traps: `false` makes no
 * word at all, null makes the word None, and a list of maps makes Python's text of each.
 */
import { say } from '../../core/message.ts';
import { drop, find, type Launch, type Notes, toNothing, type Word } from './launch.ts';
import { toPlainLaunch } from './serve.ts';
import type { YamlEntry, YamlValue } from './yaml.ts';

/** Undefined when it is no such file, with a finding that says so. */
export function toConfigLaunch(root: YamlValue, notes: Notes): Launch | undefined {
  const { entries = [] } = root;
  if (entries.length === 0) {
    find(notes, undefined, toNothing(say('import.empty-config')));
    return undefined;
  }
  const other = ['apiVersion', 'vllm', 'extends'].find((key) => entries.some((entry) => entry.key.text === key));
  if (other !== undefined) {
    const message = other === 'apiVersion' ? say('import.kubernetes') : say('import.is-profile', { key: other });
    find(notes, entries.find((entry) => entry.key.text === other)?.key, toNothing(message));
    return undefined;
  }
  const args = entries.flatMap((entry) => toArgs(entry, notes));
  return { ...toPlainLaunch('file', args), kind: 'config' };
}

function toArgs({ key, value }: YamlEntry, notes: Notes): readonly Word[] {
  const flag = { ...key, text: `--${key.text}` };
  const { plain, items } = value;
  if (plain === true) return [flag];
  if (plain === false) {
    drop(notes, `${key.text}: false`, say('import.why.false', { name: key.text.replaceAll('_', '-') }));
    return [];
  }
  if (items) {
    if (items.length === 0) drop(notes, `${key.text}: []`, say('import.why.empty-list'));
    return items.length === 0 ? [] : [flag, ...items.map((item) => ({ ...item.word, text: toPythonText(item.plain) }))];
  }
  if (plain === null) {
    const message = say('import.none', { name: key.text });
    find(notes, key, { code: 'profile/import-none', severity: 'warning', message });
  }
  const text =
    typeof plain === 'object' && plain !== null ? JSON.stringify(plain) : typeof plain === 'number' ? value.word.text : toPythonText(plain);
  return [flag, { ...value.word, text }];
}

function toPythonText(value: unknown): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[${value.map(toPythonPart).join(', ')}]`;
  return `{${Object.entries(value)
    .map(([key, inner]) => `${toPythonPart(key)}: ${toPythonPart(inner)}`)
    .join(', ')}}`;
}

function toPythonPart(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : toPythonText(value);
}
