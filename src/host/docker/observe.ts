/**
 * What a Docker engine says of itself. Every question has a time limit: an engine whose containerd hangs takes calls and
 * never answers them.
 */
import { stat } from 'node:fs/promises';
import { errnoOf } from '../files.ts';
import { type DockerAddress, readDockerAddresses, type UnusableAddress } from './address.ts';
import { parseJson, toField, toList, toText, toTexts } from './fields.ts';
import { openWire, type Wire } from './wire.ts';

/** What a Docker engine says of itself, or why it says nothing. */
export type DockerObservation =
  | { readonly is: 'absent'; readonly socket: string }
  | { readonly is: 'forbidden' | 'silent'; readonly socket: string; readonly problem: string }
  /** What was chosen (`DOCKER_HOST`, a context) is no address of an engine. */
  | { readonly is: 'unusable'; readonly socket: string; readonly problem: UnusableAddress['problem'] }
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
  const all = await Promise.all(addresses.map(async (address) => ({ address, seen: await observeAt(address, limit) })));
  const told = all.filter(({ address }) => address.is !== 'socket' || address.isSpare !== true).map(({ seen }) => seen);
  const present = all.find(({ seen }) => seen.is === 'present')?.seen;
  const best = present ?? told.find(({ is }) => is !== 'absent') ?? told.at(-1);
  return best ?? { is: 'absent', socket: '' };
}

async function observeAt(address: DockerAddress, limit: AbortSignal): Promise<DockerObservation> {
  const socket = address.name;
  if (address.is === 'unusable') return { is: 'unusable', socket, problem: address.problem };
  try {
    // Where there is nothing, dockerode is not even loaded.
    if (address.is === 'socket' && !(await stat(address.path)).isSocket()) return { is: 'silent', socket, problem: 'ENOTSOCK' };
    const wire = await openWire(address);
    const [version, info] = await withLimit(Promise.all([ask(wire, '/version', limit), ask(wire, '/info', limit)]), limit);
    return toObservation(socket, version, info) ?? { is: 'silent', socket, problem: 'EPROTO' };
  } catch (error) {
    return toFailure(address, limit.aborted ? limit.reason : error);
  }
}

async function ask(wire: Wire, path: string, limit: AbortSignal): Promise<unknown> {
  const { status, stream } = await wire.send({ path }, limit);
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  if (status !== 200) throw new Error(`HTTP ${status}`);
  return parseJson(Buffer.concat(chunks).toString());
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

function toFailure({ is, name: socket }: DockerAddress, error: unknown): DockerObservation {
  const problem = toProblem(error);
  const isMissing = problem === 'ENOENT' || problem === 'ENOTDIR';
  if (isMissing && is === 'socket') return { is: 'absent', socket };
  // A certificate, or ssh itself: which file it is stands in the words.
  if (isMissing) return { is: 'silent', socket, problem: error instanceof Error ? error.message : problem };
  return { is: problem === 'EACCES' || problem === 'EPERM' ? 'forbidden' : 'silent', socket, problem };
}

function toProblem(error: unknown): string {
  if (error instanceof DOMException) return error.name === 'TimeoutError' ? 'ETIMEDOUT' : 'EABORT';
  const code = errnoOf(error);
  if (code !== undefined) return code;
  return error instanceof Error ? error.message : String(error);
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
