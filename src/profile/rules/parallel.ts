/** One engine over several GPUs, or over several nodes of memory. */
import { say } from '../../core/message.ts';
import type { ModelFacts } from '../../model/catalogue.ts';
import { toParallel } from '../parallel.ts';
import type { Profile } from '../profile.ts';
import { isOn, isWritten, toModel, toWhole, toWord, toWritten } from './read.ts';
import type { ProfileRule, RuleHit } from './rule.ts';

const config = 'vllm/config/parallel.py, 0.32';

export const parallelRules: readonly ProfileRule[] = [
  {
    code: 'profile/heads-indivisible',
    severity: 'error',
    source: 'vllm/config/model.py verify_with_parallel_config; vllm/model_executor/models/qwen3.py for KV heads; 0.32',
    check: checkHeads,
  },
  {
    code: 'profile/shards-indivisible',
    severity: 'error',
    source: 'vllm/model_executor/layers/quantization/utils/fp8_utils.py validate_fp8_block_shape, 0.32',
    check: checkShards,
  },
  {
    code: 'profile/stages-above-layers',
    severity: 'warning',
    source: 'vllm/distributed/utils.py get_pp_indices, 0.32: a stage without layers',
    check: checkStages,
  },
  {
    code: 'profile/no-experts',
    severity: 'error',
    source: 'vllm/config/model.py _verify_with_expert_parallelism, 0.32',
    check: checkExperts,
  },
  { code: 'profile/balancing-alone', severity: 'error', source: config, check: checkBalancing },
  {
    code: 'profile/data-parallel-dense',
    severity: 'error',
    source: 'vllm/engine/arg_utils.py create_engine_config, 0.32',
    check: checkDense,
  },
  { code: 'profile/data-parallel-alone', severity: 'error', source: config, check: checkData },
  {
    code: 'profile/pipeline-executor',
    severity: 'error',
    source: 'vllm/engine/arg_utils.py _check_feature_supported, 0.32',
    check: checkExecutor,
  },
  {
    code: 'profile/context-parallel',
    severity: 'error',
    source: 'vllm/config/parallel.py and model.py verify_with_parallel_config, 0.32',
    check: checkContext,
  },
  { code: 'profile/numa-alone', severity: 'error', source: config, check: checkNuma },
  {
    code: 'profile/numa-twice',
    severity: 'info',
    source: 'vllm/utils/numa_utils.py configure_subprocess, 0.32: numactl for EngineCore and each worker',
    check: checkNumaTwice,
  },
  {
    code: 'profile/gpus-too-few',
    severity: 'error',
    source: 'vllm/config/parallel.py: world size larger than the number of GPUs, 0.32',
    check: checkTooFew,
  },
  { code: 'profile/gpus-idle', severity: 'warning', source: 'vLLM uses as many GPUs as its sizes multiply to', check: checkIdle },
  {
    code: 'profile/kv-heads-copied',
    severity: 'info',
    source: 'vllm/config/model.py get_num_kv_heads, 0.32',
    check: checkCopiedHeads,
  },
];

/** Sizes that a model can be shared out to, up to one. */
function toSizes({ heads, kvHeads }: ModelFacts, most: number): readonly number[] {
  const fits = (size: number) => heads % size === 0 && (kvHeads % size === 0 || size % kvHeads === 0);
  return Array.from({ length: Math.min(most, heads) }, (_, index) => index + 1).filter(fits);
}

/** Where the size stands: a number of GPUs stands for it where nobody wrote one. */
function toTensorPath(profile: Profile): string {
  return toParallel(profile).follows ? 'resources.gpus' : 'vllm.tensor-parallel-size';
}

function checkHeads(profile: Profile): readonly RuleHit[] {
  const model = toModel(profile);
  const { tensor, follows } = toParallel(profile);
  if (model === undefined || tensor === 1) return [];
  const sizes = toSizes(model, model.heads);
  if (sizes.includes(tensor)) return [];
  const { heads, kvHeads, id } = model;
  const most = sizes.findLast((size) => size < tensor) ?? 1;
  return [
    {
      path: toTensorPath(profile),
      message: say('rule.heads-indivisible', { tensor, heads, kvHeads, model: id }),
      hint: say('rule.sizes.hint', { sizes: sizes.join(', ') }),
      ...(follows ? {} : { fix: { 'vllm.tensor-parallel-size': most } }),
    },
  ];
}

/** FP8 of Qwen has one scale per 128 × 128 weights, which no GPU may have a part of. (Experts are cut finer since 0.24.) */
const block = 128;

function checkShards(profile: Profile): readonly RuleHit[] {
  const model = toModel(profile);
  const { tensor } = toParallel(profile);
  if (model?.method !== 'fp8' || model.mlpWidth === undefined || tensor === 1) return [];
  const { mlpWidth: width, id } = model;
  const fits = (size: number) => (width / size) % block === 0;
  const sizes = toSizes(model, model.heads);
  if (fits(tensor) || !sizes.includes(tensor)) return [];
  const good = sizes.filter(fits);
  return [
    {
      path: toTensorPath(profile),
      message: say('rule.shards-indivisible', { tensor, model: id, width, block }),
      hint: say('rule.sizes.hint', { sizes: good.join(', ') }),
    },
  ];
}

function checkStages(profile: Profile): readonly RuleHit[] {
  const model = toModel(profile);
  const { pipeline } = toParallel(profile);
  if (model === undefined || pipeline <= model.layers) return [];
  const path = 'vllm.pipeline-parallel-size';
  return [{ path, message: say('rule.stages-above-layers', { pipeline, layers: model.layers, model: model.id }) }];
}

function checkExperts(profile: Profile): readonly RuleHit[] {
  const model = toModel(profile);
  if (!isOn(profile, 'enable-expert-parallel') || model === undefined || model.experts !== undefined) return [];
  const path = 'vllm.enable-expert-parallel';
  return [{ path, message: say('rule.no-experts', { model: model.id }), hint: say('rule.leave-out'), fix: { [path]: null } }];
}

function checkBalancing(profile: Profile): readonly RuleHit[] {
  const path = 'vllm.enable-eplb';
  if (!isOn(profile, 'enable-eplb')) return [];
  const { tensor, data } = toParallel(profile);
  const spread = tensor * data * (toWhole(profile, 'prefill-context-parallel-size') ?? 1);
  if (profile.engine.variant === 'gpu' && isOn(profile, 'enable-expert-parallel') && spread > 1) return [];
  return [{ path, message: say('rule.balancing-alone'), hint: say('rule.leave-out'), fix: { [path]: null } }];
}

const external = ['data-parallel-external-lb', 'data-parallel-rank'] as const;

function checkDense(profile: Profile): readonly RuleHit[] {
  const model = toModel(profile);
  const [name] = toWritten(profile, external).filter((one) => profile.vllm[one] !== false);
  if (name === undefined || model === undefined || model.experts !== undefined || toParallel(profile).data === 1) return [];
  const message = say('rule.data-parallel-dense', { name, model: model.id });
  return [{ path: `vllm.${name}`, message, hint: say('rule.data-parallel-dense.hint') }];
}

function checkData(profile: Profile): readonly RuleHit[] {
  const { data } = toParallel(profile);
  const local = toWhole(profile, 'data-parallel-size-local');
  const few = local !== undefined && local > data;
  const alone = toWritten(profile, external).filter((name) => profile.vllm[name] !== false && data === 1);
  return [
    ...(few ? [{ path: 'vllm.data-parallel-size-local', message: say('rule.data-parallel-local', { local, data }) }] : []),
    ...alone.map((name) => ({
      path: `vllm.${name}`,
      message: say('rule.data-parallel-alone', { name }),
      hint: say('rule.leave-out'),
      fix: Object.fromEntries(alone.map((one) => [`vllm.${one}`, null])),
    })),
  ];
}

function checkExecutor(profile: Profile): readonly RuleHit[] {
  const name = 'distributed-executor-backend';
  if (toWord(profile, name) !== 'uni' || toParallel(profile).pipeline === 1) return [];
  const path = `vllm.${name}`;
  return [{ path, message: say('rule.pipeline-executor'), fix: { [path]: 'mp' } }];
}

function checkContext(profile: Profile): readonly RuleHit[] {
  const name = 'decode-context-parallel-size';
  const size = toWhole(profile, name);
  // With prefill context parallel the rule is another one.
  if (size === undefined || size <= 1 || isWritten(profile, 'prefill-context-parallel-size')) return [];
  const { tensor } = toParallel(profile);
  const fix = { [`vllm.${name}`]: null };
  if (tensor % size !== 0) return [{ path: `vllm.${name}`, message: say('rule.context-parallel', { size, tensor }), fix }];
  const model = toModel(profile);
  if (model === undefined) return [];
  const { heads, kvHeads, id } = model;
  const most = Math.floor(tensor / kvHeads);
  if (tensor > kvHeads && size <= most && (heads / kvHeads) % size === 0) return [];
  return [{ path: `vllm.${name}`, message: say('rule.context-parallel.heads', { size, tensor, kvHeads, model: id }), fix }];
}

function checkNuma(profile: Profile): readonly RuleHit[] {
  if (isOn(profile, 'numa-bind')) return [];
  return toWritten(profile, ['numa-bind-nodes', 'numa-bind-cpus']).map((name) => ({
    path: `vllm.${name}`,
    message: say('rule.numa-alone', { name }),
    fix: { 'vllm.numa-bind': true },
  }));
}

function checkNumaTwice(profile: Profile): readonly RuleHit[] {
  if (!isOn(profile, 'numa-bind') || profile.resources.cpus !== 'auto') return [];
  return [{ path: 'resources.cpus', message: say('rule.numa-twice'), hint: say('rule.numa-twice.hint'), fix: { 'resources.cpus': 'all' } }];
}

/** As many as the profile gives to one engine; undefined where it does not say. */
function toGiven({ resources, replicas }: Profile): number | undefined {
  if (typeof resources.gpus === 'number') return resources.gpus;
  return typeof resources.gpus === 'object' && replicas === 1 ? resources.gpus.length : undefined;
}

function checkTooFew(profile: Profile): readonly RuleHit[] {
  const given = toGiven(profile);
  const { gpus } = toParallel(profile);
  const elsewhere = toWord(profile, 'distributed-executor-backend') === 'ray' || (toWhole(profile, 'nnodes') ?? 1) > 1;
  if (given === undefined || given >= gpus || elsewhere) return [];
  return [{ path: 'resources.gpus', message: say('rule.gpus-too-few', { given, gpus }), hint: say('rule.gpus-too-few.hint', { given }) }];
}

function checkIdle(profile: Profile): readonly RuleHit[] {
  const given = toGiven(profile);
  const { gpus } = toParallel(profile);
  if (given === undefined || given <= gpus) return [];
  return [{ path: 'resources.gpus', message: say('rule.gpus-idle', { given, gpus }), hint: say('rule.gpus-idle.hint', { given }) }];
}

function checkCopiedHeads(profile: Profile): readonly RuleHit[] {
  const model = toModel(profile);
  const { tensor } = toParallel(profile);
  if (model === undefined || tensor <= model.kvHeads || !toSizes(model, model.heads).includes(tensor)) return [];
  const { kvHeads, id } = model;
  return [{ path: toTensorPath(profile), message: say('rule.kv-heads-copied', { tensor, kvHeads, model: id }) }];
}
