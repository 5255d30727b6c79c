import type { Remedy } from '../../../core/finding.ts';
import type { Message } from '../../../core/message.ts';
import type { Facts, FailureEvidence, Hit } from '../evidence.ts';

export interface RemedyContext {
  readonly evidence: FailureEvidence;
  /** Of the cause, the winner first. */
  readonly hits: readonly Hit[];
  readonly permanent: boolean;
}

/** All that a remedy is made of. */
export interface RemedyFacts {
  /** What all lines of the cause gave, the winner's first. */
  readonly facts: Facts;
  /** Of the winner; empty where the log has none. */
  readonly text: string;
  /** The launch settings, by vLLM's own names. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly evidence: FailureEvidence;
  readonly permanent: boolean;
}

export type RemedyMaker = (facts: RemedyFacts) => readonly Remedy[];

export function toRemedy(text: Message, set?: Remedy['set'], command?: string): Remedy {
  return { text, ...(set === undefined ? {} : { set }), ...(command === undefined ? {} : { command }) };
}

/** vLLM's own name → the place in a profile: a few stand at the top, because more than vLLM depends on them. */
export function toProfileKey(flag: string): string {
  const name = flag.replace(/^-+/, '').split(/[/,=]/)[0]?.replaceAll('_', '-') ?? flag;
  return Object.hasOwn(ownKeys, name) ? (ownKeys[name] ?? name) : `vllm.${name}`;
}

const ownKeys: Readonly<Record<string, string>> = {
  host: 'server.host',
  port: 'server.port',
  'api-key': 'server.api-key',
  'served-model-name': 'served-names',
  quantization: 'quantization',
  model: 'model',
  'model-tag': 'model',
  tokenizer: 'model.tokenizer',
  revision: 'model.revision',
  'shutdown-timeout': 'stop.drain',
  'lora-modules': 'lora',
};

/** A setting that is a number; undefined otherwise. */
export function toNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value);
  return (typeof value === 'number' || typeof value === 'string') && Number.isFinite(number) ? number : undefined;
}
