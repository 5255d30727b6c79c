/** What the program asks of a Docker engine. Plain data on both sides: dockerode does not leave this folder. */

/** One engine. Every call has a time limit and rejects with a DeployError `docker/…`. */
export interface Docker {
  /** Where it is asked, as people write it: a path, or `tcp://host:port`. */
  readonly address: string;
  /** Of the engine, as negotiated: `1.41`. */
  readonly apiVersion: string;
  /** Its containers are processes of this machine that /proc shows. False over TCP and ssh. */
  readonly isLocal: boolean;
  /** Podman: that somebody has stopped a container is no event, and to be seen only while it stops (`isStopping`). */
  readonly hidesStops: boolean;
  readonly images: DockerImages;

  /**
   * Returns the id (64 hexadecimal digits). Throws `docker/name-taken` (with the id of who has it), `docker/no-image`,
   * `docker/not-there` (what is to be mounted), `docker/refused` (a setting that the engine does not take; `problem` are its words), `docker/disk-full`.
   */
  create(name: string, body: CreateBody): Promise<string>;
  /** Throws `docker/port-taken`, `docker/gpu-runtime`, `docker/no-container`, `docker/refused`. Fine when it runs already. */
  start(id: string): Promise<void>;
  /** To its main process alone. False when it does not run or is gone. */
  signal(id: string, signal: string): Promise<boolean>;
  unpause(id: string): Promise<void>;
  /** With its anonymous volumes. False when it was gone already. */
  remove(id: string, options?: { readonly force?: boolean }): Promise<boolean>;
  /** By id or name; undefined when there is none. */
  inspect(id: string): Promise<Container | undefined>;
  /** Running or not, by labels that all must be there (`name` or `name=value`). */
  list(labels: readonly string[]): Promise<readonly ContainerSummary[]>;
  /**
   * Runs a program inside and waits for its end. Undefined when it does not end within `limitMs` (it is left to itself),
   * or the container does not run. One that the container does not have ends with 126 or 127.
   */
  exec(id: string, command: readonly string[], limitMs: number): Promise<ExecResult | undefined>;
  /** Restart policy `no`: the engine is not to start it by itself. */
  forbidRestart(id: string): Promise<void>;
  /**
   * Of one container or of all that carry a label. Begins with what happened at `since` (seconds since 1970, as of the
   * engine's clock) and goes on until `signal`, or to `until`; throws when the stream breaks. Order and number are not to
   * be relied on.
   */
  events(options: EventsOptions): AsyncIterable<ContainerEvent>;
  /** Lines, oldest first. With `follow` until the container has ended and the last line was given. Throws when the stream breaks. */
  logs(id: string, options: LogsOptions): AsyncIterable<LogLine>;
}

export interface DockerImages {
  /** By reference (`name:tag`, `name@sha256:…`) or id; undefined when it is not here. */
  inspect(reference: string): Promise<Image | undefined>;
  list(labels?: readonly string[]): Promise<readonly Image[]>;
  /**
   * Layers of images that are here are not fetched again; those of a pull that ended early may be. Credentials come from Docker's own configuration (`auths`,
   * `credsStore`, `credHelpers`). A registry that has had too many requests, or a connection that broke, is tried again a
   * few times. Throws `docker/image-not-found`, `docker/image-denied`, `docker/registry` (unreachable, too many requests;
   * `problem` are its words), `docker/wrong-architecture`, `docker/wrong-content`, `docker/no-room`, `docker/disk-full`.
   */
  pull(reference: string, options: PullOptions): Promise<void>;
  /** From an archive of `docker save`. Returns what it held, by name, else by id. Throws `docker/bad-archive`, `docker/no-room`. */
  load(path: string, options: ProgressOptions): Promise<readonly string[]>;
  /** As `docker save` would; written beside and renamed. */
  save(reference: string, path: string, options: ProgressOptions): Promise<void>;
  tag(reference: string, as: string): Promise<void>;
  remove(reference: string): Promise<boolean>;
}

export interface Image {
  /** `sha256:…` of its configuration: what is the same on every machine that has it. */
  readonly id: string;
  readonly names: readonly string[];
  /** `name@sha256:…` of the registries that it came from; empty for one that was built or loaded here. */
  readonly digests: readonly string[];
  readonly architecture: string;
  readonly sizeBytes: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly env: readonly string[];
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  /** Empty: root. */
  readonly user: string;
}

export interface ProgressOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: TransferProgress) => void;
}

export type PullOptions = ProgressOptions;

export interface TransferProgress {
  /** `waiting`: before another try. */
  readonly phase: 'downloading' | 'waiting' | 'unpacking' | 'loading' | 'saving';
  readonly layersDone: number;
  readonly layers: number;
  readonly doneBytes: number;
  /** Of the layers that are known by now. */
  readonly totalBytes?: number;
  /** While `waiting`: how long. */
  readonly waitMs?: number;
}

/** The body of `POST /containers/create`, by the names of Docker's API: https://docs.docker.com/reference/api/engine/ */
export interface CreateBody {
  readonly Image: string;
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly Env: readonly string[];
  readonly Labels: Readonly<Record<string, string>>;
  readonly User?: string;
  readonly WorkingDir?: string;
  readonly StopTimeout?: number;
  readonly ExposedPorts?: Readonly<Record<string, Record<string, never>>>;
  readonly HostConfig: HostConfig;
}

export interface HostConfig {
  readonly Init: boolean;
  readonly RestartPolicy: { readonly Name: 'no' };
  readonly AutoRemove: false;
  readonly NetworkMode?: string;
  readonly PortBindings?: Readonly<Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[]>>;
  readonly Mounts: readonly DockerMount[];
  readonly Tmpfs?: Readonly<Record<string, string>>;
  readonly DeviceRequests?: readonly DeviceRequest[];
  readonly CpusetCpus?: string;
  readonly CpusetMems?: string;
  readonly Memory?: number;
  readonly MemorySwap?: number;
  readonly PidsLimit?: number;
  readonly ShmSize?: number;
  readonly IpcMode?: string;
  readonly Ulimits?: readonly { readonly Name: string; readonly Soft: number; readonly Hard: number }[];
  readonly ReadonlyRootfs?: boolean;
  readonly CapDrop?: readonly string[];
  readonly CapAdd?: readonly string[];
  readonly SecurityOpt?: readonly string[];
  readonly LogConfig: { readonly Type: string; readonly Config: Readonly<Record<string, string>> };
}

export interface DockerMount {
  readonly Type: 'bind' | 'volume';
  readonly Source: string;
  readonly Target: string;
  readonly ReadOnly: boolean;
}

export interface DeviceRequest {
  readonly Driver: 'nvidia' | 'cdi';
  readonly Count?: number;
  readonly DeviceIDs?: readonly string[];
  readonly Capabilities?: readonly (readonly string[])[];
}

export interface ExecResult {
  readonly code: number;
  /** What it printed, both streams as they came. */
  readonly text: string;
}

export interface Container {
  readonly id: string;
  readonly name: string;
  readonly imageId: string;
  readonly state: ContainerState;
  /** Somebody has told the engine to stop it, and it runs still. Docker has an event for that, and not this. */
  readonly isStopping?: true;
  /** Of the main process (the init where there is one); 0 when it does not run. */
  readonly pid: number;
  readonly exitCode?: number;
  readonly oomKilled: boolean;
  /** Why the engine could not start it. */
  readonly error: string;
  /** ISO, of the engine's clock; absent before. */
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly restartPolicy: string;
  readonly labels: Readonly<Record<string, string>>;
  /** As the engine took it: what was ordered and what it made of that. */
  readonly hostConfig: Readonly<Record<string, unknown>>;
  readonly config: Readonly<Record<string, unknown>>;
  readonly mounts: readonly { readonly type: string; readonly source: string; readonly target: string; readonly writable: boolean }[];
}

export type ContainerState = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';

export interface ContainerSummary {
  readonly id: string;
  readonly names: readonly string[];
  readonly state: ContainerState;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface EventsOptions {
  readonly container?: string;
  readonly label?: string;
  readonly since?: number;
  /** Where that is over already, what is still known of the past is all. */
  readonly until?: number;
  readonly signal?: AbortSignal;
}

export interface ContainerEvent {
  readonly id: string;
  /** `start`, `die`, `oom`, `kill`, `stop`, `restart`, `pause`, `unpause`, `destroy`, … as Docker says it. */
  readonly action: string;
  /** Seconds since 1970, with a fraction. */
  readonly at: number;
  readonly exitCode?: number;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface LogsOptions {
  readonly follow?: boolean;
  /** RFC 3339 with nanoseconds, as in `LogLine.at`: lines of that very moment come again. */
  readonly since?: string;
  /** The same; lines of that very moment may be left out. */
  readonly until?: string;
  /** So many of the last lines. */
  readonly tail?: number;
  readonly signal?: AbortSignal;
}

export interface LogLine {
  /** RFC 3339 with nanoseconds, of the engine's clock. */
  readonly at: string;
  readonly stream: 'stdout' | 'stderr';
  /** Without its end of line. */
  readonly text: string;
}
