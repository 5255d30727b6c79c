/** Settings and the machine without its GPUs: memory, and what lies on the disk. */
import { say } from '../../core/message.ts';
import { toSizeText } from '../../core/units.ts';
import type { Profile } from '../../profile/profile.ts';
import { isCpu, toModel, toWhole } from '../../profile/rules/read.ts';
import type { RuleHit } from '../../profile/rules/rule.ts';
import type { Facts } from '../facts.ts';
import type { PlanRule } from './rule.ts';

export const hostRules: readonly PlanRule[] = [
  {
    code: 'plan/cache-above-memory',
    severity: 'error',
    source: 'vllm/v1/worker/cpu_worker.py: less than requested memory for kv; measured with 0.32',
    facts: 'host',
    check: checkMemory,
  },
  {
    code: 'plan/offline',
    severity: 'error',
    source: 'huggingface_hub: LocalEntryNotFoundError; measured with 0.32',
    facts: 'host',
    check: checkOffline,
  },
  {
    code: 'plan/adapter-rank',
    severity: 'error',
    source: 'vllm/lora/peft_helper.py validate_legal: LoRA rank is greater than max_lora_rank, 0.32',
    facts: 'host',
    check: checkRanks,
  },
];

/** On a CPU both lie in the machine's memory. */
function checkMemory(profile: Profile, { memoryTotalBytes }: Facts): readonly RuleHit[] {
  const cache = toWhole(profile, 'kv-cache-memory-bytes');
  if (!isCpu(profile) || cache === undefined) return [];
  const loaded = profile.vllm['load-format'] === 'dummy' ? 0 : (toModel(profile)?.weightsBytes ?? 0);
  if (cache + loaded <= memoryTotalBytes) return [];
  const sizes = { cache: toSizeText(cache), need: toSizeText(cache + loaded), have: toSizeText(memoryTotalBytes) };
  const path = 'vllm.kv-cache-memory-bytes';
  return [{ path, message: say('rule.cache-above-memory', sizes), hint: say('rule.cache-above-memory.hint') }];
}

const offline = ['HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE'];

function checkOffline({ engine, model }: Profile, facts: Facts): readonly RuleHit[] {
  if (facts.model.is !== 'hub' || facts.model.cached) return [];
  const name = offline.find((one) => ['1', 'ON', 'YES', 'TRUE'].includes((engine.env[one] ?? '').toUpperCase()));
  if (name === undefined) return [];
  const path = `engine.env.${name}`;
  return [{ path, message: say('rule.offline', { name, model: model.id }), hint: say('rule.offline.hint'), fix: { [path]: null } }];
}

function checkRanks(profile: Profile, { adapters = [] }: Facts): readonly RuleHit[] {
  const most = toWhole(profile, 'max-lora-rank');
  if (most === undefined) return [];
  const path = 'vllm.max-lora-rank';
  return adapters.flatMap(({ name, rank }) => {
    if (rank === undefined || rank <= most) return [];
    const message = say('rule.adapter-rank', { name, rank, most });
    return [{ path, message, hint: say('rule.adapter-rank.hint'), fix: { [path]: null } }];
  });
}
