/** Shape problems and rules of one layer, as findings with places. Never throws for bad input. */
import type { Finding } from '../core/finding.ts';
import { type Message, type MessageId, say } from '../core/message.ts';
import { toNearest } from '../core/nearest.ts';
import { toKebab, toMoveCure, toRightPlace, toValueCure } from './cure.ts';
import { toUnspacedKey } from './document.ts';
import { readAt, type Source } from './layer.ts';
import { checkRules } from './layer-rules.ts';
import { isMap } from './map.ts';
import { parseShape, type RawProfile, type ShapeIssue, toKnownKeys } from './schema.ts';
import { isSecretPath } from './secrets.ts';

/** `notes`: what nobody wanted to be stopped by. */
export type Checked =
  | { readonly is: 'sound'; readonly raw: RawProfile; readonly notes: readonly Finding[] }
  | { readonly is: 'broken'; readonly findings: readonly Finding[] };

/** Of a file with hundreds of problems, nobody cures all by hand; and each cure is tried before it is told. */
const mostCures = 50;

export interface Checking extends Omit<Source, 'value'> {
  /** What is wrong with it is no more than a warning, as long as vLLM can be told what it says. */
  readonly unchecked: boolean;
}

/** The layer as a `RawProfile`, or everything that is wrong with it. */
export function checkLayer(value: Readonly<Record<string, unknown>>, { unchecked, ...source }: Checking): Checked {
  const found = checkRules(value);
  const rules = found.map(({ at, path, sayable: _, ...rest }) => ({ ...rest, path: path.join('.'), ...source.locate(path, at) }));
  const shape = parseShape(value);
  if ('issues' in shape) {
    const issues = shape.issues.flatMap(toPlainIssues);
    const findings = issues.flatMap((issue, index) => toFindings(issue, { value, ...source }, index < mostCures));
    const isRuled = ({ path }: Finding) => rules.some((rule) => rule.path === path);
    return { is: 'broken', findings: [...findings.filter((finding) => !isRuled(finding)), ...rules] };
  }
  if (!unchecked && rules.length > 0) return { is: 'broken', findings: rules };
  if (found.some(({ sayable }) => !sayable)) return { is: 'broken', findings: rules.filter((_, at) => !found[at]?.sayable) };
  return { is: 'sound', raw: shape.raw, notes: rules.map((rule) => ({ ...rule, severity: 'warning' })) };
}

/** A value that fits no branch of a union is reported as the union's own problem, unless it got inside a branch. */
function toPlainIssues(issue: ShapeIssue): readonly ShapeIssue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const inside = issue.errors.find((branch) => branch.some((inner) => inner.code === 'unrecognized_keys' || inner.path.length > 0));
  const isList = inside?.some((inner) => typeof inner.path[0] === 'number');
  if (inside === undefined || isList) return [issue];
  return inside.flatMap((inner) => toPlainIssues({ ...inner, path: [...issue.path, ...inner.path] }));
}

function toFindings(issue: ShapeIssue, source: Source, cures: boolean): readonly Finding[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key, index) => toUnknownKey([...path, key], source, cures && index < mostCures));
  const value = readAt(source.value, path);
  const place = { path: path.join('.'), ...source.locate(path, 'value') };
  const key = isWanted(issue.message, 'map') && typeof value === 'string' ? toUnspacedKey(value) : undefined;
  if (key !== undefined)
    return [{ code: 'profile/missing-space', severity: 'error', message: say('yaml.missing-space', { key }), ...place }];
  const isSecret = isWanted(issue.message, 'secret') || isSecretPath(path);
  const params = { path: place.path, value: isSecret ? '…' : toShown(value) };
  const message = toMessage(issue.message, path, params);
  const code = isWanted(issue.message, 'secret') ? 'profile/secret' : 'profile/wrong-value';
  const choices = isWanted(issue.message, 'thinking') ? ['on', 'off'] : issue.code === 'invalid_value' ? issue.values.map(String) : [];
  const cure = cures ? toValueCure({ path, tree: source.value, written: source.written?.(path), choices }) : undefined;
  const better = cure === undefined ? {} : { hint: toValueHint(value, cure.value, source.written?.(path)), fix: cure.fix };
  return [{ code, severity: 'error', message, ...better, ...place }];
}

type Shown = { readonly path: string; readonly value: string };

/** Zod carries the id of the sentence; where it has one of its own, the setting is asked what it wants. */
function toMessage(id: string, path: readonly string[], params: Shown): Message {
  if (params.value === 'undefined') return say('profile.missing', { path: params.path });
  const isItem = /^\d+$/.test(path.at(-1) ?? '');
  if (isItem && (isWanted(id, 'names') || isWanted(id, 'extends'))) return say('profile.want.text', params);
  if (params.path === 'resources.gpus') return say('profile.want.gpus', params);
  if (params.path === 'model') return say('profile.want.model', params);
  return isMessage(id) ? { id, params } : say('profile.want.other', params);
}

function isMessage(text: string): text is MessageId {
  return text.startsWith('profile.want.');
}

function isWanted(text: string, what: string): boolean {
  return text === `profile.want.${what}`;
}

/** What YAML made of it, and what to write for what was meant. */
function toValueHint(value: unknown, meant: unknown, written: string | undefined): Message {
  if (Array.isArray(value)) return say('profile.hint.no-dashes');
  const shown = toShown(meant);
  if (typeof value === typeof meant || Array.isArray(meant)) return say('profile.hint.write', { value: shown });
  if (typeof value === 'string') return say('profile.hint.is-text', { written: toShown(value), value: shown });
  const params = { written: written ?? String(value), value: shown };
  return typeof value === 'number' ? say('profile.hint.is-number', params) : say('profile.hint.is-switch', params);
}

function toUnknownKey(path: readonly string[], source: Source, cures: boolean): Finding {
  const key = path.at(-1) ?? '';
  const block = path.slice(0, -1);
  const known = toKnownKeys(block.join('.')) ?? [];
  const alike = known.includes(toKebab(key)) ? [toKebab(key)] : [];
  const right = alike.length > 0 ? undefined : toRightPlace(key, block.join('.'));
  const nearest = alike.length > 0 ? alike : toNearest(key, known);
  const [only] = nearest;
  const to = right ?? (nearest.length === 1 && only !== undefined ? [...block, only] : undefined);
  const fix = to && cures ? toMoveCure({ from: path, to, tree: source.value }) : undefined;
  const hint = toKeyHint({ right, nearest: nearest.map((name) => [...block, name].join('.')), block, key, known });
  return {
    code: 'profile/unknown-key',
    severity: 'error',
    message: say('profile.unknown-key', { path: path.join('.') }),
    ...(hint ? { hint } : {}),
    path: path.join('.'),
    ...source.locate(path, 'key'),
    ...(fix ? { fix } : {}),
  };
}

interface Hints {
  readonly right: readonly string[] | undefined;
  readonly nearest: readonly string[];
  readonly block: readonly string[];
  readonly key: string;
  readonly known: readonly string[];
}

function toKeyHint({ right, nearest, block, key, known }: Hints): Message | undefined {
  if (right !== undefined) return say('profile.hint.place', { right: right.join('.') });
  if (nearest.length > 0) return say('profile.hint.nearest', { nearest: nearest.join(', ') });
  if (block.length === 0) return say('profile.hint.vllm', { key });
  return known.length === 0 ? undefined : say('profile.hint.known', { known: known.join(', ') });
}

/** Only plain values are shown: whole blocks are long, and may hold what nobody should see. */
export function toShown(value: unknown): string {
  const isBlock = isMap(value) || (Array.isArray(value) && value.some((item) => typeof item === 'object'));
  if (isBlock) return Array.isArray(value) ? '[…]' : '{…}';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
