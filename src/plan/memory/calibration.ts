/** What real starts reported, one file each, and to which plans it applies. Pure; `plan/facts.ts` reads, `operate` writes. */
import { join } from 'node:path';
import { toFnv1a } from '../../core/fnv.ts';
import type { Places } from '../../host/environment.ts';
import { toParallel } from '../../profile/parallel.ts';
import type { Profile } from '../../profile/profile.ts';

/** Bytes, of one GPU. */
export interface Calibration {
  /** Everything that moves the numbers, as one text (`toCalibrationKey`). */
  readonly key: string;
  /** ISO 8601 UTC. */
  readonly at: string;
  /** As CUDA saw it, and the engine's share of it. */
  readonly totalBytes: number;
  readonly budgetBytes: number;
  readonly weightsBytes: number;
  /** The GPU's with the least. */
  readonly kvBytes: number;
  /** What was put aside for CUDA graphs, else what they took. */
  readonly graphBytes?: number;
  /** Without graphs. */
  readonly activationBytes?: number;
}

export interface CalibrationOrigin {
  /** Name of the GPU. */
  readonly gpu: string;
  readonly version: string;
}

/**
 * GPU, model, quantization, version, how many GPUs, and the settings that change what is taken. Neither the share nor
 * the length of a request is among them: those the formula puts in.
 */
export function toCalibrationKey(profile: Profile, { gpu, version }: CalibrationOrigin): string {
  const { model, quantization, vllm, engine, lora } = profile;
  const { tensor, pipeline } = toParallel(profile);
  const settings = Object.entries(vllm).filter(([name]) => moving.includes(name.split('.', 1)[0] ?? name));
  const variables = Object.entries(engine.env).filter(([name]) => /^(VLLM|PYTORCH|NCCL)_/.test(name));
  return JSON.stringify({
    gpu,
    model: model.path ?? model.id,
    revision: model.revision ?? '',
    quantization,
    version,
    tensor,
    pipeline,
    lora: Object.keys(lora).length > 0,
    settings: Object.fromEntries(settings.toSorted(byName)),
    variables: Object.fromEntries(variables.toSorted(byName)),
  });
}

/** Of vLLM's settings, those that change what it takes beside the cache, or what a token of it takes. */
const moving = [
  'max-num-seqs',
  'max-num-batched-tokens',
  'dtype',
  'kv-cache-dtype',
  'block-size',
  'enforce-eager',
  'optimization-level',
  'compilation-config',
  'cudagraph-capture-sizes',
  'max-cudagraph-capture-size',
  'performance-mode',
  'enable-chunked-prefill',
  'speculative-config',
  'language-model-only',
  'limit-mm-per-prompt',
  'mm-processor-kwargs',
  'hf-overrides',
  'enable-lora',
  'max-loras',
  'max-lora-rank',
  'lora-dtype',
  'enable-expert-parallel',
  'data-parallel-size',
  'cpu-offload-gb',
  'attention-backend',
];

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

export function toCalibrationDirectory({ state }: Pick<Places, 'state'>): string {
  return join(state, 'calibration');
}

/** A name for the file of a key; two keys may share one, and then the later start stands there. */
export function toCalibrationFile(key: string): string {
  return `${toFnv1a(key)}.json`;
}

interface Wanted extends CalibrationOrigin {
  readonly calibrations: readonly Calibration[];
}

export function findCalibration(profile: Profile, { calibrations, ...origin }: Wanted): Calibration | undefined {
  if (calibrations.length === 0) return undefined;
  const key = toCalibrationKey(profile, origin);
  return calibrations.find((one) => one.key === key);
}

const required = ['totalBytes', 'budgetBytes', 'weightsBytes', 'kvBytes'] as const;
const optional = ['graphBytes', 'activationBytes'] as const;

/** Undefined for what is no such file: it counts as not there. */
export function parseCalibration(text: string): Calibration | undefined {
  const value = parseRecord(text);
  const { key, at } = value ?? {};
  if (value === undefined || typeof key !== 'string' || typeof at !== 'string') return undefined;
  if (!required.every((name) => isSize(value[name])) || !optional.every((name) => value[name] === undefined || isSize(value[name])))
    return undefined;
  return value as unknown as Calibration;
}

function parseRecord(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    // cut, or not ours
    return undefined;
  }
}

function isSize(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value);
}
