/** vLLM's settings for one launch: what the profile says, and what we add, each with its reason. */
import { say } from '../core/message.ts';
import { compareVersions } from '../engine/version.ts';
import { toParallel } from '../profile/parallel.ts';
import type { BackendName, Profile } from '../profile/profile.ts';
import type { Facts } from './facts.ts';
import type { GpuChoice } from './gpu-choice.ts';
import { toGpuNeed } from './gpu-need.ts';
import { planLora } from './lora.ts';
import { type Setting, toAdded, toOurs } from './setting.ts';

export interface SettingsContext {
  readonly facts: Facts;
  readonly backend: BackendName;
  readonly version: string;
  readonly gpus: GpuChoice;
  /** Its number among the replicas, from 1. */
  readonly replica?: number;
}

/** Sorted by name, so that the same settings always make the same command line. */
export function planSettings(profile: Profile, context: SettingsContext): readonly Setting[] {
  const settings = [
    ...toServed(profile, context),
    ...toOrigins(profile, context),
    ...toWritten(profile),
    ...toMemory(profile, context),
    ...toSpread(profile),
    ...planLora(profile, context.facts),
    ...toThinking(profile),
    ...toStop(profile, context),
    ...toLoadTracking(profile),
    ...toCheckpoint(profile),
  ];
  return settings.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Chat template arguments merge with the thinking switch below, so they are not taken over as they are. */
const merged = 'default-chat-template-kwargs';

/** Where clients find it, and by which names: always explicit, whatever vLLM's defaults are. */
function toServed(profile: Profile, { replica = 1, backend }: SettingsContext): readonly Setting[] {
  const { server, servedNames } = profile;
  const port = { name: 'port', value: server.port, setting: 'server.port' } as const;
  return [
    // Inside of a container all addresses are its own; the host's address is that of the published port.
    backend === 'docker'
      ? toAdded({ name: 'host', value: '0.0.0.0', from: 'engine', reason: say('plan.container-host', { host: server.host }) })
      : toOurs(profile, { name: 'host', value: server.host, setting: 'server.host', reason: say('plan.default-host') }),
    replica > 1
      ? { ...port, decision: { ...port, from: 'profile', reason: say('plan.replica-port', { replica }) } }
      : toOurs(profile, { ...port, reason: say('plan.default-port') }),
    toOurs(profile, {
      name: 'served-model-name',
      value: servedNames,
      setting: 'served-names',
      from: 'model',
      reason: say('plan.default-names'),
    }),
  ];
}

/** Before 0.32 vLLM lets the pages of every site ask it from a browser. */
function toOrigins({ server, vllm }: Profile, { version, backend }: SettingsContext): readonly Setting[] {
  if (server.apiKey === undefined || 'allowed-origins' in vllm || backend === 'simulator') return [];
  if (compareVersions(version, '0.32') >= 0) return [];
  // As a word: an empty list would be no word at all where the flag's spelling is not known.
  return [toAdded({ name: 'allowed-origins', value: '[]', from: 'default', reason: say('plan.no-origins') })];
}

function toWritten(profile: Profile): readonly Setting[] {
  return Object.entries(profile.vllm)
    .filter(([name]) => name !== merged)
    .map(([name, value]) => toOurs(profile, { name, value, setting: `vllm.${name}`, reason: say('plan.written') }));
}

/** vLLM's own default share changed between versions and means RAM on a CPU, so one of the two is always given. */
function toMemory(profile: Profile, { facts, backend, gpus }: SettingsContext): readonly Setting[] {
  if (backend === 'simulator' || 'gpu-memory-utilization' in profile.vllm) return [];
  const isGpu = profile.engine.variant === 'gpu';
  if ('kv-cache-memory-bytes' in profile.vllm) return isGpu ? toStartShare(profile, gpus) : [];
  if (isGpu) return [toAdded({ name: 'gpu-memory-utilization', value: 0.85, from: 'default', reason: say('plan.default-share') })];
  const mebibyte = 2 ** 20;
  const room = Math.min(Math.floor(facts.memoryTotalBytes / 8 / mebibyte), 4096);
  return [toAdded({ name: 'kv-cache-memory-bytes', value: `${room}M`, from: 'machine', reason: say('plan.cpu-cache') })];
}

/**
 * With an exact cache vLLM no longer sizes anything by the share, and still refuses to start when that share of the
 * GPU is not free (request_memory in v1/worker/utils.py, 0.32.0): its default would forbid any neighbour.
 */
function toStartShare(profile: Profile, { gpus }: GpuChoice): readonly Setting[] {
  const smallest = Math.min(...gpus.map((gpu) => gpu.memoryTotalBytes ?? Number.NaN));
  if (!(smallest > 0 && Number.isFinite(smallest))) return [];
  const value = Math.min(Math.max(Math.ceil((toGpuNeed(profile).bytes / smallest) * 100) / 100, 0.05), 0.95);
  return [toAdded({ name: 'gpu-memory-utilization', value, from: 'machine', reason: say('plan.start-share') })];
}

/** How several GPUs work together, where nobody said it. */
function toSpread(profile: Profile): readonly Setting[] {
  const { follows, tensor } = toParallel(profile);
  if (!follows || profile.engine.variant !== 'gpu') return [];
  return [toAdded({ name: 'tensor-parallel-size', value: tensor, from: 'profile', reason: say('plan.spread', { count: tensor }) })];
}

/** The sampling of Qwen's model cards for answers without thoughts; the checkpoint's own numbers are for thinking. */
const plainSampling = { temperature: 0.7, top_p: 0.8, top_k: 20 };

function toThinking(profile: Profile): readonly Setting[] {
  const written = profile.vllm[merged];
  const given = typeof written === 'object' && !Array.isArray(written) ? written : {};
  if (profile.thinking === 'request') {
    return written === undefined
      ? []
      : [toOurs(profile, { name: merged, value: written, setting: `vllm.${merged}`, reason: say('plan.written') })];
  }
  const value = { ...given, enable_thinking: profile.thinking === 'on' };
  const setting = toOurs(profile, { name: merged, value, setting: 'thinking', reason: say('plan.written') });
  const samples = profile.thinking === 'off' && profile.model.source === 'hub' && !('override-generation-config' in profile.vllm);
  if (!samples) return [setting];
  return [
    setting,
    toAdded({ name: 'override-generation-config', value: plainSampling, from: 'model', reason: say('plan.plain-sampling') }),
  ];
}

function toStop(profile: Profile, { version, backend }: SettingsContext): readonly Setting[] {
  if (backend !== 'simulator' && compareVersions(version, '0.20') < 0) return [];
  const seconds = Math.ceil(profile.stop.drainMs / 1000);
  return [toOurs(profile, { name: 'shutdown-timeout', value: seconds, setting: 'stop.drain', reason: say('plan.default-drain') })];
}

function toLoadTracking(profile: Profile): readonly Setting[] {
  if ('enable-server-load-tracking' in profile.vllm) return [];
  return [toAdded({ name: 'enable-server-load-tracking', value: true, from: 'default', reason: say('plan.load-tracking') })];
}

function toCheckpoint(profile: Profile): readonly Setting[] {
  const { model, quantization } = profile;
  const optional = [
    { name: 'revision', value: model.revision, setting: 'model.revision' },
    { name: 'tokenizer', value: model.tokenizer, setting: 'model.tokenizer' },
    { name: 'quantization', value: quantization === 'auto' ? undefined : quantization, setting: 'quantization' },
  ];
  return optional.flatMap(({ name, value, setting }) =>
    value === undefined ? [] : [toOurs(profile, { name, value, setting, reason: say('plan.written') })],
  );
}
