/** Rules that the shape alone cannot say: each setting has one spelling and one place, and some must not be set. */
import type { Finding } from '../core/finding.ts';
import { say } from '../core/message.ts';
import { type Fix, toMoveCure } from './cure.ts';
import { isMap } from './map.ts';
import { checkNotify } from './notify-rules.ts';
import { ourPlaces } from './our-places.ts';
import { toKnownKeys } from './schema.ts';
import { isReference, isSecretName } from './secrets.ts';

export type RuleFinding = Pick<Finding, 'code' | 'severity' | 'message' | 'hint' | 'fix'> & {
  readonly path: readonly string[];
  readonly at: 'key' | 'value';
  /** Who wants no checks gets it: it can be said to vLLM as it stands, and what comes of it is vLLM's to say. */
  readonly sayable?: boolean;
};

type Layer = Readonly<Record<string, unknown>>;

/** Takes a layer of any shape, so that the problems of both kinds are found in one run. All of them are errors. */
export function checkRules(layer: Layer): readonly RuleFinding[] {
  const vllm = Object.entries(isMap(layer.vllm) ? layer.vllm : {});
  const env = isMap(layer.engine) && isMap(layer.engine.env) ? layer.engine.env : {};
  return [
    ...vllm.flatMap(([key, value]) => checkFlagName(key, value, layer)),
    ...vllm.flatMap(([key, value]) => checkFlagValue(key, value, layer)),
    ...Object.entries(env).flatMap(([name, value]) => checkVariable(name, value, layer)),
    ...checkNotify(layer.notify),
  ];
}

/** What people take for a flag besides. */
const ours: Readonly<Record<string, string>> = { ...ourPlaces, 'enable-thinking': 'thinking' };

/** Where a name below `vllm` belongs; undefined when it is no setting of ours. */
function toOurPlace(name: string): string | undefined {
  if (Object.hasOwn(ours, name)) return ours[name];
  return name !== 'vllm' && toKnownKeys('')?.includes(name) ? name : undefined;
}

/** As a profile writes it. */
function toOurValue(name: string, value: unknown): unknown {
  if (name === 'served-model-name' && typeof value === 'string') return [value];
  if (name === 'shutdown-timeout' && typeof value === 'number') return `${value}s`;
  return name === 'enable-thinking' ? toThinking(value) : value;
}

function toThinking(value: unknown): unknown {
  return typeof value === 'boolean' ? (value ? 'on' : 'off') : value;
}

function checkFlagName(key: string, value: unknown, layer: Layer): readonly RuleFinding[] {
  const path = ['vllm', key];
  const about = { severity: 'error', path, at: 'key', sayable: isFlagWord(key) } as const;
  const name = key.replace(/^-+/, '').replace(/^[^.]*/, (head) => head.replaceAll('_', '-'));
  const right = toOurPlace(name);
  if (right !== undefined) return [toWrongPlace({ path, right, at: 'key' }, layer, toOurValue(name, value))];
  if (name === 'config') return [{ ...about, code: 'profile/wrong-place', message: say('profile.no-config-file') }];
  const positive = name.startsWith('no-') ? name.slice(3) : undefined;
  if (positive !== undefined) {
    const fix = toMoveCure({ from: path, to: ['vllm', positive], tree: layer, value: value === false });
    const message = say('profile.negative', { path: path.join('.') });
    return [
      {
        ...about,
        code: 'profile/spelling',
        message,
        hint: say('profile.hint.negative', { name: positive }),
        ...(typeof value === 'boolean' && fix ? { fix } : {}),
      },
    ];
  }
  if (name === key && /^[a-z][a-z0-9-]*(\.[\w.+-]+)?$/.test(key)) return [];
  const fix = toMoveCure({ from: path, to: ['vllm', name], tree: layer });
  const message = say('profile.spelling', { path: path.join('.') });
  return [{ ...about, code: 'profile/spelling', message, hint: say('profile.hint.spelling', { name }), ...(fix ? { fix } : {}) }];
}

/** Underscores and capitals are vLLM's to refuse; with anything else the next words would mean something else. */
function isFlagWord(key: string): boolean {
  return /^[A-Za-z][\w.+-]*$/.test(key);
}

interface Misplaced {
  readonly path: readonly string[];
  readonly right: string;
  readonly at: 'key' | 'value';
  /** When another map says it better than moving the value. */
  readonly fix?: Fix;
}

function toWrongPlace({ path, right, at, fix: given }: Misplaced, layer: Layer, value: unknown): RuleFinding {
  const fix = given ?? toMoveCure({ from: path, to: right.split('.'), tree: layer, value });
  const hint = say('profile.hint.place', { right });
  const message = say('profile.wrong-place', { path: path.join('.') });
  return { code: 'profile/wrong-place', severity: 'error', path, at, message, hint, ...(fix ? { fix } : {}) };
}

const templateArguments = 'default-chat-template-kwargs';
const thinkingSwitch = 'enable_thinking';

function checkFlagValue(key: string, value: unknown, layer: Layer): readonly RuleFinding[] {
  const path = ['vllm', key];
  if (key === 'hf-token' && typeof value === 'string') {
    const hint = say('flag.hint.token', { variable: 'HF_TOKEN: env:HF_TOKEN' });
    return [{ code: 'profile/secret', severity: 'error', path, at: 'value', message: say('flag.secret', { name: key }), hint }];
  }
  if (key === `${templateArguments}.${thinkingSwitch}`)
    return [toWrongPlace({ path, right: 'thinking', at: 'key' }, layer, toThinking(value))];
  if (key !== templateArguments || !isMap(value) || !Object.hasOwn(value, thinkingSwitch)) return [];
  const thinking = toThinking(value[thinkingSwitch]);
  const isCertain = typeof value[thinkingSwitch] === 'boolean' && layer.thinking === undefined;
  const fix = isCertain ? { fix: { thinking, [path.join('.')]: { [thinkingSwitch]: null } } } : {};
  return [toWrongPlace({ path: [...path, thinkingSwitch], right: 'thinking', at: 'key', ...fix }, layer, undefined)];
}

function checkVariable(name: string, value: unknown, layer: Layer): readonly RuleFinding[] {
  const path = ['engine', 'env', name];
  const about = { code: 'profile/reserved-variable', severity: 'error', path, at: 'key' } as const;
  const finding = (message: RuleFinding['message'], hint?: RuleFinding['message']): readonly RuleFinding[] => [
    { ...about, message, sayable: true, ...(hint ? { hint } : {}) },
  ];
  if (!/^[A-Za-z_]\w*$/.test(name)) return [{ ...about, message: say('profile.variable-name', { name }) }];
  if (name === 'VLLM_API_KEY')
    return [{ ...toWrongPlace({ path, right: 'server.api-key', at: 'key' }, layer, value), code: 'profile/reserved-variable' }];
  if (name.startsWith('VLLM_PORT'))
    return finding(say('profile.variable-port', { name }), say('profile.hint.place', { right: 'server.port' }));
  if (name === 'PYTHONDONTWRITEBYTECODE') return finding(say('profile.variable-bytecode', { name }));
  if (!isSecretName(name) || value === null || isReference(String(value))) return [];
  return [{ code: 'profile/secret', severity: 'error', path, at: 'value', message: say('profile.want.secret', { path: path.join('.') }) }];
}
