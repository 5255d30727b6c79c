/** Remedies that correct what was asked for. */
import type { Remedy } from '../../../core/finding.ts';
import { say } from '../../../core/message.ts';
import { toNearest } from '../../../core/nearest.ts';
import { checkHistory } from '../../flag-history.ts';
import type { FailureEvidence } from '../evidence.ts';
import { type RemedyFacts, type RemedyMaker, toNumber, toProfileKey, toRemedy } from './remedy.ts';

type SettingCause =
  | 'unknown_argument'
  | 'invalid_argument_value'
  | 'reasoning_or_tool_parser_invalid'
  | 'max_model_len_exceeds_model'
  | 'not_enough_gpus'
  | 'tensor_parallel_indivisible'
  | 'attention_backend_unsupported'
  | 'dtype_unsupported_gpu'
  | 'quantization_mismatch'
  | 'quantization_unsupported_gpu'
  | 'lora_failure'
  | 'port_in_use';

export const settingRemedies: Readonly<Record<SettingCause, RemedyMaker>> = {
  unknown_argument: toFlagRemedies,
  invalid_argument_value: toValueRemedies,
  reasoning_or_tool_parser_invalid: toParserRemedies,
  max_model_len_exceeds_model: toLengthRemedies,
  not_enough_gpus: ({ facts }) => [...splitInto(toPowerOfTwo(toNumber(facts['available']))), toRemedy(say('cure.gpus.more'))],
  tensor_parallel_indivisible: (known) => [...splitInto(toDivisor(known)), toRemedy(say('cure.parallel.one'))],
  attention_backend_unsupported: toAttentionRemedies,
  dtype_unsupported_gpu: () => [toRemedy(say('cure.dtype.half'), { 'vllm.dtype': 'half' })],
  quantization_mismatch: () => [toRemedy(say('cure.quantization.auto'), { quantization: 'auto' })],
  quantization_unsupported_gpu: () => [toRemedy(say('cure.quantization.format'))],
  lora_failure: toLoraRemedies,
  port_in_use: toPortRemedies,
};

/** The catalogue of its version tells what else could have been meant. */
function toFlagRemedies({ facts, settings, evidence }: RemedyFacts): readonly Remedy[] {
  const flag = facts['flag']?.replace(/[,;'"]+$/, '');
  if (flag === undefined) return [];
  if (!flag.startsWith('-')) return [...toSwitches(flag, settings), toRemedy(say('cure.flag.leave', { flag }))];
  const name = flag.replace(/^-+/, '').replaceAll('_', '-');
  const flags = evidence.flags ?? Object.keys(evidence.catalogue?.flags ?? {});
  const value = settings[name] ?? true;
  const successor = toSuccessor(name, value, evidence);
  // What became of it is known: what is spelled like it is something else.
  const [nearest] = flags.includes(name) || successor.length > 0 ? [] : toNearest(name, flags, 1);
  const renamed =
    nearest === undefined
      ? []
      : [toRemedy(say('cure.flag.nearest', { nearest: `--${nearest}`, flag }), { [`vllm.${name}`]: null, [toProfileKey(nearest)]: value })];
  const apart = flags.includes(name) ? [toRemedy(say('cure.flag.apart'))] : [];
  return [...successor, ...renamed, ...apart, toRemedy(say('cure.flag.leave', { flag }), { [`vllm.${name}`]: null })];
}

/** What does today what a flag did that its version does not know any more, or what came before it. */
function toSuccessor(name: string, value: unknown, { catalogue, history }: FailureEvidence): readonly Remedy[] {
  if (catalogue === undefined || history === undefined || !isSettingValue(value)) return [];
  const past = checkHistory({ key: name, name, tail: '', value }, { catalogue, history, version: catalogue.version });
  if (past === undefined) return [];
  const { message, hint, fix } = past;
  const set = fix && Object.fromEntries(Object.entries(fix).map(([path, one]) => [toOwnPath(path), one]));
  // Only to leave it out is offered anyway.
  const isMore = set !== undefined && Object.values(set).some((one) => one !== null);
  return [toRemedy(hint === undefined ? message : say('cure.flag.past', { message, hint }), isMore ? set : undefined)];
}

function isSettingValue(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/** The cure of a setting names it below `vllm`, also where it stands at the top of a profile. */
function toOwnPath(path: string): string {
  return path.startsWith('vllm.') && !path.includes('.', 5) ? toProfileKey(path.slice(5)) : path;
}

/** `--enable-x False`: switches take no word; where it came from, the settings tell. */
function toSwitches(word: string, settings: RemedyFacts['settings']): readonly Remedy[] {
  if (!/^(true|false)$/i.test(word)) return [];
  const value = word.toLowerCase() === 'true';
  const keys = Object.entries(settings).flatMap(([name, written]) => (written === word ? [toProfileKey(name)] : []));
  return keys.map((key) => toRemedy(say('cure.value.choice', { key, value: String(value) }), { [key]: value }));
}

function toValueRemedies({ facts, text, settings }: RemedyFacts): readonly Remedy[] {
  const name = facts['flag']?.split(/[/,]/)[0] ?? facts['setting'];
  if (/Errno 99|Cannot assign requested/i.test(text))
    return [toRemedy(say('cure.value.choice', { key: 'server.host', value: '127.0.0.1' }), { 'server.host': '127.0.0.1' })];
  if (/port must be/.test(text))
    return [toRemedy(say('cure.value.choice', { key: 'server.port', value: '8000' }), { 'server.port': 8000 })];
  if (/Unknown quantization method/.test(text)) return [toRemedy(say('cure.quantization.auto'), { quantization: 'auto' })];
  if (/No common block size/.test(text)) return [leaveOut('block-size')];
  if (/VLLM_PORT/.test(text)) return [leaveVariable('VLLM_PORT')];
  if (/max_num_batched_tokens \(/.test(text)) return [...raiseBatch(text), leaveOut('max-num-batched-tokens')];
  if (name === undefined) return [toRemedy(say('cure.value.any'))];
  const key = toProfileKey(name);
  const [nearest] = toNearest(facts['value'] ?? '', toChoices(facts['choices']), 1);
  const limit = toNumber(facts['limit']);
  return [
    ...(nearest === undefined ? [] : [toRemedy(say('cure.value.choice', { key, value: nearest }), { [key]: nearest })]),
    ...(limit === undefined
      ? []
      : [toRemedy(say('cure.value.limit', { key, limit, way: toWay(facts['way']) }), toLimitSet(key, limit, settings))]),
    key === 'quantization' || key === 'model'
      ? toRemedy(say('cure.value.correct', { key }), key === 'model' ? undefined : { quantization: 'auto' })
      : leaveOut(name),
  ];
}

function toWay(way: string | undefined) {
  return say(way === 'less' ? 'cure.value.way.less' : 'cure.value.way.more');
}

/** A share of exactly one is allowed and never free. */
function toLimitSet(key: string, limit: number, settings: Readonly<Record<string, unknown>>): Remedy['set'] {
  if (key !== 'vllm.gpu-memory-utilization') return { [key]: limit };
  const asked = toNumber(settings['gpu-memory-utilization']);
  // 85 was meant as a percentage.
  return { [key]: asked !== undefined && asked >= 5 && asked <= 95 ? asked / 100 : 0.9 };
}

function raiseBatch(text: string): readonly Remedy[] {
  const least = toNumber(/max_num_batched_tokens \(\d+\) \D{1,80}\((\d{1,9})\)/.exec(text)?.[1]);
  if (least === undefined) return [];
  return [
    toRemedy(say('cure.value.choice', { key: 'vllm.max-num-batched-tokens', value: String(least) }), {
      'vllm.max-num-batched-tokens': least,
    }),
  ];
}

function leaveOut(name: string): Remedy {
  const key = toProfileKey(name);
  return toRemedy(say('cure.value.leave', { key }), { [key]: null });
}

function leaveVariable(name: string): Remedy {
  return toRemedy(say('cure.value.leave', { key: `engine.env.${name}` }), { [`engine.env.${name}`]: null });
}

/** `'a', 'b'` of argparse, `a,b` of vLLM's own lists. */
function toChoices(list: string | undefined): readonly string[] {
  return (list ?? '').split(/[,\s]+/).flatMap((word) => /[\w.-]+/.exec(word)?.[0] ?? []);
}

function toParserRemedies({ facts, text }: RemedyFacts): readonly Remedy[] {
  const kind = /reasoning/i.test(facts['setting'] ?? text) ? 'reasoning-parser' : 'tool-call-parser';
  const choices = toChoices(facts['choices']);
  // What Qwen3 itself needs: its calls are in the way of Hermes, those of the coders are their own.
  const [best] = kind === 'reasoning-parser' ? ['qwen3'] : ['hermes'];
  const missing = facts['missing'] !== undefined && best !== undefined ? [best] : [];
  const isOfQwen = (facts['value'] ?? '').toLowerCase().startsWith('qwen');
  const own = isOfQwen && best !== undefined && choices.includes(best) ? [best] : [];
  const names = [...new Set([...missing, ...own, ...toNearest(facts['value'] ?? '', choices, 2)])].filter(
    (name) => name !== facts['value'],
  );
  const key = `vllm.${kind}`;
  const without = kind === 'tool-call-parser' ? { [key]: null, 'vllm.enable-auto-tool-choice': null } : { [key]: null };
  return [
    ...names.map((value) => toRemedy(say('cure.value.choice', { key, value }), { [key]: value })),
    ...(names.length === 0 ? [toRemedy(say('cure.parser.list'))] : []),
    toRemedy(say('cure.parser.none'), without),
  ];
}

function toLengthRemedies({ facts }: RemedyFacts): readonly Remedy[] {
  const length = toNumber(facts['derivedLen']);
  const shorter =
    length === undefined || length < 1
      ? toRemedy(say('cure.length.plain'), { 'vllm.max-model-len': null })
      : toRemedy(say('cure.length.model', { length }), { 'vllm.max-model-len': length });
  return [shorter, toRemedy(say('cure.length.yarn'))];
}

function splitInto(size: number | undefined): readonly Remedy[] {
  return size === undefined || size < 1 ? [] : [toRemedy(say('cure.parallel.size', { size }), { 'vllm.tensor-parallel-size': size })];
}

function toPowerOfTwo(most: number | undefined): number | undefined {
  return most === undefined || most < 1 ? undefined : 2 ** Math.floor(Math.log2(most));
}

/** The largest size below the one that was asked for that divides the heads, or half of it where they are not known. */
function toDivisor({ facts, settings }: RemedyFacts): number | undefined {
  const asked = toNumber(facts['size']) ?? toNumber(settings['tensor-parallel-size']);
  const heads = toNumber(facts['heads']);
  if (asked === undefined || asked < 2) return undefined;
  if (heads === undefined) return Math.floor(asked / 2);
  return Array.from({ length: asked - 1 }, (_, index) => asked - 1 - index).find((size) => heads % size === 0);
}

function toAttentionRemedies({ text, settings }: RemedyFacts): readonly Remedy[] {
  const forced = { 'vllm.attention-backend': null, 'engine.env.VLLM_ATTENTION_BACKEND': null };
  const isCache = /kv[_ -]?cache|fp8/i.test(text) || settings['kv-cache-dtype'] !== undefined;
  return [
    toRemedy(say('cure.attention.leave'), forced),
    ...(isCache ? [toRemedy(say('cure.attention.cache'), { 'vllm.kv-cache-dtype': 'auto' })] : []),
    ...(/Reason/.test(text) ? [toRemedy(say('cure.attention.reason'))] : []),
  ];
}

/** Sizes that vLLM has kernels for. */
const ranks = [8, 16, 32, 64, 128, 256, 320, 512];

function toLoraRemedies({ facts }: RemedyFacts): readonly Remedy[] {
  const wanted = toNumber(facts['rank']);
  const rank = wanted === undefined ? undefined : ranks.find((size) => size >= wanted);
  if (rank !== undefined) return [toRemedy(say('cure.lora.rank', { rank }), { 'vllm.max-lora-rank': rank })];
  const path = facts['path'];
  return path === undefined ? [toRemedy(say('cure.lora.fit'))] : [toRemedy(say('cure.lora.path', { path }))];
}

function toPortRemedies({ facts, settings, text }: RemedyFacts): readonly Remedy[] {
  // Between its own processes: such a port is chosen anew at each start.
  if (/Dist\w{1,20}Error|zmq|tcp:\/\//i.test(text)) return [toRemedy(say('cure.port.wait'), undefined, 'ss -ltnp')];
  const taken = toNumber(facts['port']) ?? toNumber(settings['port']) ?? 8000;
  const port = taken >= 65_535 ? 8000 : taken + 1;
  return [
    toRemedy(say('cure.port.other', { port }), { 'server.port': port }),
    toRemedy(say('cure.port.wait'), undefined, `ss -ltnp 'sport = :${taken}'`),
  ];
}
