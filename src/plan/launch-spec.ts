import type { BackendName, HealthSettings, RestartSettings, SecretRef } from '../profile/profile.ts';

/**
 * Everything that is needed to start one engine, and nothing else: no profile, no machine facts, no secrets.
 * Two equal specs start the same engine; `hash` says so.
 */
export interface LaunchSpec {
  readonly backend: BackendName;
  /** Of the backend `docker` alone; program and args are then those inside of the container. */
  readonly container?: ContainerSpec;
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

/** What a container gets that a process has anyway. */
export interface ContainerSpec {
  /** Reference of the image, as the engine is asked for it. */
  readonly image: string;
  readonly mounts: readonly ContainerMount[];
  /** GPUs, and by which way the engine hands them over. Absent: none. */
  readonly gpus?: { readonly by: 'nvidia' | 'cdi'; readonly ids: readonly string[] };
  readonly shmBytes: number;
  /** `UID:GID`; absent: whom the image names, mostly root. */
  readonly user?: string;
  /** Port of the server inside; it is published at the endpoint. */
  readonly port: number;
  /** Caps of the log that the engine keeps; ours is a copy. */
  readonly log: { readonly maxSizeBytes: number; readonly files: number };
  /** How long the engine gives it when somebody else stops it, seconds. */
  readonly stopSeconds: number;
}

export interface ContainerMount {
  /** Absolute, of this machine. */
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  /** Made before the start where it is not there. */
  readonly create?: true;
}
