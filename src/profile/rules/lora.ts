/** Adapters: those of `lora`, and vLLM's own settings for them. */
import { say } from '../../core/message.ts';
import type { Profile } from '../profile.ts';
import { isOff, isOn, isWritten, toFields, toNumber, toWhole, toWritten } from './read.ts';
import type { ProfileRule, RuleHit } from './rule.ts';
import { toMostBatch } from './scheduler.ts';

export const loraRules: readonly ProfileRule[] = [
  {
    code: 'profile/lora-off',
    severity: 'error',
    source: 'vllm/v1/worker/lora_model_runner_mixin.py: LoRA is not enabled; at the end of the start, 0.32',
    check: checkOff,
  },
  { code: 'profile/lora-slots', severity: 'error', source: 'vllm/config/lora.py _validate_lora_config, 0.24 to 0.32', check: checkSlots },
  {
    code: 'profile/lora-idle',
    severity: 'warning',
    source: 'vllm/engine/arg_utils.py: no LoRAConfig without --enable-lora, 0.32',
    check: checkIdle,
  },
  {
    code: 'profile/lora-name',
    severity: 'error',
    source: 'vllm/entrypoints/openai/models/serving.py _check_load_lora_adapter_request, 0.32 (vllm#59286)',
    check: checkNames,
  },
  {
    code: 'profile/lora-drafts',
    severity: 'error',
    source: 'vllm/engine/arg_utils.py create_engine_config: Consider increasing max_num_batched_tokens, 0.32',
    check: checkDrafts,
  },
];

function hasAdapters({ lora }: Profile): boolean {
  return Object.keys(lora).length > 0;
}

/** `lora` switches it on by itself. */
function checkOff(profile: Profile): readonly RuleHit[] {
  const path = 'vllm.enable-lora';
  if (!hasAdapters(profile) || !isOff(profile, 'enable-lora')) return [];
  return [{ path, message: say('rule.lora-off'), hint: say('rule.lora-off.hint'), fix: { [path]: null } }];
}

/** As plan/lora.ts has it. */
const mostSlots = 4;

function checkSlots(profile: Profile): readonly RuleHit[] {
  const held = toWhole(profile, 'max-cpu-loras');
  const enabled = hasAdapters(profile) || isOn(profile, 'enable-lora');
  const count = Math.min(Object.keys(profile.lora).length, mostSlots);
  const slots = toWhole(profile, 'max-loras') ?? Math.max(count, 1);
  // vLLM takes 0 for not given.
  if (!enabled || held === undefined || held <= 0 || held >= slots) return [];
  const path = 'vllm.max-cpu-loras';
  return [{ path, message: say('rule.lora-slots', { held, slots }), fix: { [path]: slots } }];
}

const settings = ['max-loras', 'max-lora-rank', 'max-cpu-loras', 'lora-dtype', 'fully-sharded-loras', 'lora-target-modules'];

function checkIdle(profile: Profile): readonly RuleHit[] {
  if (hasAdapters(profile) || isOn(profile, 'enable-lora')) return [];
  return toWritten(profile, settings).map((name) => ({
    path: `vllm.${name}`,
    message: say('rule.lora-idle', { name }),
    hint: say('rule.lora-idle.hint'),
  }));
}

function checkNames({ lora, servedNames }: Profile): readonly RuleHit[] {
  const taken = Object.keys(lora).filter((name) => servedNames.includes(name));
  return taken.map((name) => ({ path: `lora.${name}`, message: say('rule.lora-name', { name }), hint: say('rule.lora-name.hint') }));
}

function checkDrafts(profile: Profile): readonly RuleHit[] {
  const drafts = toNumber(toFields(profile, 'speculative-config')?.num_speculative_tokens) ?? toWhole(profile, 'spec-tokens');
  const sequences = toWhole(profile, 'max-num-seqs');
  if (drafts === undefined || sequences === undefined || !(hasAdapters(profile) || isOn(profile, 'enable-lora'))) return [];
  const tokens = toWhole(profile, 'max-num-batched-tokens') ?? toMostBatch(profile);
  const need = sequences * (drafts + 1);
  if (tokens >= need) return [];
  const batch = 'max-num-batched-tokens';
  const path = `vllm.${isWritten(profile, batch) ? batch : 'max-num-seqs'}`;
  return [{ path, message: say('rule.lora-drafts', { sequences, drafts, need, tokens }), fix: { [`vllm.${batch}`]: need } }];
}
