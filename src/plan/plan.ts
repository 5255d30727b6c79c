import type { Finding } from '../core/finding.ts';
import type { Message } from '../core/message.ts';
import type { BackendName } from '../profile/profile.ts';

/** Every launch setting with its value and the reason for it; nothing has been started. */
export interface Plan {
  readonly profile: string;
  readonly name: string;
  readonly description: string;
  readonly backend: BackendName;
  readonly simulated: boolean;
  readonly engine: { readonly version: string; readonly source: EngineSource };
  readonly model: string;
  readonly decisions: readonly Decision[];
  readonly findings: readonly Finding[];
  /** Absent for what needs no GPU, and where nothing is known of the model or the GPU. */
  readonly memory?: Memory;
}

/** What one GPU of the deployment will hold (each one of several), bytes. */
export interface Memory {
  /** `GPU 0 (NVIDIA L4)`. */
  readonly gpu?: string;
  /** How many GPUs share the model. */
  readonly gpus: number;
  /** As CUDA sees it, which is less than nvidia-smi says. */
  readonly totalBytes: number;
  /** Now, as CUDA will see it; absent for a card that is not here. */
  readonly freeBytes?: number;
  /** What the engine may take of it: gpu-memory-utilization of the total. */
  readonly budgetBytes: number;
  readonly weightsBytes: number;
  readonly activationBytes: number;
  readonly graphBytes: number;
  /** Context, libraries, adapters. */
  readonly overheadBytes: number;
  /** What is left for the KV cache; negative when nothing is. */
  readonly kvBytes: number;
  readonly kvBytesPerToken?: number;
  /** Of the whole engine. Absent with `source: engine`. */
  readonly kvTokens?: number;
  /** Requests of full length at once. */
  readonly maxConcurrency?: number;
  /** `tight`: closer than such predictions are right. */
  readonly fits: 'yes' | 'tight' | 'no';
  /** The same with what is free now; absent where that is not known. */
  readonly fitsNow?: 'yes' | 'tight' | 'no';
  /** `calibrated`: by what an earlier start of the same plan reported; `engine`: hybrid attention, the engine decides. */
  readonly source: 'formula' | 'calibrated' | 'engine';
  readonly suggestion?: MemorySuggestion;
}

/** The smallest change that would make it fit. */
export interface MemorySuggestion {
  readonly message: Message;
  /** `--set`-able; absent when it is another profile or model. */
  readonly set?: Readonly<Record<string, unknown>>;
}

export type EngineSource =
  | { readonly kind: 'managed'; readonly variant: 'gpu' | 'cpu'; readonly program: string; readonly installed: boolean }
  | { readonly kind: 'executable'; readonly program: string }
  /** Of a container; `present`: the engine has it already. */
  | { readonly kind: 'image'; readonly reference: string; readonly present: boolean }
  | { readonly kind: 'simulator' };

export type DecisionOrigin = 'profile' | 'set' | 'machine' | 'model' | 'engine' | 'calibration' | 'default';

export interface Decision {
  /** Path as in `--set`, or `argv.NAME` for what we add on our own. */
  readonly setting: string;
  readonly value: unknown;
  readonly from: DecisionOrigin;
  readonly reason: Message;
}
