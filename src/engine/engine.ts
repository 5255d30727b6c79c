import type { EngineVariant } from '../profile/profile.ts';

/** A vLLM that this program installed: a virtual environment under the data directory. */
export interface InstalledEngine {
  /** e.g. `cpu-0.32.0`. */
  readonly id: string;
  readonly variant: EngineVariant;
  /** Of the environment's metadata, e.g. `0.32.0`. */
  readonly version: string;
  readonly directory: string;
  /** Absolute path of the `vllm` program. */
  readonly program: string;
  /** Absolute path of the environment's Python. */
  readonly python: string;
  readonly torch: string;
  readonly pythonVersion: string;
  readonly installedAt: string;
  readonly sizeBytes: number;
  /** True when `.pyc` files exist: a start takes less than half the time. */
  readonly bytecode: boolean;
}
