import type { BackendName, HealthSettings, RestartSettings, SecretRef } from '../profile/profile.ts';

/**
 * Everything that is needed to start one engine, and nothing else: no profile, no machine facts, no secrets.
 * Two equal specs start the same engine; `hash` says so.
 */
export interface LaunchSpec {
  readonly backend: BackendName;
  readonly program: string;
  readonly args: readonly string[];
  /** Added to the allow-list of the person's environment; no secret values. */
  readonly env: Readonly<Record<string, string>>;
  /** Variable → reference; resolved at launch only. */
  readonly secretEnv: Readonly<Record<string, SecretRef>>;
  readonly endpoint: { readonly host: string; readonly port: number };
  readonly model: string;
  readonly servedNames: readonly string[];
  readonly apiKey?: SecretRef;
  readonly resources: LaunchResources;
  /** vLLM's own drain limit at a stop, ms. */
  readonly drainMs: number;
  readonly health: HealthSettings;
  readonly restart: RestartSettings;
  readonly engineVersion: string;
  readonly simulated: boolean;
  /** SHA-256 over all of the above, hex, first 16 characters. */
  readonly hash: string;
}

export interface LaunchResources {
  readonly cpus?: string;
  readonly memoryBytes?: number;
  readonly nice?: number;
  /** Most processes and threads. */
  readonly pids?: number;
  /** Most open files of one process. */
  readonly nofile?: number;
}
