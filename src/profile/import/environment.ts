/** Variables of an engine → `engine.env`, or the setting that they stand for. Secrets become references. */
import { type MessageId, say } from '../../core/message.ts';
import type { FlagCatalogue } from '../../vllm/flags.ts';
import { isSecretName, isSecretText } from '../secrets.ts';
import { toGpuList } from './amounts.ts';
import { drop, find, type Given, type Launch, type Notes, toNamed, type Variable } from './launch.ts';
import type { Paths } from './paths.ts';

export interface Surroundings {
  readonly env: Readonly<Record<string, string>>;
  /** Settings that variables stood for. */
  readonly given: readonly Given[];
}

export interface EnvironmentOptions {
  readonly paths: Paths;
  readonly catalogue: FlagCatalogue;
  readonly notes: Notes;
}

/** Of the same name the last one counts. */
export function toSurroundings(launch: Launch, options: EnvironmentOptions): Surroundings {
  const variables = [...new Map(launch.env.map((variable) => [variable.name, variable])).values()];
  const env: Record<string, string> = {};
  const given: Given[] = [];
  for (const variable of variables) {
    const meant = toMeaning(variable, options);
    if (typeof meant === 'string') env[variable.name] = meant;
    else if (meant) given.push(meant);
  }
  const { cache } = options.paths;
  return { env: cache === undefined || 'HF_HOME' in env ? env : { HF_HOME: cache, ...env }, given };
}

/** The text for `engine.env`, another setting, or nothing. */
function toMeaning(variable: Variable, options: EnvironmentOptions): string | Given | undefined {
  const { name, value } = variable;
  const { notes, paths } = options;
  if (name === 'VLLM_API_KEY' || isSecretName(name)) return toReference(variable, notes);
  if (Object.hasOwn(owned, name) || name.startsWith('VLLM_PORT')) {
    drop(notes, `${name}=${value?.text ?? ''}`, { id: owned[name] ?? 'import.why.port-variable', params: {} });
    return undefined;
  }
  if (value === undefined) {
    drop(notes, name, say('import.why.passed-on', { name }));
    return undefined;
  }
  if (isSecretText(value.text)) {
    drop(notes, `${name}=…`, say('import.why.secret-text', { name }));
    return undefined;
  }
  if (value.open !== undefined) {
    const path = `engine.env.${name}`;
    const message = say('import.variable', { name: path, variable: value.open });
    find(notes, value, { code: 'profile/import-variable', severity: 'error', path, message, hint: say('import.hint.variable') });
    return undefined;
  }
  return toSetting(name, value, options) ?? paths.toHere(value.text);
}

/** What a program or this one sets, or what has no meaning outside of where it was set. */
const owned: Readonly<Record<string, MessageId>> = {
  PYTHONDONTWRITEBYTECODE: 'import.why.bytecode',
  PYTHONUNBUFFERED: 'import.why.set-anyway',
  VLLM_NO_USAGE_STATS: 'import.why.set-anyway',
  DO_NOT_TRACK: 'import.why.set-anyway',
  CUDA_DEVICE_ORDER: 'import.why.set-anyway',
  TMPDIR: 'import.why.set-anyway',
  NVIDIA_DRIVER_CAPABILITIES: 'import.why.container',
  PATH: 'import.why.machine-variable',
  HOME: 'import.why.machine-variable',
  PWD: 'import.why.machine-variable',
  VIRTUAL_ENV: 'import.why.machine-variable',
  PYTHONPATH: 'import.why.machine-variable',
  VLLM_USE_V1: 'import.why.v1',
};

/** The variable itself is what the reference names, unless the line takes it from another one. */
function toReference({ name, value }: Variable, notes: Notes): string | Given {
  const other = /^\$\{?(\w+)\}?$/.exec(value?.open === value?.text ? (value?.text ?? '') : '')?.[1];
  const isLiteral = value !== undefined && value.open === undefined && value.text !== '';
  if (isLiteral) drop(notes, `${name}=…`, say('import.why.secret', { name }));
  const reference = `env:${other ?? name}`;
  if (name !== 'VLLM_API_KEY') return reference;
  return { path: 'server.api-key', value: reference, word: toNamed(value ?? { text: name }, name) };
}

function toSetting(name: string, value: NonNullable<Variable['value']>, { catalogue, notes }: EnvironmentOptions): Given | undefined {
  if (name === 'CUDA_VISIBLE_DEVICES' || name === 'NVIDIA_VISIBLE_DEVICES') {
    const gpus = toGpuList(value.text);
    if (gpus !== undefined) return { path: 'resources.gpus', value: gpus, word: value };
  }
  if (name === 'VLLM_TARGET_DEVICE' && value.text === 'cpu') return { path: 'engine.variant', value: 'cpu', word: value };
  if (name === 'VLLM_ATTENTION_BACKEND' && Object.hasOwn(catalogue.flags, 'attention-backend')) {
    drop(notes, `${name}=${value.text}`, say('import.why.setting', { name: 'vllm.attention-backend' }));
    return { path: 'vllm.attention-backend', value: value.text, word: value };
  }
  if (name === 'VLLM_CPU_KVCACHE_SPACE' && /^[1-9]\d*$/.test(value.text)) {
    drop(notes, `${name}=${value.text}`, say('import.why.setting', { name: 'vllm.kv-cache-memory-bytes' }));
    return { path: 'vllm.kv-cache-memory-bytes', value: `${value.text}G`, word: value };
  }
  return undefined;
}
