/** Merged layers → what the program works with: every setting has its value, in one unit. */
import { basename } from 'node:path';
import type { Finding } from '../core/finding.ts';
import { say } from '../core/message.ts';
import { parseBytes, parseDurationMs } from '../core/units.ts';
import { type Layer, toModelMap } from './layer.ts';
import { isMap } from './map.ts';
import type {
  AdaptSettings,
  EngineChoice,
  HealthSettings,
  LogSettings,
  ModelChoice,
  Notification,
  Profile,
  Resources,
  RestartSettings,
  SecretRef,
  SettingValue,
} from './profile.ts';
import type { RawProfile } from './schema.ts';

/** The vLLM that a profile without `engine.version` means: the one that everything here was proven with. */
export const defaultEngineVersion = '0.32.0';

/** What a setting is when nobody gives it, as one would write it. Others follow from those around them. */
export const defaults = {
  quantization: 'auto',
  engine: { version: defaultEngineVersion, backend: 'auto' },
  resources: { cpus: 'all' },
  server: { host: '127.0.0.1', port: 8000 },
  thinking: 'request',
  health: {
    'start-deadline': '30m',
    'start-stall-after': '5m',
    'download-stall-after': '2m',
    'gate-timeout': '60s',
    'first-token-timeout': '60s',
    interval: '5s',
    timeout: '5s',
    chat: true,
    'stall-after': '2m',
    'canary-interval': '60s',
  },
  restart: { 'max-failures': 6, 'first-delay': '2s', 'max-delay': '5m', 'stable-after': '10m' },
  stop: { drain: '30s' },
  logs: { 'max-size': '100MB', keep: 5 },
  adapt: { for: '2m', 'back-below': '80%', 'back-after': '15m', 'least-stay': '10m', 'most-steps': 4 },
  replicas: 1,
} as const satisfies RawProfile;

export type Resolved = { readonly profile: Profile } | { readonly findings: readonly Finding[] };

export function resolveProfile({ raw, origins }: Layer, { name, source }: { readonly name: string; readonly source: string }): Resolved {
  const model = toModel(raw);
  const problems = [...checkModel(raw, model), ...checkVariant(raw), ...checkAdapt(raw)];
  if (model === undefined || problems.length > 0) return { findings: problems };
  return {
    profile: {
      name,
      source,
      description: raw.description ?? '',
      model,
      servedNames: raw['served-names'] ?? [model.id],
      quantization: raw.quantization ?? defaults.quantization,
      engine: toEngine(raw),
      vllm: toSettings(raw.vllm ?? {}),
      resources: toResources(raw),
      server: toServer(raw),
      thinking: toThinking(raw.thinking),
      health: toHealth(raw),
      restart: toRestart(raw),
      stop: { drainMs: toMs(raw.stop?.drain ?? defaults.stop.drain) },
      logs: toLogs(raw),
      notify: toNotifications(raw),
      ...toAdapt(raw),
      ...(raw.fallback == null || raw.fallback.length === 0 ? {} : { fallback: raw.fallback }),
      lora: toLora(raw),
      replicas: raw.replicas ?? defaults.replicas,
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

/** What parents and children say of it together must say when, and where to. */
function checkAdapt({ adapt }: RawProfile): readonly Finding[] {
  if (adapt == null) return [];
  const about = { code: 'profile/adapt-incomplete', severity: 'error' } as const;
  const hasLimit = Object.values(adapt.when ?? {}).some((limit) => limit != null);
  return [
    ...(adapt.steps == null ? [{ ...about, path: 'adapt.steps', message: say('profile.adapt-no-steps') }] : []),
    ...(hasLimit ? [] : [{ ...about, path: 'adapt.when', message: say('profile.adapt-no-limit') }]),
  ];
}

function toEngine({ engine, resources }: RawProfile): EngineChoice {
  const { version, variant, backend, executable, image, mounts, env } = engine ?? {};
  const variables = Object.entries(toPresent(env ?? {})).map(([name, value]) => [name, String(value)] as const);
  return {
    version: version ?? defaults.engine.version,
    variant: variant ?? (resources?.gpus === 'none' ? 'cpu' : 'gpu'),
    backend: backend ?? defaults.engine.backend,
    ...(executable == null ? {} : { executable }),
    ...(image == null ? {} : { image }),
    mounts: mounts ?? [],
    env: Object.fromEntries(variables),
  };
}

function toResources({ engine, resources }: RawProfile): Resources {
  const { gpus, cpus, memory, shm, nice, pids, nofile } = resources ?? {};
  const memoryBytes = memory == null ? undefined : parseBytes(memory);
  const shmBytes = shm == null ? undefined : parseBytes(shm);
  return {
    gpus: Array.isArray(gpus) ? gpus.map(String) : (gpus ?? (engine?.variant === 'cpu' ? 'none' : 'auto')),
    cpus: String(cpus ?? defaults.resources.cpus),
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
    host: server?.host ?? defaults.server.host,
    port: server?.port ?? defaults.server.port,
    ...(key == null ? {} : { apiKey: key as SecretRef }),
  };
}

/** YAML 1.1 readers taught people that `off` is false; both spellings mean the same here. */
function toThinking(value: RawProfile['thinking']): Profile['thinking'] {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return value ?? defaults.thinking;
}

function toHealth({ health }: RawProfile): HealthSettings {
  const ms = (key: Exclude<keyof typeof defaults.health, 'chat'>) => toMs(health?.[key] ?? defaults.health[key]);
  return {
    startDeadlineMs: ms('start-deadline'),
    startStallAfterMs: ms('start-stall-after'),
    downloadStallAfterMs: ms('download-stall-after'),
    gateTimeoutMs: ms('gate-timeout'),
    firstTokenTimeoutMs: ms('first-token-timeout'),
    intervalMs: ms('interval'),
    timeoutMs: ms('timeout'),
    chat: health?.chat ?? defaults.health.chat,
    stallAfterMs: ms('stall-after'),
    canaryIntervalMs: ms('canary-interval'),
  };
}

function toRestart({ restart }: RawProfile): RestartSettings {
  const ms = (key: 'first-delay' | 'max-delay' | 'stable-after') => toMs(restart?.[key] ?? defaults.restart[key]);
  return {
    maxFailures: restart?.['max-failures'] ?? defaults.restart['max-failures'],
    firstDelayMs: ms('first-delay'),
    maxDelayMs: ms('max-delay'),
    stableAfterMs: ms('stable-after'),
  };
}

function toLogs({ logs }: RawProfile): LogSettings {
  const { 'max-size': size, keep } = defaults.logs;
  return { maxSizeBytes: parseBytes(logs?.['max-size'] ?? size) ?? 0, keep: logs?.keep ?? keep };
}

const defaultNotifyTimeout = '10s';

function toNotifications({ notify }: RawProfile): readonly Notification[] {
  return (notify ?? []).map(({ on, command, webhook, headers, timeout }) => {
    const about = { on, timeoutMs: toMs(timeout ?? defaultNotifyTimeout) };
    return command == null ? { ...about, webhook: webhook ?? '', headers: headers ?? {} } : { ...about, command };
  });
}

function toAdapt({ adapt }: RawProfile): { readonly adapt?: AdaptSettings } {
  if (adapt == null) return {};
  const { when = {}, steps, ...rest } = adapt;
  const ms = (key: 'for' | 'back-after' | 'least-stay') => toMs(rest[key] ?? defaults.adapt[key]);
  const { cpu, 'host-memory': host, 'gpu-memory': gpu, 'gpu-temperature': temperature, 'queue-wait': wait } = when ?? {};
  return {
    adapt: {
      when: {
        ...(cpu == null ? {} : { cpuPercent: parseFloat(cpu) }),
        ...(host == null ? {} : { hostMemoryPercent: parseFloat(host) }),
        ...(gpu == null ? {} : { gpuMemoryPercent: parseFloat(gpu) }),
        ...(temperature == null ? {} : { gpuTemperature: temperature }),
        ...(wait == null ? {} : { queueWaitMs: toMs(wait) }),
      },
      forMs: ms('for'),
      backBelowPercent: parseFloat(rest['back-below'] ?? defaults.adapt['back-below']),
      backAfterMs: ms('back-after'),
      leastStayMs: ms('least-stay'),
      mostSteps: rest['most-steps'] ?? defaults.adapt['most-steps'],
      steps: steps ?? [],
    },
  };
}

/** The schema has seen to it that this is a duration. */
function toMs(text: string): number {
  return parseDurationMs(text) ?? 0;
}

function toSettings(vllm: Readonly<Record<string, unknown>>): Profile['vllm'] {
  return toPresent(vllm) as Profile['vllm'] satisfies Readonly<Record<string, SettingValue>>;
}

function toPresent<T>(entries: Readonly<Record<string, T>>): Readonly<Record<string, NonNullable<T>>> {
  return Object.fromEntries(Object.entries(entries).flatMap(([key, value]) => (value == null ? [] : [[key, value]])));
}
