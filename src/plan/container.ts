/** What a container must be given that a process has anyway: files, devices, shared memory, a place for caches. Pure. */
import { isAbsolute, join } from 'node:path';
import { type Message, say } from '../core/message.ts';
import { toSizeText } from '../core/units.ts';
import type { Places } from '../host/environment.ts';
import { toParallel } from '../profile/parallel.ts';
import type { Profile } from '../profile/profile.ts';
import { toDecision } from './decide.ts';
import type { DockerFacts } from './docker-facts.ts';
import type { EngineDecision } from './engine-choice.ts';
import type { GpuChoice } from './gpu-choice.ts';
import type { ContainerMount, ContainerSpec } from './launch-spec.ts';
import type { Decision } from './plan.ts';
import type { Setting } from './setting.ts';

export interface ContainerContext {
  readonly places: Places;
  readonly engine: EngineDecision;
  readonly gpus: GpuChoice;
  readonly settings: readonly Setting[];
  /** What `vllm serve` is given. */
  readonly model: string;
  readonly docker?: DockerFacts;
}

export interface PlannedContainer {
  readonly container: ContainerSpec;
  readonly decisions: readonly Decision[];
}

const gib = 2 ** 30;
/** PyTorch's workers hand each other tensors through it; Docker's own 64 MB are too few for two GPUs. */
const shmBytes = 2 * gib;
const shmBytesSpread = 16 * gib;
/** After vLLM's own limit it kills its engine and may stay for as long as a client holds on. */
const afterDrainSeconds = 15;

export function planContainer(profile: Profile, context: ContainerContext): PlannedContainer | undefined {
  const { source } = context.engine;
  if (source.kind !== 'image') return undefined;
  const { tensor } = toParallel(profile);
  const shm = profile.resources.shmBytes ?? (tensor > 1 ? shmBytesSpread : shmBytes);
  const gpus = toContainerGpus(profile, context);
  const user = context.docker?.user ?? toImageUser(context.docker);
  const container: ContainerSpec = {
    image: source.reference,
    mounts: toMounts(profile, context),
    ...(gpus ? { gpus } : {}),
    shmBytes: shm,
    ...(user === undefined ? {} : { user }),
    port: profile.server.port,
    log: { maxSizeBytes: profile.logs.maxSizeBytes, files: Math.max(profile.logs.keep, 2) },
    stopSeconds: Math.ceil(profile.stop.drainMs / 1000) + afterDrainSeconds,
  };
  const shmReason: Message = tensor > 1 ? say('plan.shm-spread') : say('plan.shm');
  const decisions: readonly Decision[] = [
    {
      setting: 'engine.image',
      value: source.reference,
      from: profile.engine.image === undefined ? 'engine' : 'profile',
      reason: context.engine.reason,
    },
    toDecision(profile, { setting: 'resources.shm', value: toSizeText(shm), otherwise: { from: 'default', reason: shmReason } }),
    ...toMemoryDecisions(profile, { shmBytes: shm, docker: context.docker }),
    {
      setting: 'container.user',
      value: user ?? 'image',
      from: 'machine',
      reason: context.docker?.user === undefined ? say('plan.user-image') : say('plan.user-own'),
    },
    ...(gpus
      ? [{ setting: 'container.gpus', value: gpus.ids, from: 'machine', reason: say('plan.gpus-by', { way: gpus.by }) } as const]
      : []),
  ];
  return { container, decisions };
}

interface Memory {
  readonly shmBytes: number;
  readonly docker: DockerFacts | undefined;
}

/** Why the number is what it is, or has to be: what loading takes is known before, the KV cache is as it is set. */
function toMemoryDecisions(profile: Profile, { shmBytes, docker }: Memory): readonly Decision[] {
  if (docker === undefined) return [];
  const { engine } = profile;
  const { memoryBytes } = profile.resources;
  const figures = { least: toSizeText(docker.loadBytes), shm: toSizeText(shmBytes) };
  const reason = say(engine.variant === 'cpu' ? 'plan.memory-cpu' : 'plan.memory-gpu', figures);
  if (memoryBytes === undefined) {
    return [{ setting: 'container.memory', value: 'all', from: 'default', reason: say('plan.memory-all', { text: reason }) }];
  }
  const { from } = toDecision(profile, { setting: 'resources.memory', value: memoryBytes, otherwise: { from: 'profile', reason } });
  return [
    { setting: 'container.memory', value: toSizeText(memoryBytes), from, reason },
    { setting: 'container.swap', value: 'none', from: 'default', reason: say('plan.no-swap') },
  ];
}

/** By number, so that files can be given to it; a name is known inside only. */
function toImageUser(docker: DockerFacts | undefined): string | undefined {
  const user = docker?.image?.present ? docker.image.user : '';
  return /^\d+(:\d+)?$/.test(user) && !user.startsWith('0') ? user : undefined;
}

/** Where the caches of containers are inside. */
export const containerCache = '/cache';

/** One place for all images would mix up what different versions compiled. */
function toContainerCache(places: Places, reference: string): string {
  return join(places.cache, 'containers', reference.replace(/[^\w.-]+/g, '_'));
}

function toContainerGpus({ engine }: Profile, { gpus, docker }: ContainerContext): ContainerSpec['gpus'] {
  if (engine.variant !== 'gpu' || gpus.gpus.length === 0) return undefined;
  return { by: docker?.gpuWay ?? 'nvidia', ids: gpus.gpus.map(({ uuid, index }) => uuid ?? String(index)) };
}

function toMounts(profile: Profile, { places, engine, settings, model, docker }: ContainerContext): readonly ContainerMount[] {
  const reference = engine.source.kind === 'image' ? engine.source.reference : '';
  const own: readonly ContainerMount[] = [
    { source: toContainerCache(places, reference), target: containerCache, readOnly: false, create: true },
    ...(profile.model.source === 'hub' && docker
      ? [{ source: docker.hubCache, target: docker.hubCache, readOnly: false, create: true as const }]
      : []),
  ];
  const files = [model, ...Object.values(profile.lora).map(({ path }) => path), ...settings.flatMap(toPaths)];
  const named = [...new Set(files)].filter((path) => isAbsolute(path)).map((path) => ({ source: path, target: path, readOnly: true }));
  return [...own, ...profile.engine.mounts.map(toMount), ...named];
}

/** Settings of vLLM whose value is a file or a directory; others may begin with a slash too (paths of its API). */
const pathSettings = [
  'allowed-local-media-path',
  'chat-template',
  'config',
  'generation-config',
  'hf-config-path',
  'log-config-file',
  'reasoning-parser-plugin',
  'ssl-ca-certs',
  'ssl-certfile',
  'ssl-keyfile',
  'tokenizer',
  'tool-parser-plugin',
];

function toPaths({ name, value }: Setting): readonly string[] {
  if (typeof value === 'string') return pathSettings.includes(name) ? [value] : [];
  // A model that drafts.
  const draft = name === 'speculative-config' && typeof value === 'object' && 'model' in value ? value.model : undefined;
  return typeof draft === 'string' ? [draft] : [];
}

/** `SOURCE:TARGET[:ro|rw]`, as the schema checked it. */
function toMount(text: string): ContainerMount {
  const [source = '', target = source, mode] = text.split(':');
  return { source, target, readOnly: mode !== 'rw' };
}
