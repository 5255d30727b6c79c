/** How much is worked on at a time. */
import { say } from '../../core/message.ts';
import { toParallel } from '../parallel.ts';
import type { Profile } from '../profile.ts';
import { isCpu, isOff, isWritten, toLength, toWhole, toWord } from './read.ts';
import type { ProfileRule, RuleHit } from './rule.ts';

const verified = 'vllm/config/scheduler.py verify_max_model_len, 0.24 to 0.32';

export const schedulerRules: readonly ProfileRule[] = [
  { code: 'profile/batch-below-length', severity: 'error', source: verified, check: checkBatchAndLength },
  { code: 'profile/batch-below-sequences', severity: 'error', source: verified, check: checkBatchAndSequences },
  { code: 'profile/active-above-sequences', severity: 'error', source: `${verified} (since 0.31)`, check: checkActive },
  { code: 'profile/threshold-above-length', severity: 'error', source: verified, check: checkThreshold },
  { code: 'profile/batch-too-large', severity: 'warning', source: verified, check: checkBatchSize },
  {
    code: 'profile/chunked-prefill-off',
    severity: 'warning',
    source: 'vllm/engine/arg_utils.py _set_default_chunked_prefill_and_prefix_caching_args, 0.32',
    check: checkChunkedPrefill,
  },
  { code: 'profile/queue-closed', severity: 'error', source: 'vllm/v1/engine/async_llm.py check_admission, 0.32', check: checkClosedQueue },
  {
    code: 'profile/queue-below-sequences',
    severity: 'warning',
    source: 'vllm/v1/engine/async_llm.py check_admission, 0.32: running requests count too',
    check: checkQueue,
  },
];

const batch = 'max-num-batched-tokens';
const sequences = 'max-num-seqs';

/**
 * The most that vLLM may choose for itself, whatever the GPU: what is too little even then is always too little
 * (get_batch_defaults in vllm/engine/arg_utils.py, 0.32).
 */
export function toMostBatch(profile: Profile): number {
  const { tensor, pipeline } = toParallel(profile);
  const doubled = toWord(profile, 'performance-mode') === 'throughput' ? 2 : 1;
  return doubled * (isCpu(profile) ? 2048 * tensor * pipeline : 16_384);
}

function checkBatchAndLength(profile: Profile): readonly RuleHit[] {
  const tokens = toWhole(profile, batch);
  const length = toLength(profile);
  if (!isOff(profile, 'enable-chunked-prefill') || tokens === undefined || length === undefined || tokens >= length) return [];
  return [
    {
      path: `vllm.${batch}`,
      message: say('rule.batch-below-length', { tokens, length }),
      hint: say('rule.batch-below-length.hint', { length }),
      fix: { 'vllm.enable-chunked-prefill': null },
    },
  ];
}

/** Without chunked prefill vLLM raises its own choice to the length of a request. */
function checkBatchAndSequences(profile: Profile): readonly RuleHit[] {
  const asked = toWhole(profile, sequences);
  if (asked === undefined) return [];
  const written = toWhole(profile, batch);
  if (written === undefined && (isWritten(profile, batch) || isOff(profile, 'enable-chunked-prefill'))) return [];
  const tokens = written ?? toMostBatch(profile);
  if (tokens >= asked) return [];
  return [
    {
      path: `vllm.${written === undefined ? sequences : batch}`,
      message:
        written === undefined
          ? say('rule.batch-below-sequences.default', { tokens, sequences: asked })
          : say('rule.batch-below-sequences', { tokens, sequences: asked }),
      hint: say('rule.batch-below-sequences.hint', { sequences: asked }),
      fix: { [`vllm.${batch}`]: asked },
    },
  ];
}

function checkActive(profile: Profile): readonly RuleHit[] {
  const active = toWhole(profile, 'max-num-active-seqs');
  const most = toWhole(profile, sequences);
  if (active === undefined || most === undefined || active <= most) return [];
  const path = 'vllm.max-num-active-seqs';
  return [{ path, message: say('rule.active-above-sequences', { active, most }), fix: { [path]: most } }];
}

function checkThreshold(profile: Profile): readonly RuleHit[] {
  const threshold = toWhole(profile, 'long-prefill-token-threshold');
  const length = toLength(profile);
  if (threshold === undefined || length === undefined || threshold <= length) return [];
  const path = 'vllm.long-prefill-token-threshold';
  return [{ path, message: say('rule.threshold-above-length', { threshold, length }), fix: { [path]: null } }];
}

function checkBatchSize(profile: Profile): readonly RuleHit[] {
  const tokens = toWhole(profile, batch);
  const most = toWhole(profile, sequences);
  const length = toLength(profile);
  if (tokens === undefined || most === undefined || length === undefined || tokens <= most * length) return [];
  return [{ path: `vllm.${batch}`, message: say('rule.batch-too-large', { tokens, usable: most * length }) }];
}

function checkChunkedPrefill(profile: Profile): readonly RuleHit[] {
  if (!isOff(profile, 'enable-chunked-prefill') || toWord(profile, 'runner') === 'pooling') return [];
  const path = 'vllm.enable-chunked-prefill';
  return [{ path, message: say('rule.chunked-prefill-off'), hint: say('rule.leave-out'), fix: { [path]: null } }];
}

function checkClosedQueue(profile: Profile): readonly RuleHit[] {
  return ['max-num-queued-reqs', 'max-num-queued-tokens']
    .filter((name) => toWhole(profile, name) === 0)
    .map((name) => ({ path: `vllm.${name}`, message: say('rule.queue-closed', { name }), fix: { [`vllm.${name}`]: null } }));
}

function checkQueue(profile: Profile): readonly RuleHit[] {
  const queue = toWhole(profile, 'max-num-queued-reqs');
  const most = toWhole(profile, sequences);
  if (!queue || most === undefined || queue >= most) return [];
  return [{ path: 'vllm.max-num-queued-reqs', message: say('rule.queue-below-sequences', { queue, most }) }];
}
