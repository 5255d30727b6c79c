/** CUDA graphs, compilation and caches of prefixes. */
import { say } from '../../core/message.ts';
import type { Profile } from '../profile.ts';
import { isCpu, isOff, isOn, isWritten, toFieldPath, toFields, toWhole, toWritten } from './read.ts';
import type { ProfileRule, RuleHit } from './rule.ts';

const sizesSource = 'vllm/config/vllm.py _set_cudagraph_sizes, 0.24 to 0.32';

export const compileRules: readonly ProfileRule[] = [
  {
    code: 'profile/set-twice',
    severity: 'error',
    source: 'vllm/engine/arg_utils.py create_engine_config: mutually exclusive, 0.24 to 0.32',
    check: checkTwice,
  },
  { code: 'profile/graphs-largest', severity: 'error', source: sizesSource, check: checkLargest },
  { code: 'profile/graphs-zero', severity: 'error', source: sizesSource, check: checkZero },
  { code: 'profile/graphs-too-large', severity: 'warning', source: sizesSource, check: checkTooLarge },
  { code: 'profile/graphs-short', severity: 'info', source: sizesSource, check: checkShort },
  {
    code: 'profile/eager-idle',
    severity: 'warning',
    source: 'vllm/config/vllm.py: eager is mode none and cudagraph_mode none, 0.32',
    check: checkEager,
  },
  {
    code: 'profile/sleep-unreachable',
    severity: 'warning',
    source: 'docs/features/sleep_mode of vLLM: /sleep is there in developer mode only',
    check: checkSleep,
  },
  {
    code: 'profile/prefix-idle',
    severity: 'warning',
    source: 'vllm/config/cache.py, 0.32: of prefix caching only',
    check: checkPrefix,
  },
  {
    code: 'profile/mamba-block-alone',
    severity: 'error',
    source: 'vllm/config/vllm.py validate_mamba_block_size; asked of 0.32',
    check: checkMambaBlock,
  },
];

/** A flag, and the field of another setting that is the same. */
const same: readonly (readonly [string, string, string])[] = [
  ['cudagraph-capture-sizes', 'compilation-config', 'cudagraph_capture_sizes'],
  ['max-cudagraph-capture-size', 'compilation-config', 'max_cudagraph_capture_size'],
  ['attention-backend', 'attention-config', 'backend'],
  ['enable-flashinfer-autotune', 'kernel-config', 'enable_flashinfer_autotune'],
];

function checkTwice(profile: Profile): readonly RuleHit[] {
  const both = same.filter(([name, setting, field]) => isWritten(profile, name) && Object.hasOwn(toFields(profile, setting) ?? {}, field));
  return both.map(([name, setting, field]) => ({
    path: `vllm.${name}`,
    message: say('rule.set-twice', { name, setting, field }),
    hint: say('rule.set-twice.hint', { name }),
    fix: { [`vllm.${name}`]: null },
  }));
}

function toSizes({ vllm }: Profile): readonly number[] {
  const value = vllm['cudagraph-capture-sizes'];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((size) => typeof size === 'number');
}

/** Whether graphs are made at all; what a compilation config does to that is not followed. */
function hasGraphs(profile: Profile): boolean {
  const level = toWhole(profile, 'optimization-level');
  return !isCpu(profile) && !isOn(profile, 'enforce-eager') && level !== 0 && toFields(profile, 'compilation-config') === undefined;
}

/** Until then vLLM's own choice never is smaller. */
const leastBatch = 2048;

function toBatch(profile: Profile): number | undefined {
  return isWritten(profile, 'max-num-batched-tokens') ? toWhole(profile, 'max-num-batched-tokens') : leastBatch;
}

const largestName = 'max-cudagraph-capture-size';

function checkLargest(profile: Profile): readonly RuleHit[] {
  const largest = toWhole(profile, largestName);
  const batch = toBatch(profile);
  const sizes = toSizes(profile);
  if (!hasGraphs(profile) || largest === undefined || sizes.length === 0 || batch === undefined) return [];
  // What vLLM would choose for a large GPU is more than is known here.
  if (sizes.some((size) => size > batch)) return [];
  const most = Math.max(...sizes);
  if (largest === most) return [];
  const path = `vllm.${largestName}`;
  return [{ path, message: say('rule.graphs-largest', { largest, most }), hint: say('rule.leave-out'), fix: { [path]: null } }];
}

function checkZero(profile: Profile): readonly RuleHit[] {
  const path = `vllm.${largestName}`;
  if (!hasGraphs(profile) || toWhole(profile, largestName) !== 0) return [];
  const fix = { [path]: null, 'vllm.enforce-eager': true };
  return [{ path, message: say('rule.graphs-zero'), hint: say('rule.graphs-zero.hint'), fix }];
}

function checkTooLarge(profile: Profile): readonly RuleHit[] {
  const batch = toWhole(profile, 'max-num-batched-tokens');
  const wasted = batch === undefined ? [] : toSizes(profile).filter((size) => size > batch);
  if (!hasGraphs(profile) || batch === undefined || wasted.length === 0) return [];
  return [{ path: 'vllm.cudagraph-capture-sizes', message: say('rule.graphs-too-large', { sizes: wasted.join(', '), batch }) }];
}

function checkShort(profile: Profile): readonly RuleHit[] {
  const sizes = toSizes(profile);
  const largest = sizes.length > 0 ? Math.max(...sizes) : toWhole(profile, largestName);
  const sequences = toWhole(profile, 'max-num-seqs');
  if (!hasGraphs(profile) || !largest || sequences === undefined || largest >= sequences) return [];
  const path = `vllm.${sizes.length > 0 ? 'cudagraph-capture-sizes' : largestName}`;
  return [{ path, message: say('rule.graphs-short', { largest, sequences }) }];
}

function checkEager(profile: Profile): readonly RuleHit[] {
  if (!isOn(profile, 'enforce-eager') || isCpu(profile)) return [];
  const graphs = toWritten(profile, ['cudagraph-capture-sizes', largestName]).map((name) => `vllm.${name}`);
  const fields = toFields(profile, 'compilation-config') ?? {};
  const idle = ['mode', 'cudagraph_mode', 'cudagraph_capture_sizes', 'max_cudagraph_capture_size'];
  const inside = idle.filter((field) => Object.hasOwn(fields, field)).map((field) => toFieldPath(profile, 'compilation-config', field));
  return [...new Set([...graphs, ...inside])].map((path) => ({
    path,
    message: say('rule.eager-idle', { path }),
    hint: say('rule.eager-idle.hint'),
  }));
}

function checkSleep(profile: Profile): readonly RuleHit[] {
  const path = 'vllm.enable-sleep-mode';
  const developer = (profile.engine.env.VLLM_SERVER_DEV_MODE ?? '0') !== '0';
  if (!isOn(profile, 'enable-sleep-mode') || isCpu(profile) || developer) return [];
  return [{ path, message: say('rule.sleep-unreachable'), hint: say('rule.sleep-unreachable.hint') }];
}

const ofPrefixes = ['prefix-caching-hash-algo', 'prefix-cache-retention-interval', 'prefix-match-unit'];

function checkPrefix(profile: Profile): readonly RuleHit[] {
  if (!isOff(profile, 'enable-prefix-caching')) return [];
  return toWritten(profile, ofPrefixes).map((name) => ({
    path: `vllm.${name}`,
    message: say('rule.prefix-idle', { name }),
    hint: say('rule.leave-out'),
    fix: { [`vllm.${name}`]: null },
  }));
}

function checkMambaBlock(profile: Profile): readonly RuleHit[] {
  const path = 'vllm.mamba-block-size';
  if (!isWritten(profile, 'mamba-block-size') || !isOff(profile, 'enable-prefix-caching')) return [];
  return [{ path, message: say('rule.mamba-block-alone'), fix: { 'vllm.enable-prefix-caching': null } }];
}
