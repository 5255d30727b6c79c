/** Merged layers → what the program works with: every setting has its value, in one unit. */
import { basename } from 'node:path';
import type { Finding } from '../core/finding.ts';
import { say } from '../core/message.ts';
import { parseBytes, parseDurationMs } from '../core/units.ts';
import { isMap, type Layer, toModelMap } from './layer.ts';
import type { EngineChoice, HealthSettings, ModelChoice, Profile, Resources, RestartSettings, SecretRef, SettingValue } from './profile.ts';
import type { RawProfile } from './schema.ts';

/** The vLLM that a profile without `engine.version` means: the one that everything here was proven with. */
export const defaultEngineVersion = '0.32.0';

export type Resolved = { readonly profile: Profile } | { readonly findings: readonly Finding[] };

export function resolveProfile({ raw, origins }: Layer, { name, source }: { readonly name: string; readonly source: string }): Resolved {
  const model = toModel(raw);
  const problems = [...checkModel(raw, model), ...checkVariant(raw)];
  if (model === undefined || problems.length > 0) return { findings: problems };
  return {
    profile: {
      name,
      source,
      description: raw.description ?? '',
      model,
      servedNames: raw['served-names'] ?? [model.id],
      quantization: raw.quantization ?? 'auto',
      engine: toEngine(raw),
      vllm: toSettings(raw.vllm ?? {}),
      resources: toResources(raw),
      server: toServer(raw),
      thinking: toThinking(raw.thinking),
      health: toHealth(raw),
      restart: toRestart(raw),
      stop: { drainMs: toMs(raw.stop?.drain, 30_000) },
      lora: toLora(raw),
      replicas: raw.replicas ?? 1,
      labels: toPresent(raw.labels ?? {}),
      origins,
    },
  };
}

function toModel({ model }: RawProfile): ModelChoice | undefined {
  const written: Exclude<RawProfile['model'], string | null | undefined> = typeof model === 'string' ? toModelMap(model) : (model ?? {});
  const { id, source, revision, path, tokenizer } = written;
  const from = source ?? (path == null ? 'hub' : 'local');
  const name = id ?? (from === 'miniature' ? 'miniature-qwen3' : path && basename(path));
  if (!name) return undefined;
  return {
    id: name,
    source: from,
    ...(revision == null ? {} : { revision }),
    ...(path == null ? {} : { path }),
    ...(tokenizer == null ? {} : { tokenizer }),
  };
}

function checkModel(raw: RawProfile, model: ModelChoice | undefined): readonly Finding[] {
  if (model === undefined) return [{ code: 'profile/no-model', severity: 'error', path: 'model', message: say('profile.no-model') }];
  const wrongPath = { code: 'profile/wrong-value', severity: 'error', path: 'model.path' } as const;
  if (model.source === 'local' && model.path === undefined) return [{ ...wrongPath, message: say('profile.no-model-path') }];
  const strayPath = isMap(raw.model) && model.source !== 'local' && model.path !== undefined;
  return strayPath ? [{ ...wrongPath, message: say('profile.path-not-local', { source: model.source }) }] : [];
}

/** A CPU engine sees no GPUs; asking for some is a contradiction and not a detail to overlook. */
function checkVariant({ engine, resources }: RawProfile): readonly Finding[] {
  const gpus = resources?.gpus;
  const clash = (engine?.variant === 'cpu' && gpus != null && gpus !== 'none') || (engine?.variant === 'gpu' && gpus === 'none');
  if (!clash) return [];
  return [
    {
      code: 'profile/conflict',
      severity: 'error',
      path: 'resources.gpus',
      message: say('profile.variant-gpus', { variant: engine?.variant ?? '', gpus: JSON.stringify(gpus) }),
    },
  ];
}

function toEngine({ engine, resources }: RawProfile): EngineChoice {
  const { version, variant, backend, executable, image, env } = engine ?? {};
  const variables = Object.entries(toPresent(env ?? {})).map(([name, value]) => [name, String(value)] as const);
  return {
    version: version ?? defaultEngineVersion,
    variant: variant ?? (resources?.gpus === 'none' ? 'cpu' : 'gpu'),
    backend: backend ?? 'auto',
    ...(executable == null ? {} : { executable }),
    ...(image == null ? {} : { image }),
    env: Object.fromEntries(variables),
  };
}

function toResources({ engine, resources }: RawProfile): Resources {
  const { gpus, cpus, memory, shm, nice, pids, nofile } = resources ?? {};
  const memoryBytes = memory == null ? undefined : parseBytes(memory);
  const shmBytes = shm == null ? undefined : parseBytes(shm);
  return {
    gpus: Array.isArray(gpus) ? gpus.map(String) : (gpus ?? (engine?.variant === 'cpu' ? 'none' : 'auto')),
    cpus: String(cpus ?? 'all'),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(shmBytes === undefined ? {} : { shmBytes }),
    ...(nice == null ? {} : { nice }),
    ...(pids == null ? {} : { pids }),
    ...(nofile == null ? {} : { nofile }),
  };
}

/** `name: PATH` is short for a map. */
function toLora({ lora }: RawProfile): Profile['lora'] {
  const adapters = Object.entries(toPresent(lora ?? {})).map(([name, adapter]) => {
    if (typeof adapter === 'string') return [name, { path: adapter }] as const;
    const baseModel = adapter['base-model'];
    return [name, { path: adapter.path, ...(baseModel == null ? {} : { baseModel }) }] as const;
  });
  return Object.fromEntries(adapters);
}

function toServer({ server }: RawProfile): Profile['server'] {
  const key = server?.['api-key'];
  return {
    host: server?.host ?? '127.0.0.1',
    port: server?.port ?? 8000,
    ...(key == null ? {} : { apiKey: key as SecretRef }),
  };
}

/** YAML 1.1 readers taught people that `off` is false; both spellings mean the same here. */
function toThinking(value: RawProfile['thinking']): Profile['thinking'] {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return value ?? 'request';
}

function toHealth({ health }: RawProfile): HealthSettings {
  return {
    startDeadlineMs: toMs(health?.['start-deadline'], 30 * 60_000),
    gateTimeoutMs: toMs(health?.['gate-timeout'], 60_000),
    firstTokenTimeoutMs: toMs(health?.['first-token-timeout'], 60_000),
    intervalMs: toMs(health?.interval, 5_000),
    timeoutMs: toMs(health?.timeout, 5_000),
    chat: health?.chat ?? true,
  };
}

function toRestart({ restart }: RawProfile): RestartSettings {
  return {
    maxFailures: restart?.['max-failures'] ?? 6,
    firstDelayMs: toMs(restart?.['first-delay'], 2_000),
    maxDelayMs: toMs(restart?.['max-delay'], 300_000),
    stableAfterMs: toMs(restart?.['stable-after'], 600_000),
  };
}

function toMs(text: string | null | undefined, otherwise: number): number {
  return text == null ? otherwise : (parseDurationMs(text) ?? otherwise);
}

function toSettings(vllm: Readonly<Record<string, unknown>>): Profile['vllm'] {
  return toPresent(vllm) as Profile['vllm'] satisfies Readonly<Record<string, SettingValue>>;
}

function toPresent<T>(entries: Readonly<Record<string, T>>): Readonly<Record<string, NonNullable<T>>> {
  return Object.fromEntries(Object.entries(entries).flatMap(([key, value]) => (value == null ? [] : [[key, value]])));
}
