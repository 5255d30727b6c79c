/** The resolved profile: what the program works with. What a person wrote is `RawProfile` (schema.ts). */

/** A secret by reference; the value never enters state, argv, events or files. */
export type SecretRef = `env:${string}` | `file:${string}`;

export type BackendName = 'docker' | 'process' | 'simulator';

export type EngineVariant = 'gpu' | 'cpu';

/** A value of vLLM's own settings, as YAML gives it. */
export type SettingValue = string | number | boolean | readonly SettingValue[] | { readonly [key: string]: SettingValue };

export interface Profile {
  readonly name: string;
  /** Where it came from: a path, or `shipped:NAME`. */
  readonly source: string;
  readonly description: string;
  readonly model: ModelChoice;
  readonly servedNames: readonly string[];
  /** `auto`: what the checkpoint says. */
  readonly quantization: string;
  readonly engine: EngineChoice;
  /** vLLM's own long names without dashes in front, e.g. `max-model-len`. */
  readonly vllm: Readonly<Record<string, SettingValue>>;
  readonly resources: Resources;
  readonly server: { readonly host: string; readonly port: number; readonly apiKey?: SecretRef };
  readonly thinking: 'on' | 'off' | 'request';
  readonly health: HealthSettings;
  readonly restart: RestartSettings;
  readonly stop: StopSettings;
  readonly logs: LogSettings;
  readonly notify: readonly Notification[];
  /** Absent: whatever the machine's load, it stays as it is. */
  readonly adapt?: AdaptSettings;
  /** What to try, in this order, when it does not start; as it was written. */
  readonly fallback?: readonly WrittenStep[];
  /** Served beside the model, by these names. */
  readonly lora: Readonly<Record<string, LoraAdapter>>;
  /** How many deployments `up` makes of it, on ports in a row. */
  readonly replicas: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Key path → where its value was written; paths as in `--set`. A path without entry is a default. */
  readonly origins: Readonly<Record<string, Origin>>;
}

/** `onto`: of a list that was added to (`NAME+`), where the parts before came from, first to last. */
export type Origin = { readonly onto?: readonly Origin[] } & (
  | { readonly from: 'profile'; readonly file: string; readonly line: number; readonly column: number }
  | { readonly from: 'set'; readonly text: string }
);

export interface ModelChoice {
  /** Hub id, e.g. `Qwen/Qwen3-0.6B`; for a local checkpoint the name it goes by. */
  readonly id: string;
  readonly source: 'hub' | 'local' | 'miniature';
  readonly revision?: string;
  /** Directory of a local checkpoint. */
  readonly path?: string;
  readonly tokenizer?: string;
}

export interface EngineChoice {
  readonly version: string;
  readonly variant: EngineVariant;
  readonly backend: 'auto' | BackendName;
  /** Path of a `vllm` program to use instead of a managed environment. */
  readonly executable?: string;
  readonly image?: string;
  /** Of containers: `SOURCE:TARGET[:ro|rw]`, both absolute; read-only unless `rw`. */
  readonly mounts: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface Resources {
  /** `none`: a CPU engine; a number: that many, whichever are best; a list: indexes and UUIDs. */
  readonly gpus: 'auto' | 'none' | number | readonly string[];
  /** Linux CPU list (`0-3,6`), `all`, or `auto`: those near the GPUs of the engine, which the plan finds. */
  readonly cpus: string;
  readonly memoryBytes?: number;
  readonly shmBytes?: number;
  readonly nice?: number;
  /** Most processes and threads. */
  readonly pids?: number;
  /** Most open files of one process. */
  readonly nofile?: number;
}

export interface LoraAdapter {
  /** Directory of the adapter, or its hub id. */
  readonly path: string;
  /** Named as parent in the list of models; the served model when absent. */
  readonly baseModel?: string;
}

export interface HealthSettings {
  /** From launch to ready, at the latest; signs of life put it off. */
  readonly startDeadlineMs: number;
  /** A start without any sign of life for this long is ended; 0: never. */
  readonly startStallAfterMs: number;
  /** A download of the model without a byte for this long ends the start; 0: never. */
  readonly downloadStallAfterMs: number;
  /** How long the readiness gate may fail after the first `/health` 200. */
  readonly gateTimeoutMs: number;
  /** Time limit of one inference of the gate. */
  readonly firstTokenTimeoutMs: number;
  /** Between two `/health` probes of a ready engine. */
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Whether the gate includes a chat. */
  readonly chat: boolean;
  /** Work without any progress for this long is looked into; one token that does not come then ends the engine. */
  readonly stallAfterMs: number;
  /** An idle engine is asked for one token this often; 0: never. */
  readonly canaryIntervalMs: number;
}

export interface RestartSettings {
  /** Failures in a row before `crashloop`. */
  readonly maxFailures: number;
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  /** Ready without a break for this long → the failure count starts again. */
  readonly stableAfterMs: number;
}

export interface StopSettings {
  /** Given to running requests; also vLLM's own `--shutdown-timeout`. */
  readonly drainMs: number;
}

/** How much is kept of what the engine writes. No part of the launch: to change it restarts nothing. */
export interface LogSettings {
  /** Above this the log is cut, bytes. */
  readonly maxSizeBytes: number;
  /** Pieces that are kept beside the present one. */
  readonly keep: number;
}

/** When to step to a lighter profile, and back. It is no part of the launch: to change it restarts nothing. */
export interface AdaptSettings {
  readonly when: {
    readonly cpuPercent?: number;
    readonly hostMemoryPercent?: number;
    readonly gpuMemoryPercent?: number;
    /** °C. */
    readonly gpuTemperature?: number;
    readonly queueWaitMs?: number;
  };
  /** One of them must be reached for this long without a break. */
  readonly forMs: number;
  /** Of each limit: all must be below it … */
  readonly backBelowPercent: number;
  /** … for this long before one step back. */
  readonly backAfterMs: number;
  readonly leastStayMs: number;
  /** In 24 hours, there and back. */
  readonly mostSteps: number;
  /** Names and paths of profiles, the lightest last. */
  readonly steps: readonly string[];
}

/** One step of `fallback`: settings as a profile has them, or `profile` alone. */
export type WrittenStep = Readonly<Record<string, unknown>>;

/**
 * The same, by paths as in `--set`; `estimated` may stand for `vllm.max-model-len`. No part of the launch: to change the
 * list restarts nothing. `name`: for people, and what tells one step from another.
 */
export type FallbackStep = { readonly name: string } & ({ readonly profile: string } | { readonly set: Readonly<Record<string, unknown>> });

/** What people can be told of; the events of the same names, and `restarted`: ready again without anybody having asked. */
export type NotifyOn = 'ready' | 'failed' | 'crashloop' | 'degraded' | 'unhealthy' | 'restarted' | 'stopped';

/** Whom to tell of what. It is no part of the launch: to change it restarts nothing. */
export type Notification = { readonly on: readonly NotifyOn[]; readonly timeoutMs: number } & (
  | { readonly command: readonly string[] }
  /** Values of headers may be references. */
  | { readonly webhook: string; readonly headers: Readonly<Record<string, string>> }
);
