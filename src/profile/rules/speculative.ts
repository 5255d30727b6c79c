/** Tokens drafted by something fast and judged by the model. */
import { say } from '../../core/message.ts';
import { toModelFacts } from '../../model/catalogue.ts';
import { toParallel } from '../parallel.ts';
import type { Profile, SettingValue } from '../profile.ts';
import { type Fields, isOn, isWritten, toFieldFix, toFieldPath, toFields, toModel, toNumber, toWhole, toWord } from './read.ts';
import type { ProfileRule, RuleHit } from './rule.ts';

const verified = 'vllm/config/speculative.py; asked of 0.32';

export const speculativeRules: readonly ProfileRule[] = [
  { code: 'profile/draft-twice', severity: 'error', source: 'vllm/engine/arg_utils.py create_speculative_config', check: checkTwice },
  { code: 'profile/draft-count', severity: 'error', source: verified, check: checkCount },
  { code: 'profile/draft-source', severity: 'error', source: verified, check: checkSource },
  { code: 'profile/draft-window', severity: 'error', source: verified, check: checkWindow },
  { code: 'profile/draft-layers', severity: 'error', source: verified, check: checkLayers },
  { code: 'profile/draft-parallel', severity: 'error', source: verified, check: checkDraftParallel },
  { code: 'profile/draft-vocabulary', severity: 'error', source: verified, check: checkVocabulary },
  { code: 'profile/draft-async', severity: 'error', source: 'vllm/config/vllm.py; asked of 0.32', check: checkAsync },
  { code: 'profile/draft-package', severity: 'warning', source: verified, check: checkPackage },
  { code: 'profile/draft-metrics', severity: 'error', source: 'vllm/config/vllm.py; asked of 0.32', check: checkMetrics },
];

const setting = 'speculative-config';

/** The short flags stand for fields. */
const flags = { method: 'spec-method', model: 'spec-model', num_speculative_tokens: 'spec-tokens' } as const;

interface Draft {
  readonly fields: Fields;
  readonly method: string | undefined;
  readonly model: string | undefined;
  readonly tokens: number | undefined;
}

/** Fields may be written with dashes, too. Undefined: nothing is drafted. */
function toDraft(profile: Profile): Draft | undefined {
  const written = toFields(profile, setting);
  const short = Object.values(flags).some((name) => isWritten(profile, name));
  if (written === undefined && (!short || isWritten(profile, setting))) return undefined;
  const fields = Object.fromEntries(Object.entries(written ?? {}).map(([key, value]) => [key.replaceAll('-', '_'), value]));
  const model = toText(fields.model) ?? toWord(profile, flags.model);
  const named = toText(fields.method) ?? toWord(profile, flags.method);
  const method = named ?? (model === 'ngram' || model === '[ngram]' ? 'ngram' : undefined);
  const tokens = toNumber(fields.num_speculative_tokens) ?? toWhole(profile, flags.num_speculative_tokens);
  return { fields, method, model, tokens };
}

function toText(value: SettingValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The field, or the short flag that stands for it. */
function toPath(profile: Profile, field: string): string {
  const short = Object.hasOwn(flags, field) ? flags[field as keyof typeof flags] : undefined;
  return short !== undefined && isWritten(profile, short) ? `vllm.${short}` : toAnyPath(profile, field);
}

/** Of a draft that is made of short flags alone, the first of them. */
function toAnyPath(profile: Profile, field: string): string {
  const [first] = Object.values(flags).filter((name) => isWritten(profile, name));
  const whole = toFields(profile, setting) !== undefined;
  return !whole && first !== undefined ? `vllm.${first}` : toFieldPath(profile, setting, field);
}

function checkTwice(profile: Profile): readonly RuleHit[] {
  const fields = toFields(profile, setting) ?? {};
  return Object.entries(flags).flatMap(([field, name]) => {
    const both = isWritten(profile, name) && Object.hasOwn(fields, field);
    if (!both) return [];
    return [{ path: `vllm.${name}`, message: say('rule.draft-twice', { name, field }), fix: { [`vllm.${name}`]: null } }];
  });
}

/** The others may know their number from the draft's own configuration. */
const counted = ['ngram', 'ngram_gpu', 'draft_model'];

function checkCount(profile: Profile): readonly RuleHit[] {
  const draft = toDraft(profile);
  if (draft === undefined || draft.tokens !== undefined || !counted.includes(draft.method ?? '')) return [];
  const path = toPath(profile, 'method');
  const short = path.startsWith('vllm.spec-');
  const fix = short ? { 'vllm.spec-tokens': 4 } : toFieldFix(profile, setting, { num_speculative_tokens: 4 });
  return [{ path, message: say('rule.draft-count', { method: draft.method ?? '' }), hint: say('rule.draft-count.hint'), fix }];
}

const needingModel = ['draft_model', 'eagle', 'eagle3', 'medusa', 'mlp_speculator', 'dflash'];

function checkSource(profile: Profile): readonly RuleHit[] {
  const draft = toDraft(profile);
  if (draft === undefined || draft.model !== undefined || draft.tokens === undefined) return [];
  const { method } = draft;
  if (method !== undefined && !needingModel.includes(method)) return [];
  const message = method === undefined ? say('rule.draft-source') : say('rule.draft-source.method', { method });
  return [{ path: toPath(profile, 'method'), message, hint: say('rule.draft-source.hint') }];
}

function checkWindow(profile: Profile): readonly RuleHit[] {
  const draft = toDraft(profile);
  const least = toNumber(draft?.fields.prompt_lookup_min);
  const most = toNumber(draft?.fields.prompt_lookup_max);
  if (!draft?.method?.startsWith('ngram') || least === undefined || most === undefined || least <= most) return [];
  const path = toFieldPath(profile, setting, 'prompt_lookup_min');
  return [{ path, message: say('rule.draft-window', { least, most }), fix: toFieldFix(profile, setting, { prompt_lookup_min: most }) }];
}

function checkLayers(profile: Profile): readonly RuleHit[] {
  const draft = toDraft(profile);
  const model = toModel(profile);
  const asks = draft?.method === 'mtp' || draft?.method?.endsWith('_mtp');
  if (!asks || draft?.model !== undefined || model === undefined || model.draftLayers !== undefined) return [];
  return [{ path: toPath(profile, 'method'), message: say('rule.draft-layers', { model: model.id }), hint: say('rule.draft-layers.hint') }];
}

function checkDraftParallel(profile: Profile): readonly RuleHit[] {
  const draft = toDraft(profile);
  if (draft === undefined) return [];
  const old = draft.fields.tensor_parallel_size;
  if (old !== undefined) {
    const fix = toFieldFix(profile, setting, { tensor_parallel_size: null, draft_tensor_parallel_size: old });
    return [{ path: toFieldPath(profile, setting, 'tensor_parallel_size'), message: say('rule.draft-parallel.name'), fix }];
  }
  const size = toNumber(draft.fields.draft_tensor_parallel_size);
  const { tensor } = toParallel(profile);
  if (size === undefined || draft.method?.startsWith('ngram') || [1, tensor].includes(size)) return [];
  const fix = toFieldFix(profile, setting, { draft_tensor_parallel_size: 1 });
  return [
    { path: toFieldPath(profile, setting, 'draft_tensor_parallel_size'), message: say('rule.draft-parallel', { size, tensor }), fix },
  ];
}

function checkVocabulary(profile: Profile): readonly RuleHit[] {
  const draft = toDraft(profile);
  const model = toModel(profile);
  const small = draft?.model === undefined ? undefined : toModelFacts(draft.model);
  const isModel = draft?.method === undefined || draft.method === 'draft_model';
  if (!isModel || model === undefined || small === undefined || draft?.fields.use_heterogeneous_vocab === true) return [];
  if (small.vocabulary === model.vocabulary) return [];
  const message = say('rule.draft-vocabulary', { draft: small.id, has: small.vocabulary, model: model.id, wants: model.vocabulary });
  return [{ path: toPath(profile, 'model'), message, hint: say('rule.draft-vocabulary.hint') }];
}

const alone = ['ngram', 'suffix', 'medusa', 'mlp_speculator', 'custom_class'];

function checkAsync(profile: Profile): readonly RuleHit[] {
  const draft = toDraft(profile);
  const path = 'vllm.async-scheduling';
  if (draft === undefined || !isOn(profile, 'async-scheduling')) return [];
  if (!alone.includes(draft.method ?? '') && draft.fields.disable_padded_drafter_batch !== true) return [];
  return [{ path, message: say('rule.draft-async', { method: draft.method ?? '' }), hint: say('rule.leave-out'), fix: { [path]: null } }];
}

function checkPackage(profile: Profile): readonly RuleHit[] {
  if (toDraft(profile)?.method !== 'suffix') return [];
  return [{ path: toPath(profile, 'method'), message: say('rule.draft-package', { package: 'arctic-inference' }) }];
}

function checkMetrics(profile: Profile): readonly RuleHit[] {
  const name = 'per-request-spec-decode-metrics';
  const asked = toWord(profile, name);
  if (asked === undefined || asked === 'none' || toDraft(profile) || isWritten(profile, setting)) return [];
  return [
    { path: `vllm.${name}`, message: say('rule.draft-metrics', { name }), hint: say('rule.leave-out'), fix: { [`vllm.${name}`]: null } },
  ];
}
