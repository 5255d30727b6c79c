/** Runs an engine as a container: create, start, look whether it got what was ordered. */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { waitFor } from '../../core/clock.ts';
import { DeployError } from '../../core/error.ts';
import type { LaunchedImage, Survivor } from '../../core/event.ts';
import { connectDocker } from '../../host/docker/connect.ts';
import type { Container, Docker } from '../../host/docker/docker.ts';
import { splitReference } from '../../host/docker/reference.ts';
import { toContainerEnvironment, toPlaces } from '../../host/environment.ts';
import { errnoOf } from '../../host/files.ts';
import { readHomeId } from '../../host/home-id.ts';
import { readBootId, readProcess, readUptimeTicks } from '../../host/proc.ts';
import type { ContainerSpec } from '../../plan/launch-spec.ts';
import { signalVerified } from '../remains.ts';
import type { Exit, Instance, LaunchOrder, LaunchRecord, Notice, ProcessIdentity, Runtime } from '../runtime.ts';
import { isOutOfSight } from '../sight.ts';
import { toCreateBody } from './body.ts';
import { findHand } from './ended.ts';
import { toDockerFiles } from './files.ts';
import { labelNames, toContainerName } from './labels.ts';
import { checkContainer } from './limits.ts';
import { copyLog } from './log-copy.ts';
import { LostGpuLook } from './lost-gpus.ts';
import { followMemory, withMemory } from './peak.ts';
import { DockerRemains, isRunning } from './remains.ts';
import { giveTo, writeSecrets } from './secrets.ts';
import { watchContainer } from './watch.ts';

/** Of one answer. */
const timeoutMs = 10_000;
/** How long nvidia-smi may take inside of a container that has just started. */
const insideMs = 5000;
/** After its end the last lines of the log are waited for, which say why: as long as more come, but not for ever. */
const lastWordsMs = { silent: 3000, most: 30_000 } as const;

export function createDockerRuntime(env: NodeJS.ProcessEnv): Runtime {
  const docker = keepConnection(env);
  return {
    launch: (order) => launch({ ...withInherited(order, env), home: readHomeId(toPlaces(env).state) }, docker),
    adopt: (record) => adopt(record, docker),
    remains: (record) => new DockerRemains(record, docker),
    findHand: (record) => findHand(record, docker),
  };
}

/** What it inherits goes the way of the secrets: a proxy's address may hold a password. */
function withInherited(order: LaunchOrder, env: NodeJS.ProcessEnv): LaunchOrder {
  const inherited = toContainerEnvironment(env, { offline: order.spec.env.HF_HUB_OFFLINE === '1' });
  const own = Object.entries(inherited).filter(([name]) => !Object.hasOwn(order.spec.env, name));
  return { ...order, secrets: { ...Object.fromEntries(own), ...order.secrets } };
}

type Door = () => Promise<Docker>;

/** One for all questions; tried again while there is none. */
function keepConnection(env: NodeJS.ProcessEnv): Door {
  let connected: Promise<Docker> | undefined;
  return () => {
    const door =
      connected ??
      connectDocker(env, { timeoutMs }).catch((error: unknown) => {
        connected = undefined;
        throw error;
      });
    connected = door;
    return door;
  };
}

interface HomeOrder extends LaunchOrder {
  readonly home: string;
}

async function launch(order: HomeOrder, door: Door): Promise<Instance> {
  const { container } = order.spec;
  if (container === undefined) throw new Error('a launch of the backend docker says nothing of its container');
  const docker = await door();
  const remains = new DockerRemains(order.record, door);
  try {
    const secretsFile = await writeFiles(order, container);
    const id = await create(docker, { ...order, container, ...(secretsFile === undefined ? {} : { secretsFile }) });
    await docker.start(id);
    const record = await complete(docker, id, order);
    return new DockerInstance(record, door);
  } catch (error) {
    // Whoever is told that nothing was started must be able to rely on it.
    await remains.kill(timeoutMs).catch(() => undefined);
    await remains.tidy().catch(() => undefined);
    if (error instanceof DeployError || errnoOf(error) === undefined) throw error;
    const path = dirname(order.record.logFile);
    throw DeployError.of('runtime/launch-files', { path, problem: errnoOf(error) ?? '' }, { cause: error });
  }
}

/** The path of the file with the secrets, where there are any. */
async function writeFiles({ record, secrets }: LaunchOrder, { mounts, user }: ContainerSpec): Promise<string | undefined> {
  await mkdir(dirname(record.logFile), { recursive: true, mode: 0o700 });
  // Docker would make them itself, as root's.
  for (const { source, create } of mounts) if (create) await makeFor(source, user);
  if (Object.keys(secrets).length === 0) return undefined;
  const path = toDockerFiles(record).secrets;
  await writeSecrets(path, secrets, user);
  return path;
}

/** A root without capabilities may not write what is another's, and neither may anybody else. */
async function makeFor(directory: string, user: string | undefined): Promise<void> {
  const made = await mkdir(directory, { recursive: true, mode: 0o700 });
  if (made !== undefined && user !== undefined && process.getuid?.() === 0) await giveTo(directory, user);
}

interface Creation extends HomeOrder {
  readonly container: ContainerSpec;
  readonly secretsFile?: string;
}

/** The answer may be lost while the container is made: then it is found by its label. */
async function create(docker: Docker, order: Creation): Promise<string> {
  const { deployment, record } = order;
  try {
    return await docker.create(toContainerName(deployment, record), toCreateBody(order));
  } catch (error) {
    const [made] = await docker.list([`${labelNames.launch}=${record.launchId}`]).catch(() => []);
    if (made) return made.id;
    throw error;
  }
}

async function complete(docker: Docker, id: string, { spec, record }: LaunchOrder): Promise<LaunchRecord> {
  const container = await docker.inspect(id);
  if (container === undefined) throw DeployError.of('docker/no-container', { id: id.slice(0, 12) });
  const process = docker.isLocal ? await identify(container) : undefined;
  const lookInside = async () => (await docker.exec(id, ['nvidia-smi', '-L'], insideMs).catch(() => undefined))?.text;
  const checked = await checkContainer(container, { spec, lookInside, ...(process === undefined ? {} : { pid: process.pid }) });
  const image = await readImage(docker, container.imageId, spec.container?.image ?? '');
  return { ...record, containerId: id, image, ...(process === undefined ? {} : { process }), ...checked };
}

/** What it was really made of: a tag may have been given to another image since the plan was made. */
async function readImage(docker: Docker, id: string, reference: string): Promise<LaunchedImage> {
  const { digests = [] } = (await docker.images.inspect(id).catch(() => undefined)) ?? {};
  const { name } = splitReference(reference);
  const digest = (digests.find((one) => one.startsWith(`${name}@`)) ?? digests[0])?.split('@')[1];
  return { reference, id, ...(digest === undefined ? {} : { digest }) };
}

/** Undefined where /proc does not show it: the engine runs in a virtual machine, or the container has ended already. */
async function identify({ id, pid }: Container): Promise<ProcessIdentity | undefined> {
  if (pid === 0) return undefined;
  const facts = await readProcess(pid);
  if (facts === undefined || readUptimeTicks() < facts.startTicks) return undefined;
  const { isInContainer } = await import('../../host/container-group.ts');
  return (await isInContainer(pid, id)) ? { pid, startTicks: facts.startTicks } : undefined;
}

/** By id, else by label. Throws while the engine cannot be asked: then nothing is known. */
async function adopt(record: LaunchRecord, door: Door): Promise<Instance | undefined> {
  // A machine that was restarted has ended them all: nothing of ours starts by itself.
  if (record.bootId !== (await readBootId())) return undefined;
  const docker = await door();
  const labelled = await docker.list([`${labelNames.launch}=${record.launchId}`]);
  const id = record.containerId ?? labelled[0]?.id;
  const container = id === undefined ? undefined : await docker.inspect(id);
  if (container === undefined || container.labels[labelNames.launch] !== record.launchId || !isRunning(container)) return undefined;
  // Another one than what is recorded where somebody has restarted the container; of one that is gone the watch is told too.
  const process = (docker.isLocal ? await identify(container) : undefined) ?? record.process;
  return new DockerInstance({ ...record, containerId: container.id, ...(process === undefined ? {} : { process }) }, door);
}

class DockerInstance extends DockerRemains implements Instance {
  readonly exited: Promise<Exit>;
  private readonly watching = new AbortController();
  private readonly unheard: Notice[] = [];
  private listener: ((notice: Notice) => void) | undefined;
  private readonly lostGpus: LostGpuLook;
  private asked = false;
  private paused = false;

  constructor(record: LaunchRecord, door: Door) {
    super(record, door);
    this.lostGpus = new LostGpuLook(door, record.containerId ?? '');
    const { containerId = '', logFile, process, memoryGroup } = record;
    const { signal } = this.watching;
    let heardAt = 0;
    const onLines = () => {
      heardAt = performance.now();
    };
    const copied = copyLog({ docker: door, containerId, logFile, cursorFile: toDockerFiles(record).cursor, onLines }, signal);
    const parts = {
      ...{ docker: door, containerId, ...(process === undefined ? {} : { process }) },
      asked: () => this.asked,
      onNotice: (notice: Notice) => this.tell(notice),
      onPaused: (paused: boolean) => {
        this.paused = paused;
      },
    };
    const seen = memoryGroup === undefined ? () => undefined : followMemory(memoryGroup, signal);
    this.exited = watchContainer(parts, signal).then(async (exit) => {
      // It says more, to whoever adopts it: two who copy would write everything twice.
      if (exit.by === 'restarted') this.watching.abort();
      await (exit.by === 'restarted' ? copied : waitForLastWords(copied, () => heardAt));
      return withMemory(exit, { containerId, seen: seen() });
    });
  }

  notices(tell: (notice: Notice) => void): void {
    this.listener = tell;
    for (const notice of this.unheard.splice(0)) tell(notice);
  }

  observeLostGpus(): Promise<string | undefined> {
    return this.lostGpus.look();
  }

  /** A paused container's processes wait in the kernel like others that wait: only the engine can tell. */
  override async members(): Promise<readonly Survivor[]> {
    const members = await super.members();
    return this.paused ? members.map((member) => ({ ...member, state: 'T' })) : members;
  }

  override kill(withinMs: number): Promise<readonly Survivor[]> {
    this.asked = true;
    return super.kill(withinMs);
  }

  async terminate(): Promise<void> {
    this.asked = true;
    try {
      await this.terminateAll();
    } catch (error) {
      // The kernel does it where Docker cannot be asked, if we may: requests end, where a kill would cut them off.
      if (!isOutOfSight(error) || !(await this.terminateMain())) throw error;
    }
  }

  private async terminateMain(): Promise<boolean> {
    const { process } = this.record;
    return process !== undefined && (await signalVerified(process, 'SIGTERM')) && (await signalVerified(process, 'SIGCONT'));
  }

  private async terminateAll(): Promise<void> {
    const docker = await this.docker();
    for (const container of (await this.find()).filter(isRunning)) {
      await docker.signal(container.id, 'SIGTERM');
      // A stopped process takes no notice of SIGTERM until it goes on.
      await docker.signal(container.id, 'SIGCONT');
      // A paused one takes no notice until it goes on.
      if (container.state === 'paused') await docker.unpause(container.id);
    }
  }

  release(): void {
    this.watching.abort();
  }

  private tell(notice: Notice): void {
    if (this.listener) this.listener(notice);
    else this.unheard.push(notice);
  }
}

async function waitForLastWords(copied: Promise<void>, heardAt: () => number): Promise<void> {
  const over = new AbortController();
  void copied.finally(() => over.abort());
  const begun = performance.now();
  while (!over.signal.aborted && performance.now() - begun < lastWordsMs.most) {
    if (performance.now() - Math.max(heardAt(), begun) > lastWordsMs.silent) return;
    await waitFor(200, over.signal);
  }
}
