/** Applies the rules of compatibility to one combination. Pure; what is not known is not held against anybody. */
import type { Message } from '../core/message.ts';
import { type CompatibilityRule, type Condition, compatibilityRules, type Range, type Scheme } from './compatibility-rules.ts';

/** One GPU, what is to run on it, and what it runs with. */
export interface Combination {
  /** For people: `GPU 0 (NVIDIA L4)`. */
  readonly gpu: string;
  readonly capability?: number;
  /** Of vLLM. */
  readonly version: string;
  readonly method?: string;
  readonly scheme?: Scheme;
  readonly dtype?: string;
  readonly cacheDtype?: string;
  /** CUDA that the engine was built with, e.g. 12.9. */
  readonly cuda?: number;
  /** e.g. `580.95.05`. */
  readonly driver?: string;
  readonly kernelModule?: 'open' | 'proprietary';
}

export interface CompatibilityHit extends Pick<CompatibilityRule, 'code' | 'severity' | 'about' | 'hint' | 'cure' | 'source'> {
  readonly message: Message;
  /** In a few words, for a list of many. */
  readonly short: Message;
}

export function checkCombination(combination: Combination): readonly CompatibilityHit[] {
  return compatibilityRules
    .filter((rule) => appliesTo(rule, combination.version) && holds(rule.when, combination))
    .map(({ code, severity, about, hint, cure, source, words, short, least }) => ({
      code,
      severity,
      about,
      message: { id: words, params: toWords(combination, least) },
      short: { id: short, params: toWords(combination, least) },
      ...(hint ? { hint } : {}),
      ...(cure ? { cure } : {}),
      source,
    }));
}

function toWords(
  { gpu, capability, version, method, scheme, dtype, cacheDtype, cuda, driver }: Combination,
  least = '',
): Message['params'] {
  return {
    gpu,
    has: capability?.toFixed(1) ?? '?',
    version,
    method: scheme ?? method ?? '?',
    dtype: cacheDtype ?? dtype ?? '?',
    cuda: cuda?.toFixed(1) ?? '?',
    driver: driver ?? '?',
    least,
  };
}

function appliesTo({ since, until }: CompatibilityRule, version: string): boolean {
  const own = toOrder(version);
  return (since === undefined || own >= toOrder(since)) && (until === undefined || own < toOrder(until));
}

/** `0.32.1` → a number that keeps the order of versions. */
function toOrder(version: string): number {
  const [major = 0, minor = 0, patch = 0] = (/^\d+(\.\d+)*/.exec(version)?.[0] ?? '').split('.').map(Number);
  return (major * 1000 + minor) * 1000 + patch;
}

function holds(when: Condition, combination: Combination): boolean {
  const { capability, method, scheme, dtype, cacheDtype, cuda, driver, kernelModule } = combination;
  return (
    isWithin(when.capability, capability) &&
    isAmong(when.methods, method) &&
    isAmong(when.schemes, scheme) &&
    isAmong(when.dtypes, dtype) &&
    isAmong(when.cacheDtypes, cacheDtype) &&
    isWithin(when.cuda, cuda) &&
    isWithin(when.driver, toMajor(driver)) &&
    (when.kernelModule === undefined || when.kernelModule === kernelModule)
  );
}

function isWithin(range: Range | undefined, value: number | undefined): boolean {
  if (range === undefined) return true;
  return value !== undefined && value >= (range.from ?? Number.NEGATIVE_INFINITY) && value < (range.below ?? Number.POSITIVE_INFINITY);
}

function isAmong(names: readonly string[] | undefined, name: string | undefined): boolean {
  return names === undefined || (name !== undefined && names.includes(name));
}

function toMajor(version: string | undefined): number | undefined {
  const digits = /^\s*(\d+)/.exec(version ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}
