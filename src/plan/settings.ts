/** vLLM's settings for one launch: what the profile says, and what we add, each with its reason. */
import { type Message, say } from '../core/message.ts';
import { compareVersions } from '../engine/version.ts';
import type { BackendName, Profile, SettingValue } from '../profile/profile.ts';
import { toDecision } from './decide.ts';
import type { Facts } from './facts.ts';
import type { Decision, DecisionOrigin } from './plan.ts';

export interface Setting {
  /** vLLM's long name without dashes in front. */
  readonly name: string;
  readonly value: SettingValue;
  readonly decision: Decision;
}

export interface SettingsContext {
  readonly facts: Facts;
  readonly backend: BackendName;
  readonly version: string;
}

/** Sorted by name, so that the same settings always make the same command line. */
export function planSettings(profile: Profile, context: SettingsContext): readonly Setting[] {
  const settings = [
    ...toServed(profile),
    ...toWritten(profile),
    ...toMemory(profile, context),
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
function toServed(profile: Profile): readonly Setting[] {
  const { server, servedNames } = profile;
  return [
    toOurs(profile, { name: 'host', value: server.host, setting: 'server.host', reason: say('plan.default-host') }),
    toOurs(profile, { name: 'port', value: server.port, setting: 'server.port', reason: say('plan.default-port') }),
    toOurs(profile, {
      name: 'served-model-name',
      value: servedNames,
      setting: 'served-names',
      from: 'model',
      reason: say('plan.default-names'),
    }),
  ];
}

function toWritten(profile: Profile): readonly Setting[] {
  return Object.entries(profile.vllm)
    .filter(([name]) => name !== merged)
    .map(([name, value]) => toOurs(profile, { name, value, setting: `vllm.${name}`, reason: say('plan.written') }));
}

/** vLLM's own default share changed between versions and means RAM on a CPU, so one of the two is always given. */
function toMemory(profile: Profile, { facts, backend }: SettingsContext): readonly Setting[] {
  if (backend === 'simulator' || 'gpu-memory-utilization' in profile.vllm || 'kv-cache-memory-bytes' in profile.vllm) return [];
  if (profile.engine.variant === 'gpu')
    return [toAdded({ name: 'gpu-memory-utilization', value: 0.85, from: 'default', reason: say('plan.default-share') })];
  const mebibyte = 2 ** 20;
  const room = Math.min(Math.floor(facts.memoryTotalBytes / 8 / mebibyte), 4096);
  return [toAdded({ name: 'kv-cache-memory-bytes', value: `${room}M`, from: 'machine', reason: say('plan.cpu-cache') })];
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

interface Ours {
  readonly name: string;
  readonly value: SettingValue;
  /** Its place in the profile. */
  readonly setting: string;
  /** Why, when it was not written there. */
  readonly reason: Message;
  readonly from?: DecisionOrigin;
}

function toOurs(profile: Profile, { name, value, setting, reason, from = 'default' }: Ours): Setting {
  return { name, value, decision: toDecision(profile, { setting, value, otherwise: { from, reason } }) };
}

function toAdded({
  name,
  value,
  from,
  reason,
}: {
  readonly name: string;
  readonly value: SettingValue;
  readonly from: DecisionOrigin;
  readonly reason: Message;
}): Setting {
  return { name, value, decision: { setting: `argv.${name}`, value, from, reason } };
}
