/** Shape problems and rules of one layer, as findings with places. Never throws for bad input. */
import type { Finding } from '../core/finding.ts';
import { type Message, type MessageId, say } from '../core/message.ts';
import { toNearest } from '../core/nearest.ts';
import { isMap, type Locate } from './layer.ts';
import { checkRules, isSecretName } from './layer-rules.ts';
import { parseShape, type RawProfile, type ShapeIssue, toKnownKeys } from './schema.ts';

export type Checked = { readonly is: 'sound'; readonly raw: RawProfile } | { readonly is: 'broken'; readonly findings: readonly Finding[] };

/** The layer as a `RawProfile`, or everything that is wrong with it. */
export function checkLayer(value: Readonly<Record<string, unknown>>, locate: Locate): Checked {
  const stray = findProtoKeys(value, []);
  if (stray.length > 0) return { is: 'broken', findings: stray.map((path) => toUnknownKey(path, locate)) };
  const rules = checkRules(value).map(({ at, path, ...rest }) => ({ ...rest, path: path.join('.'), ...locate(path, at) }));
  const shape = parseShape(value);
  if ('issues' in shape) {
    const issues = shape.issues.flatMap(toPlainIssues).flatMap((issue) => toFindings(issue, value, locate));
    return { is: 'broken', findings: [...issues, ...rules] };
  }
  return rules.length > 0 ? { is: 'broken', findings: rules } : { is: 'sound', raw: shape.raw };
}

/** A value that fits no branch of a union is reported as the union's own problem, unless it got inside a branch. */
function toPlainIssues(issue: ShapeIssue): readonly ShapeIssue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const inside = issue.errors.find((branch) => branch.some((inner) => inner.code === 'unrecognized_keys' || inner.path.length > 0));
  const isList = inside?.some((inner) => typeof inner.path[0] === 'number');
  if (inside === undefined || isList) return [issue];
  return inside.flatMap((inner) => toPlainIssues({ ...inner, path: [...issue.path, ...inner.path] }));
}

function toFindings(issue: ShapeIssue, value: unknown, locate: Locate): readonly Finding[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => toUnknownKey([...path, key], locate));
  const id = issue.message;
  const isSecret = id === 'profile.want.secret' || isSecretName(path.at(-1) ?? '');
  const params = { path: path.join('.'), value: isSecret ? '…' : toShown(readAt(value, path)) };
  const isWant = (text: string): text is MessageId => text.startsWith('profile.want.');
  const message = isWant(id) ? { id, params } : say('profile.want.other', params);
  const code = id === 'profile.want.secret' ? 'profile/secret' : 'profile/wrong-value';
  return [{ code, severity: 'error', message, path: params.path, ...locate(path, 'value') }];
}

function toUnknownKey(path: readonly string[], locate: Locate): Finding {
  const key = path.at(-1) ?? '';
  const block = path.slice(0, -1).join('.');
  const known = toKnownKeys(block) ?? [];
  const right = block === '' ? toRightPlace(key) : undefined;
  const nearest = toNearest(key, known).map((name) => (block === '' ? name : `${block}.${name}`));
  const hint = toHint({ right, nearest, block, key, known });
  return {
    code: 'profile/unknown-key',
    severity: 'error',
    message: say('profile.unknown-key', { path: path.join('.') }),
    hint,
    path: path.join('.'),
    ...locate(path, 'key'),
  };
}

interface Hints {
  readonly right: string | undefined;
  readonly nearest: readonly string[];
  readonly block: string;
  readonly key: string;
  readonly known: readonly string[];
}

function toHint({ right, nearest, block, key, known }: Hints): Message {
  if (right !== undefined) return say('profile.hint.place', { right });
  if (nearest.length > 0) return say('profile.hint.nearest', { nearest: nearest.join(', ') });
  return block === '' ? say('profile.hint.vllm', { key }) : say('profile.hint.known', { known: known.join(', ') });
}

/** A key of one block that was written at the top: `port` belongs to `server`. */
function toRightPlace(key: string): string | undefined {
  const block = ['server', 'resources', 'engine', 'health', 'restart', 'stop'].find((name) => toKnownKeys(name)?.includes(key));
  return block && `${block}.${key}`;
}

function readAt(value: unknown, path: readonly string[]): unknown {
  let here = value;
  for (const step of path) {
    if (Array.isArray(here)) here = here[Number(step)];
    else if (isMap(here) && Object.hasOwn(here, step)) here = here[step];
    else return undefined;
  }
  return here;
}

/** The name never reaches the schema (it would be a way to change every object), so it is looked for here. */
function findProtoKeys(value: unknown, path: readonly string[]): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => (key === '__proto__' ? [[...path, key]] : findProtoKeys(inner, [...path, key])));
}

/** Only plain values are shown: whole blocks are long, and may hold what nobody should see. */
function toShown(value: unknown): string {
  const isBlock = isMap(value) || (Array.isArray(value) && value.some((item) => typeof item === 'object'));
  if (isBlock) return Array.isArray(value) ? '[…]' : '{…}';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
