/** LoRA adapters as settings of vLLM: which, and how many of which size at a time. */
import { say } from '../core/message.ts';
import type { LoraAdapter, Profile } from '../profile/profile.ts';
import type { AdapterFact, Facts } from './facts.ts';
import { type Setting, toAdded, toOurs } from './setting.ts';

export function planLora(profile: Profile, { adapters = [] }: Facts): readonly Setting[] {
  const named = Object.entries(profile.lora);
  if (named.length === 0) return [];
  const value = named.map(([name, adapter]) => toModule(name, adapter));
  return [
    toOurs(profile, { name: 'lora-modules', value, setting: 'lora', reason: say('plan.written') }),
    ...toUnless(profile, toAdded({ name: 'enable-lora', value: true, from: 'profile', reason: say('plan.lora-needed') })),
    ...toUnless(profile, toSlots(named.length)),
    ...toRank(profile, adapters),
  ];
}

/** The parser takes a word with `=` and without a comma for NAME=PATH, and everything else for JSON. */
function toModule(name: string, { path, baseModel }: LoraAdapter): string {
  const isPlain = baseModel === undefined && !name.includes('=') && !`${name}${path}`.includes(',');
  if (isPlain) return `${name}=${path}`;
  return JSON.stringify({ name, path, ...(baseModel === undefined ? {} : { base_model_name: baseModel }) });
}

/** Each one costs GPU memory, whether it is used or not. */
const mostSlots = 4;

/** vLLM's default is one: requests to different adapters would wait for each other. */
function toSlots(count: number): Setting {
  const value = Math.min(count, mostSlots);
  return toAdded({ name: 'max-loras', value, from: 'default', reason: say('plan.lora-slots', { count }) });
}

/** What vLLM 0.24 to 0.33 accept; a smaller one than an adapter's own is refused minutes into the start. */
const ranks = [1, 8, 16, 32, 64, 128, 256, 320, 512];

function toRank(profile: Profile, adapters: readonly AdapterFact[]): readonly Setting[] {
  const largest = Math.max(0, ...adapters.map(({ rank }) => rank ?? 0));
  const value = ranks.find((rank) => rank >= largest);
  if (largest === 0 || value === undefined) return [];
  return toUnless(profile, toAdded({ name: 'max-lora-rank', value, from: 'model', reason: say('plan.lora-rank', { rank: largest }) }));
}

function toUnless({ vllm }: Profile, setting: Setting): readonly Setting[] {
  return setting.name in vllm ? [] : [setting];
}
