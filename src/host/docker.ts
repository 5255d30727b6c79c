/**
 * The one door to a Docker engine (the only dockerode). Every question has a time limit: an engine whose containerd
 * hangs takes calls and never answers them.
 */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type DockerAddress, readDockerAddresses } from './docker-address.ts';
import { errnoOf } from './files.ts';

/** What a Docker engine says of itself, or why it says nothing. */
export type DockerObservation =
  | { readonly is: 'absent'; readonly socket: string }
  | { readonly is: 'forbidden' | 'silent'; readonly socket: string; readonly problem: string }
  | {
      readonly is: 'present';
      readonly socket: string;
      readonly version: string;
      readonly apiVersion: string;
      readonly apiVersionMin?: string;
      readonly operatingSystem?: string;
      /** `systemd` or `cgroupfs`. */
      readonly cgroupDriver?: string;
      readonly cgroupVersion?: string;
      /** Names of registered OCI runtimes; `nvidia` among them. */
      readonly runtimes: readonly string[];
      /** CDI devices that the engine found (`nvidia.com/gpu=all`); absent for engines that do not tell. */
      readonly cdiDevices?: readonly string[];
      readonly cdiSpecDirectories?: readonly string[];
      readonly addressPools?: readonly { readonly base: string; readonly size: number }[];
      readonly storageDriver?: string;
      readonly rootDirectory?: string;
      readonly rootless?: boolean;
      readonly warnings?: readonly string[];
    };

export interface ObserveDockerOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** Never rejects for what is there or not: the first engine that answers, else why the likeliest one does not. */
export async function observeDocker(env: NodeJS.ProcessEnv, { timeoutMs, signal }: ObserveDockerOptions): Promise<DockerObservation> {
  const limit = AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])]);
  const addresses = await readDockerAddresses(env);
  const seen = await Promise.all(addresses.map((address) => observeAt(address, limit)));
  const best = seen.find(({ is }) => is === 'present') ?? seen.find(({ is }) => is !== 'absent') ?? seen.at(-1);
  return best ?? { is: 'absent', socket: '' };
}

async function observeAt(address: DockerAddress, limit: AbortSignal): Promise<DockerObservation> {
  const socket = address.name;
  if (address.is === 'unusable') return { is: 'silent', socket, problem: address.problem };
  try {
    // Where there is nothing, dockerode is not even loaded.
    if (address.is === 'socket' && !(await stat(address.path)).isSocket()) return { is: 'silent', socket, problem: 'ENOTSOCK' };
    const docker = await connect(address);
    const options = { abortSignal: limit };
    const [version, info] = await withLimit(Promise.all([docker.version(options), docker.info(options)]), limit);
    return toObservation(socket, version, info) ?? { is: 'silent', socket, problem: 'EPROTO' };
  } catch (error) {
    return toFailure(socket, limit.aborted ? limit.reason : error);
  }
}

/** dockerode takes the signal, but its published types do not say so. */
interface Engine {
  readonly version: (options: { readonly abortSignal: AbortSignal }) => Promise<unknown>;
  readonly info: (options: { readonly abortSignal: AbortSignal }) => Promise<unknown>;
}

/**
 * dockerode reads `DOCKER_HOST` for itself and lays what it is given over that: with only `socketPath` it would still
 * ask the host of the variable. So everything is said.
 */
async function connect(address: Exclude<DockerAddress, { is: 'unusable' }>): Promise<Engine> {
  const { default: Client } = await import('dockerode');
  const open = { host: undefined, port: undefined, ca: undefined, cert: undefined, key: undefined, timeout: undefined };
  if (address.is === 'socket') return new Client({ ...open, protocol: 'http', socketPath: address.path });
  const { host, port, certificates } = address;
  if (certificates === undefined) return new Client({ ...open, protocol: 'http', host, port });
  const [ca, cert, key] = await Promise.all(['ca', 'cert', 'key'].map((name) => readFile(join(certificates, `${name}.pem`), 'utf8')));
  return new Client({ ...open, protocol: 'https', host, port, ca, cert, key });
}

/** Does not rely on the signal being honoured: an answer may begin and never end. */
function withLimit<T>(work: Promise<T>, limit: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(limit.reason);
    if (limit.aborted) giveUp();
    limit.addEventListener('abort', giveUp, { once: true });
    work.then(resolve, reject).finally(() => limit.removeEventListener('abort', giveUp));
  });
}

function toFailure(socket: string, error: unknown): DockerObservation {
  const problem = toProblem(error);
  if (problem === 'ENOENT' || problem === 'ENOTDIR') return { is: 'absent', socket };
  return { is: problem === 'EACCES' || problem === 'EPERM' ? 'forbidden' : 'silent', socket, problem };
}

function toProblem(error: unknown): string {
  if (error instanceof DOMException) return error.name === 'TimeoutError' ? 'ETIMEDOUT' : 'EABORT';
  const code = errnoOf(error);
  if (code !== undefined) return code;
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' ? `HTTP ${status}` : error instanceof Error ? error.message : String(error);
}

/** Undefined when it is something else that answers there. */
function toObservation(socket: string, version: unknown, info: unknown): DockerObservation | undefined {
  const [release, api] = [toText(version, 'Version'), toText(version, 'ApiVersion')];
  if (release === undefined || api === undefined || typeof info !== 'object' || info === null) return undefined;
  const facts = {
    apiVersionMin: toText(version, 'MinAPIVersion'),
    operatingSystem: toText(info, 'OperatingSystem'),
    cgroupDriver: toText(info, 'CgroupDriver'),
    cgroupVersion: toText(info, 'CgroupVersion'),
    cdiDevices: toList(info, 'DiscoveredDevices')?.flatMap((device) => toText(device, 'ID') ?? []),
    cdiSpecDirectories: toTexts(info, 'CDISpecDirs'),
    addressPools: toList(info, 'DefaultAddressPools')?.flatMap(toPool),
    storageDriver: toText(info, 'Driver'),
    rootDirectory: toText(info, 'DockerRootDir'),
    rootless: toTexts(info, 'SecurityOptions')?.some((option) => /(^|,)name=rootless(,|$)/.test(option)),
    warnings: toTexts(info, 'Warnings'),
  };
  const known = Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
  return { is: 'present', socket, version: release, apiVersion: api, runtimes: Object.keys(toField(info, 'Runtimes') ?? {}), ...known };
}

function toPool(value: unknown): readonly { readonly base: string; readonly size: number }[] {
  const [base, size] = [toText(value, 'Base'), toField(value, 'Size')];
  return base !== undefined && typeof size === 'number' ? [{ base, size }] : [];
}

function toField(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

function toText(value: unknown, key: string): string | undefined {
  const text = toField(value, key);
  return typeof text === 'string' && text !== '' ? text : undefined;
}

function toList(value: unknown, key: string): readonly unknown[] | undefined {
  const list = toField(value, key);
  return Array.isArray(list) ? list : undefined;
}

function toTexts(value: unknown, key: string): readonly string[] | undefined {
  return toList(value, key)?.filter((entry) => typeof entry === 'string');
}
