/** How long a text may be, and how it is stretched. */
import { say } from '../../core/message.ts';
import type { ModelFacts } from '../../model/catalogue.ts';
import type { Profile } from '../profile.ts';
import { type Fields, isSince, isWritten, toField, toFieldFix, toFieldPath, toFields, toModel, toNumber, toWhole } from './read.ts';
import type { ProfileRule, RuleHit } from './rule.ts';

const lengths = 'vllm/config/model.py _get_and_verify_max_len, 0.24 to 0.32 (vllm#56446 changed YaRN in 0.30)';

export const contextRules: readonly ProfileRule[] = [
  { code: 'profile/length-beyond-model', severity: 'error', source: lengths, check: checkLength },
  {
    code: 'profile/yarn-too-short',
    severity: 'error',
    source: 'vllm/model_executor/layers/rotary_embedding/yarn_scaling_rope.py: the table ends at original × factor, 0.32',
    check: checkYarnReach,
  },
  {
    code: 'profile/rope-base-lost',
    severity: 'error',
    source: 'vllm/config/model.py _apply_dict_overrides replaces the map; get_rope then takes 10000 for rope_theta; asked of 0.32',
    check: checkRopeBase,
  },
  {
    code: 'profile/yarn-needless',
    severity: 'warning',
    source: "Qwen3 model cards: static YaRN hurts short texts; use it only for what exceeds the model's length",
    check: checkYarnNeed,
  },
  {
    code: 'profile/length-untrained',
    severity: 'warning',
    source: 'vllm/config/model.py _get_and_verify_max_len: positions beyond lead to nan, 0.32',
    check: checkForced,
  },
];

const overrides = 'hf-overrides';

interface Rope {
  readonly type: string;
  readonly factor?: number;
  readonly original?: number;
}

/** `rope_parameters`; vLLM for transformers 4 called it `rope_scaling`. */
function toRope(fields: Fields | undefined): Rope | undefined {
  const rope = toField(fields, 'rope_parameters') ?? toField(fields, 'rope_scaling');
  const type = rope?.rope_type ?? rope?.type;
  if (typeof type !== 'string') return undefined;
  const factor = toNumber(rope?.factor);
  const original = toNumber(rope?.original_max_position_embeddings);
  return { type, ...(factor === undefined ? {} : { factor }), ...(original === undefined ? {} : { original }) };
}

/** What vLLM holds for the model's length after the overrides; undefined where that is not to be known from here. */
function toDerived(profile: Profile): number | undefined {
  const model = toModel(profile);
  if (model === undefined) return undefined;
  const fields = toFields(profile, overrides);
  if (fields === undefined) return isWritten(profile, overrides) ? undefined : model.maxPositions;
  // Models with vision keep these numbers one level deeper; what an override changes there is not followed.
  if ('text_config' in fields) return undefined;
  const positions = toNumber(fields.max_position_embeddings) ?? model.maxPositions;
  const rope = toRope(fields);
  if (rope === undefined) return 'rope_parameters' in fields || 'rope_scaling' in fields ? undefined : positions;
  if (rope.type === 'default') return positions;
  if (rope.type !== 'yarn') return undefined;
  if (isSince(profile, '0.30')) return positions;
  return rope.factor === undefined || rope.original === undefined ? undefined : rope.factor * rope.original;
}

function checkLength(profile: Profile): readonly RuleHit[] {
  const length = toWhole(profile, 'max-model-len');
  const most = toDerived(profile);
  if (length === undefined || most === undefined || length <= most || isForced(profile)) return [];
  const { factor, original } = toRope(toFields(profile, overrides)) ?? {};
  const reach = factor === undefined || original === undefined ? 0 : factor * original;
  // From 0.30 on YaRN alone lengthens nothing: the number of positions has to be said, too.
  if (reach >= length) {
    return [
      {
        path: 'vllm.max-model-len',
        message: say('rule.length-yarn-alone', { length, most }),
        hint: say('rule.length-yarn-alone.hint', { reach }),
        fix: toFieldFix(profile, overrides, { max_position_embeddings: reach }),
      },
    ];
  }
  const model = toModel(profile);
  const yarn = model?.yarn;
  const hint =
    model && yarn && length <= yarn.factor * yarn.original
      ? say('rule.length-beyond-model.yarn', { positions: yarn.factor * yarn.original, setting: toYarnText(model) })
      : say('rule.length-beyond-model.hint', { most });
  return [
    {
      path: 'vllm.max-model-len',
      message: say('rule.length-beyond-model', { length, most, model: profile.model.id }),
      hint,
      fix: { 'vllm.max-model-len': most },
    },
  ];
}

/** As it is to be written; right for every version, though only 0.30 and newer need the first number. */
function toYarnText({ yarn, ropeTheta }: ModelFacts): string {
  const { factor, original } = yarn ?? { factor: 1, original: 0 };
  const rope = `{rope_type: yarn, factor: ${factor.toFixed(1)}, original_max_position_embeddings: ${original}, rope_theta: ${ropeTheta}}`;
  return `hf-overrides: {max_position_embeddings: ${factor * original}, rope_parameters: ${rope}}`;
}

/** vLLM lets it pass, and then reads behind the end of the table of angles. */
function checkYarnReach(profile: Profile): readonly RuleHit[] {
  const length = toWhole(profile, 'max-model-len');
  const { type, factor, original } = toRope(toFields(profile, overrides)) ?? {};
  if (type !== 'yarn' || length === undefined || factor === undefined || original === undefined) return [];
  const reach = factor * original;
  // Before 0.30 vLLM refuses it by itself; length-beyond-model says so.
  if (length <= reach || (!isSince(profile, '0.30') && toDerived(profile) !== undefined)) return [];
  const derived = toDerived(profile);
  if (derived !== undefined && length > derived) return [];
  return [
    {
      path: 'vllm.max-model-len',
      message: say('rule.yarn-too-short', { length, factor, original, reach }),
      hint: say('rule.yarn-too-short.hint', { needed: Math.ceil((length / original) * 4) / 4 }),
    },
  ];
}

/** What the implementation of the dense models of 2025 puts in its place. */
const ownBase = { architecture: 'Qwen3ForCausalLM', theta: 1_000_000 };

/** The map of the override stands in place of the checkpoint's, so what it does not repeat is gone. */
function checkRopeBase(profile: Profile): readonly RuleHit[] {
  const model = toModel(profile);
  const fields = toFields(profile, overrides);
  const key = toField(fields, 'rope_parameters') ? 'rope_parameters' : 'rope_scaling';
  const rope = toField(fields, key);
  if (model === undefined || rope === undefined || 'rope_theta' in rope) return [];
  // Models with vision keep these numbers one level deeper, out of reach.
  if (model.architecture.endsWith('ForConditionalGeneration')) return [];
  const { architecture, ropeTheta: theta } = model;
  if (architecture === ownBase.architecture && theta === ownBase.theta) return [];
  const whole = isWritten(profile, overrides);
  return [
    {
      path: toFieldPath(profile, overrides, key),
      message: say('rule.rope-base-lost', { key, model: model.id }),
      hint: say('rule.rope-base-lost.hint', { theta }),
      fix: whole ? toFieldFix(profile, overrides, { [key]: { rope_theta: theta } }) : { [`vllm.${overrides}.${key}.rope_theta`]: theta },
    },
  ];
}

function checkYarnNeed(profile: Profile): readonly RuleHit[] {
  const model = toModel(profile);
  const fields = toFields(profile, overrides);
  if (model === undefined || toRope(fields)?.type !== 'yarn') return [];
  const length = toWhole(profile, 'max-model-len');
  const longest = length !== undefined && length > 0 ? length : toDerived(profile);
  if (longest === undefined || longest > model.maxPositions) return [];
  const key = toField(fields, 'rope_parameters') ? 'rope_parameters' : 'rope_scaling';
  return [
    {
      path: toFieldPath(profile, overrides, key),
      message: say('rule.yarn-needless', { length: longest, model: model.id, most: model.maxPositions }),
      hint: say('rule.leave-out'),
    },
  ];
}

function isForced({ engine }: Profile): boolean {
  return ['1', 'true'].includes((engine.env.VLLM_ALLOW_LONG_MAX_MODEL_LEN ?? '').toLowerCase());
}

function checkForced(profile: Profile): readonly RuleHit[] {
  const model = toModel(profile);
  const length = toWhole(profile, 'max-model-len');
  const fields = toFields(profile, overrides);
  if (model === undefined || length === undefined || length <= model.maxPositions || toRope(fields)) return [];
  const positions = toNumber(fields?.max_position_embeddings) ?? model.maxPositions;
  if (!isForced(profile) && length > positions) return [];
  return [
    {
      path: 'vllm.max-model-len',
      message: say('rule.length-untrained', { length, model: model.id, most: model.maxPositions }),
      hint: model.yarn
        ? say('rule.length-untrained.yarn', { setting: toYarnText(model) })
        : say('rule.length-beyond-model.hint', { most: model.maxPositions }),
    },
  ];
}
