/** Containers: made, started, signalled, removed, looked at. */
import { waitFor } from '../../core/clock.ts';
import { DeployError } from '../../core/error.ts';
import type { Container, ContainerState, ContainerSummary, CreateBody, Docker } from './docker.ts';
import type { Door } from './door.ts';
import { toField, toList, toNumber, toRecord, toText, toTextRecord, toTexts } from './fields.ts';
import { hasDevices, isBadMoment, toPodmanBody } from './podman.ts';
import { toLaunchError } from './problems.ts';

type Containers = Pick<Docker, 'create' | 'start' | 'signal' | 'unpause' | 'remove' | 'inspect' | 'list' | 'forbidRestart'>;

export interface ContainersOptions {
  readonly isPodman: boolean;
}

export function createContainers(door: Door, { isPodman }: ContainersOptions): Containers {
  const act = (id: string, verb: string, query: Readonly<Record<string, unknown>> = {}) =>
    door.ask({ method: 'POST', path: `${toPath(id)}/${verb}`, query }, door.limits.actMs);
  return {
    create: (name, body) => (isPodman ? createInPodman(door, name, body) : create(door, name, body)),
    async start(id) {
      const { status, problem } = await act(id, 'start');
      if (status < 400) return;
      if (isGone(status, problem)) throw noContainer(id);
      throw toLaunchError(problem);
    },
    async signal(id, signal) {
      const answer = await act(id, 'kill', { signal });
      if (answer.status === 400) throw toLaunchError(answer.problem);
      if (answer.status >= 500 && !/is not running/.test(answer.problem) && !isBadMoment(answer)) throw door.toFailure(answer);
      return answer.status < 300;
    },
    async unpause(id) {
      const answer = await act(id, 'unpause');
      if (answer.status === 404) throw noContainer(id);
      if (answer.status >= 400 && !/not paused/.test(answer.problem)) throw door.toFailure(answer);
    },
    remove: (id, options = {}) => remove(door, id, options.force ?? false),
    inspect: (id) => inspect(door, id),
    async list(labels) {
      const answer = await door.ask({ path: '/containers/json', query: { all: 1, filters: { label: labels } } });
      if (answer.status !== 200 || !Array.isArray(answer.value)) throw door.toFailure(answer);
      return answer.value.map(toSummary);
    },
    async forbidRestart(id) {
      const body = { RestartPolicy: { Name: 'no' } };
      const answer = await door.ask({ method: 'POST', path: `${toPath(id)}/update`, body }, door.limits.actMs);
      if (answer.status === 404) throw noContainer(id);
      if (answer.status !== 200) throw door.toFailure(answer);
    },
  };
}

async function create(door: Door, name: string, body: CreateBody): Promise<string> {
  const answer = await door.ask({ method: 'POST', path: '/containers/create', query: { name }, body }, door.limits.actMs);
  const { status, value, problem } = answer;
  const id = toText(value, 'Id');
  if (status < 300 && id !== undefined) return id;
  if (status === 404 && /no such image|image .*not (found|known)/i.test(problem))
    throw DeployError.of('docker/no-image', { image: body.Image });
  if (status === 409 || /the container name .* is already in use/.test(problem)) {
    throw DeployError.of('docker/name-taken', { name, id: (await inspect(door, name))?.id ?? 'unknown' });
  }
  if (status < 400) throw door.toFailure(answer);
  throw toLaunchError(problem);
}

/** What it does not take of an order it often leaves out without a word: GPUs would be missed minutes later. */
async function createInPodman(door: Door, name: string, body: CreateBody): Promise<string> {
  const id = await create(door, name, toPodmanBody(body));
  if (body.HostConfig.DeviceRequests === undefined || hasDevices(await inspect(door, id))) return id;
  await remove(door, id, true);
  throw DeployError.of('docker/refused', { problem: 'Podman hands out no GPUs by this API; use Docker, or --backend process' });
}

const lookMs = 100;

/** Another removal may be on its way already: then it is waited for, because "removed" is to mean gone. */
async function remove(door: Door, id: string, force: boolean): Promise<boolean> {
  const { actMs } = door.limits;
  const answer = await door.ask({ method: 'DELETE', path: toPath(id), query: { v: 1, force: force ? 1 : 0 } }, actMs);
  if (answer.status < 300) return true;
  if (answer.status === 404) return false;
  if (/removal of container .* is already in progress/.test(answer.problem)) {
    for (const deadline = performance.now() + actMs; performance.now() < deadline; await waitFor(lookMs)) {
      if ((await inspect(door, id)) === undefined) return true;
    }
  }
  if (isBadMoment(answer)) throw DeployError.of('docker/refused', { problem: answer.problem });
  throw door.toFailure(answer);
}

async function inspect(door: Door, id: string): Promise<Container | undefined> {
  // An empty id would ask for the list.
  if (id === '') return undefined;
  const answer = await door.ask({ path: `${toPath(id)}/json` });
  if (answer.status === 404) return undefined;
  if (answer.status !== 200 || toText(answer.value, 'Id') === undefined) throw door.toFailure(answer);
  return toContainer(answer.value);
}

function toContainer(value: unknown): Container {
  const state = toField(value, 'State');
  const [startedAt, finishedAt] = [toTime(state, 'StartedAt'), toTime(state, 'FinishedAt')];
  const status = toState(toText(state, 'Status'));
  const exitCode = toNumber(state, 'ExitCode');
  const config = toRecord(value, 'Config');
  const hostConfig = toRecord(value, 'HostConfig');
  return {
    id: toText(value, 'Id') ?? '',
    name: (toText(value, 'Name') ?? '').replace(/^\//, ''),
    imageId: toText(value, 'Image') ?? '',
    state: status,
    ...(toText(state, 'Status') === 'stopping' ? { isStopping: true } : {}),
    pid: toNumber(state, 'Pid') ?? 0,
    ...(exitCode !== undefined && finishedAt !== undefined && hasEnded(status) ? { exitCode } : {}),
    oomKilled: toField(state, 'OOMKilled') === true,
    error: toText(state, 'Error') ?? '',
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(finishedAt === undefined ? {} : { finishedAt }),
    restartPolicy: toText(hostConfig.RestartPolicy, 'Name') ?? 'no',
    labels: toTextRecord(config, 'Labels'),
    hostConfig,
    config,
    mounts: (toList(value, 'Mounts') ?? []).map(toMount),
  };
}

/** The status of a container that was started anew is that of its last end: it says nothing of this run. */
function hasEnded(state: ContainerState): boolean {
  return state === 'exited' || state === 'dead' || state === 'removing' || state === 'restarting';
}

const states: readonly ContainerState[] = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'];

/** Podman has words of its own for what is about to be one of these. */
function toState(text: string | undefined): ContainerState {
  return states.find((state) => state === text) ?? (text === 'stopping' ? 'running' : text === 'stopped' ? 'exited' : 'created');
}

/** Go writes a time that never was as the beginning of its calendar. */
function toTime(state: unknown, key: string): string | undefined {
  const text = toText(state, key);
  return text === undefined || text.startsWith('0001-01-01T00:00:00') ? undefined : text;
}

/** Of a volume its name: where the engine keeps it says nothing. */
function toMount(mount: unknown): Container['mounts'][number] {
  const type = toText(mount, 'Type') ?? 'bind';
  const source = (type === 'volume' ? toText(mount, 'Name') : undefined) ?? toText(mount, 'Source') ?? '';
  return { type, source, target: toText(mount, 'Destination') ?? '', writable: toField(mount, 'RW') !== false };
}

function toSummary(value: unknown): ContainerSummary {
  return {
    id: toText(value, 'Id') ?? '',
    names: (toTexts(value, 'Names') ?? []).map((name) => name.replace(/^\//, '')),
    state: toState(toText(value, 'State')),
    image: toText(value, 'Image') ?? '',
    labels: toTextRecord(value, 'Labels'),
  };
}

function toPath(id: string): string {
  return `/containers/${encodeURIComponent(id)}`;
}

function noContainer(id: string): DeployError {
  return DeployError.of('docker/no-container', { id: id.slice(0, 12) });
}

/** A network that is not there is a 404 too. */
function isGone(status: number, problem: string): boolean {
  return status === 404 && /no such container|no container with/i.test(problem);
}
