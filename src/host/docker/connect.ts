/** The way to a Docker engine: where it is, whether it answers, which version of its API is spoken. */
import { stat } from 'node:fs/promises';
import { release } from 'node:os';
import { DeployError } from '../../core/error.ts';
import { errnoOf } from '../files.ts';
import { type DockerAddress, readDockerAddresses } from './address.ts';
import { createContainers } from './containers.ts';
import type { Docker } from './docker.ts';
import { createDoor, type Limits, toDoorError } from './door.ts';
import { execInside } from './exec.ts';
import { toText } from './fields.ts';
import { createImages } from './images.ts';
import { isPodman } from './podman.ts';
import { toUnusableError } from './problems.ts';
import { streamEvents, streamLogs } from './streams.ts';
import { openWire } from './wire.ts';

export interface ConnectOptions {
  /** Of each question, from the call to the last byte of the answer. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  readonly limits?: Partial<Limits>;
}

const leastApi = '1.41';
/** The newest whose answers are known to mean what is read in them. */
const newestApi = '1.51';
const usualLimits = { actMs: 60_000, silenceMs: 60_000, archiveMs: 600_000, againMs: 2000 };

/**
 * The first engine that answers, looked for as Docker's own program does it. Throws `docker/absent`, `docker/forbidden`,
 * `docker/silent`, `docker/unreachable`, `docker/bad-address`, `docker/no-context`, `docker/api-too-old`, `command/interrupted`.
 */
export async function connectDocker(env: NodeJS.ProcessEnv, { timeoutMs, signal, limits }: ConnectOptions): Promise<Docker> {
  const all: Limits = { ...usualLimits, actMs: Math.max(usualLimits.actMs, timeoutMs), askMs: timeoutMs, ...limits };
  const addresses = await readDockerAddresses(env);
  let problem: unknown;
  for (const address of addresses) {
    try {
      return await withSignal(connectAt(address, { env, limits: all }), signal);
    } catch (error) {
      if (signal?.aborted) throw DeployError.of('command/interrupted', {}, { cause: error });
      if (!isAbsence(error, address)) problem ??= error;
    }
  }
  throw problem ?? DeployError.of('docker/absent', { looked: addresses.map(({ name }) => name).join(', ') });
}

interface Connecting {
  readonly env: NodeJS.ProcessEnv;
  readonly limits: Limits;
}

async function connectAt(address: DockerAddress, { env, limits }: Connecting): Promise<Docker> {
  const { name } = address;
  if (address.is === 'unusable') throw toUnusableError(address);
  if (address.is === 'socket') await checkSocket(address.path);
  const wire = await openWire(address).catch((error: unknown) => Promise.reject(toDoorError(error, name)));
  const answer = await createDoor(wire, { address: name, prefix: '', limits }).ask({ path: '/version' });
  const found = toText(answer.value, 'ApiVersion');
  if (answer.status !== 200 || found === undefined) {
    throw DeployError.of('docker/unreachable', {
      address: name,
      problem: answer.status === 200 ? 'no Docker engine answers there' : answer.problem,
    });
  }
  const apiVersion = chooseApi(found, toText(answer.value, 'MinAPIVersion'));
  if (apiVersion === undefined) throw DeployError.of('docker/api-too-old', { address: name, found, least: leastApi });
  const door = createDoor(wire, { address: name, prefix: `/v${apiVersion}`, limits });
  const kind = { isPodman: isPodman(answer.value) };
  const containers = createContainers(door, kind);
  // Docker Desktop's socket leads into a virtual machine, whose processes are not ours to see.
  const isLocal = address.is === 'socket' && (toText(answer.value, 'KernelVersion') ?? release()) === release();
  return {
    address: name,
    apiVersion,
    isLocal,
    hidesStops: kind.isPodman,
    images: createImages(door, { env, architecture: toText(answer.value, 'Arch') ?? '', isLocal }),
    ...containers,
    exec: (id, command, limitMs) => execInside(door, { id, command, limitMs }),
    events: (options) => streamEvents(door, { ...options, ...kind }),
    async *logs(id, options) {
      // Whether it has a terminal decides how its log is sent, and older engines do not say it in the answer.
      const container = options.signal?.aborted ? undefined : await containers.inspect(id);
      if (options.signal?.aborted) return;
      if (container === undefined) throw DeployError.of('docker/no-container', { id: id.slice(0, 12) });
      yield* streamLogs(door, { container, options });
    },
  };
}

/** One that no longer speaks what we know is asked in the oldest that it still speaks. */
function chooseApi(found: string, least: string | undefined): string | undefined {
  if (compareApi(found, leastApi) < 0) return undefined;
  const ours = compareApi(found, newestApi) < 0 ? found : newestApi;
  return least !== undefined && compareApi(least, ours) > 0 ? least : ours;
}

function compareApi(one: string, other: string): number {
  const [[major = 0, minor = 0], [otherMajor = 0, otherMinor = 0]] = [one.split('.').map(Number), other.split('.').map(Number)];
  return major - otherMajor || minor - otherMinor;
}

async function checkSocket(path: string): Promise<void> {
  try {
    if ((await stat(path)).isSocket()) return;
  } catch (error) {
    throw errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR' ? error : toDoorError(error, path);
  }
  throw DeployError.of('docker/unreachable', { address: path, problem: 'it is not a socket' });
}

function isAbsence(error: unknown, address: DockerAddress): boolean {
  if (address.is !== 'socket') return false;
  return address.isSpare === true || errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR';
}

function withSignal<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason);
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}
