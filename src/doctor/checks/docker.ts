/** A Docker engine, for those who run theirs in containers. Without one, nothing is wrong with a machine. */
import { join } from 'node:path';
import { type Message, say } from '../../core/message.ts';
import { toSizeText } from '../../core/units.ts';
import { compareVersions } from '../../engine/version.ts';
import type { DockerObservation } from '../../host/docker/observe.ts';
import { checkPools, defaultPools, parseRoutes, toNetworkText } from '../address-pools.ts';
import type { Check, CheckOutcome, DoctorContext, DoctorSubject } from '../check.ts';
import { listBelow, readBelow, readWord, toUnread } from '../read.ts';
import { askSpace, type ReadSpace, readSpace } from '../space.ts';

const group = 'docker';

export const dockerChecks: readonly Check[] = createDockerChecks(readSpace);

/** With another way to ask for room: a full disk is not made in a test. */
export function createDockerChecks(read: ReadSpace): readonly Check[] {
  return [
    { id: 'docker.reachable', group, isNeeded: isContained, run: checkReachable },
    { id: 'docker.permission', group, isNeeded: isContained, run: checkPermission },
    { id: 'docker.api-version', group, isNeeded: isContained, run: whenPresent(checkApi) },
    { id: 'docker.nvidia', group, isNeeded: isContained, run: whenPresent(checkNvidia) },
    { id: 'docker.cgroup-driver', group, run: whenPresent(checkCgroupDriver) },
    { id: 'docker.address-pools', group, run: whenPresent(checkAddresses) },
    { id: 'docker.leftovers', group, run: whenPresent(checkLeftovers) },
    { id: 'docker.storage', group, run: whenPresent((docker, context) => checkStorage(docker, context, read)) },
  ];
}

type Docker = Extract<DockerObservation, { is: 'present' }>;

function isContained({ plan }: DoctorSubject): boolean {
  return plan.backend === 'docker';
}

function whenPresent(run: (docker: Docker, context: DoctorContext) => CheckOutcome | Promise<CheckOutcome>): Check['run'] {
  return async (context) => {
    const docker = await context.docker();
    return docker.is === 'present' ? run(docker, context) : { status: 'skip', message: say('doctor.docker.none') };
  };
}

/** Bad news only for who needs it: most people run a process. */
function toBad({ subject }: DoctorContext): 'fail' | 'warn' {
  return subject && isContained(subject) ? 'fail' : 'warn';
}

async function checkReachable(context: DoctorContext): Promise<CheckOutcome> {
  const docker = await context.docker();
  const { socket } = docker;
  if (docker.is === 'present') {
    const { version, operatingSystem, warnings = [] } = docker;
    const evidence = [...(operatingSystem ? [operatingSystem] : []), ...warnings];
    return { status: 'pass', message: say('doctor.docker.reachable', { version, socket }), evidence };
  }
  if (docker.is === 'forbidden') return { status: 'skip', message: say('doctor.docker.reachable.forbidden', { socket }) };
  if (docker.is === 'absent') {
    const message = say('doctor.docker.reachable.absent', { socket });
    if (!context.subject || !isContained(context.subject)) return { status: 'skip', message };
    return { status: 'fail', message, hint: say('doctor.docker.reachable.install') };
  }
  const message = say('doctor.docker.reachable.silent', { socket, problem: docker.problem });
  return { status: toBad(context), message, hint: toSilentHint(docker.problem) };
}

function toSilentHint(problem: string): Message {
  if (problem === 'EPROTONOSUPPORT' || problem === 'EINVAL') return say('doctor.docker.reachable.scheme');
  if (problem === 'ECONNREFUSED' || problem === 'ETIMEDOUT') return say('doctor.docker.reachable.start');
  return say('doctor.docker.reachable.other');
}

async function checkPermission(context: DoctorContext): Promise<CheckOutcome> {
  const docker = await context.docker();
  const { socket } = docker;
  if (docker.is === 'present') {
    return { status: 'pass', message: docker.rootless ? say('doctor.docker.permission.rootless') : say('doctor.docker.permission') };
  }
  if (docker.is !== 'forbidden') return { status: 'skip', message: say('doctor.docker.none') };
  const message = say('doctor.docker.permission.none', { socket, problem: docker.problem });
  const { env } = context;
  const members = readWord(context, '/etc/group')?.match(/^docker:[^:]*:\d+:(.*)$/m)?.[1];
  const user = env.USER || env.LOGNAME || '$USER';
  const isMember = members?.split(',').includes(user);
  const hint = isMember ? say('doctor.docker.permission.log-in') : say('doctor.docker.permission.join');
  const command = isMember ? 'newgrp docker' : `sudo usermod -aG docker ${user}`;
  return { status: toBad(context), message, hint, ...(members === undefined ? {} : { fix: { is: 'command', command } }) };
}

/** Docker 20.10: device requests for GPUs, and control groups of version 2. */
const oldestApi = '1.41';

function checkApi({ apiVersion, apiVersionMin, version }: Docker, context: DoctorContext): CheckOutcome {
  const evidence = [`ApiVersion: ${apiVersion}`, ...(apiVersionMin ? [`MinAPIVersion: ${apiVersionMin}`] : [])];
  if (compareVersions(apiVersion, oldestApi) >= 0) {
    return { status: 'pass', message: say('doctor.docker.api', { api: apiVersion, version }), evidence };
  }
  const message = say('doctor.docker.api.old', { api: apiVersion, version, oldest: oldestApi });
  return { status: toBad(context), message, hint: say('doctor.docker.api.update'), evidence };
}

/** The first toolkit without CVE-2025-23266, by which an image could take over the host. */
const soundToolkit = '1.17.8';

async function checkNvidia(docker: Docker, context: DoctorContext): Promise<CheckOutcome> {
  const skip = await toNoGpu(docker, context);
  if (skip) return skip;
  const specs = listSpecs(docker, context);
  const devices = docker.cdiDevices?.filter(isNvidia) ?? [];
  const hasRuntime = docker.runtimes.includes('nvidia');
  const evidence = [`Runtimes: ${docker.runtimes.join(' ')}`, ...devices, ...specs];
  if (!hasRuntime && !hasCdi(docker, specs)) {
    const message = specs.length > 0 ? say('doctor.docker.nvidia.cdi-off', { spec: specs[0] ?? '' }) : say('doctor.docker.nvidia.none');
    const command = 'sudo nvidia-ctk runtime configure --runtime=docker && sudo systemctl restart docker';
    return { status: toBad(context), message, hint: say('doctor.docker.nvidia.configure'), evidence, fix: { is: 'command', command } };
  }
  const toolkit = /\bversion (\d+\.\d+\.\d+)/.exec((await context.run('nvidia-ctk', ['--version'])).stdout)?.[1];
  if (toolkit !== undefined && compareVersions(toolkit, soundToolkit) < 0) {
    const message = say('doctor.docker.nvidia.toolkit', { toolkit });
    return { status: 'warn', message, hint: say('doctor.docker.nvidia.update', { sound: soundToolkit }), evidence };
  }
  return { status: 'pass', message: hasRuntime ? say('doctor.docker.nvidia.runtime') : say('doctor.docker.nvidia.cdi'), evidence };
}

function isNvidia(device: string): boolean {
  return device.startsWith('nvidia.com/gpu=');
}

/** Skipped without a GPU, and where the engine is on another machine than the GPU. */
async function toNoGpu({ socket }: Docker, { gpus }: DoctorContext): Promise<CheckOutcome | undefined> {
  if (!socket.startsWith('/')) return { status: 'skip', message: say('doctor.docker.remote', { socket }) };
  return (await gpus()).is === 'present' ? undefined : { status: 'skip', message: say('doctor.docker.no-gpu') };
}

/** An engine that does not list its devices may use the specs all the same, if it reads them at all. */
function hasCdi({ cdiDevices, cdiSpecDirectories = [] }: Docker, specs: readonly string[]): boolean {
  return cdiDevices ? cdiDevices.some(isNvidia) : cdiSpecDirectories.length > 0 && specs.length > 0;
}

const usualSpecDirectories = ['/etc/cdi', '/var/run/cdi'];

/** Specs of NVIDIA's devices; named by the path that people know, whatever root they were read below. */
function listSpecs({ cdiSpecDirectories }: Docker, context: DoctorContext): readonly string[] {
  const directories = cdiSpecDirectories?.length ? cdiSpecDirectories : usualSpecDirectories;
  return directories.flatMap((directory) =>
    listBelow(context, directory)
      .filter((name) => /\.(ya?ml|json)$/.test(name) && /nvidia\.com\/gpu/.test(readWord(context, join(directory, name)) ?? ''))
      .map((name) => join(directory, name)),
  );
}

/** With systemd, `daemon-reload` writes the rules of devices anew, without those that only the runtime knows. */
async function checkCgroupDriver(docker: Docker, context: DoctorContext): Promise<CheckOutcome> {
  const { cgroupDriver: driver, cgroupVersion = '1' } = docker;
  if (driver === undefined) return { status: 'skip', message: say('doctor.docker.cgroup.untold') };
  const evidence = [`CgroupDriver: ${driver}`, `CgroupVersion: ${cgroupVersion}`];
  const skip = await toNoGpu(docker, context);
  if (skip || driver !== 'systemd' || hasCdi(docker, listSpecs(docker, context))) {
    return { status: 'pass', message: say('doctor.docker.cgroup', { driver, version: cgroupVersion }), evidence };
  }
  const command = 'sudo nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml';
  const message = say('doctor.docker.cgroup.systemd');
  return { status: 'warn', message, hint: say('doctor.docker.cgroup.cdi'), evidence, fix: { is: 'command', command } };
}

/** Fewer that are left are soon taken by a compose file or two. */
const fewNetworks = 2;

function checkAddresses({ socket, rootless, addressPools }: Docker, context: DoctorContext): CheckOutcome {
  if (!socket.startsWith('/')) return { status: 'skip', message: say('doctor.docker.remote', { socket }) };
  if (rootless) return { status: 'skip', message: say('doctor.docker.pools.rootless') };
  const table = readBelow(context, '/proc/net/route');
  if (table.is !== 'text') return toUnread(table);
  const { total, free, clashes } = checkPools(addressPools ?? defaultPools, parseRoutes(table.text));
  if (total === 0) return { status: 'skip', message: say('doctor.docker.pools.none') };
  const hint = say('doctor.docker.pools.choose');
  const [clash] = clashes;
  if (clash) {
    const evidence = clashes.map(
      ({ docker, route }) => `${toNetworkText(docker)} ${docker.device}, ${toNetworkText(route)} ${route.device}`,
    );
    const { docker, route } = clash;
    const params = { docker: toNetworkText(docker), bridge: docker.device, route: toNetworkText(route), device: route.device };
    return { status: 'warn', message: say('doctor.docker.pools.clash', params), hint, evidence };
  }
  if (free > fewNetworks) return { status: 'pass', message: say('doctor.docker.pools', { free, total }) };
  return { status: 'warn', message: say('doctor.docker.pools.few', { free, total }), hint: say('doctor.docker.pools.prune') };
}

/** Those of a supervisor that was killed with its record, of a home that was deleted. */
async function checkLeftovers(_docker: Docker, { leftContainers }: DoctorContext): Promise<CheckOutcome> {
  const left = await leftContainers();
  if (left.length === 0) return { status: 'pass', message: say('doctor.docker.leftovers.none') };
  const evidence = left.map(({ id, name, isOfThisHome }) => `${id.slice(0, 12)} ${name}${isOfThisHome ? '' : ' (another home)'}`);
  const command = `docker rm --force ${left.map(({ id }) => id.slice(0, 12)).join(' ')}`;
  const message = say('doctor.docker.leftovers', { count: left.length, names: left.map(({ name }) => name).join(', ') });
  return { status: 'warn', message, hint: say('doctor.docker.leftovers.remove'), evidence, fix: { is: 'command', command } };
}

/** vLLM's image takes 8 to 10 GB to fetch and about twice that when it is unpacked; both are there at once. */
const imageBytes = 30 * 2 ** 30;

async function checkStorage(docker: Docker, { root }: DoctorContext, read: ReadSpace): Promise<CheckOutcome> {
  const { socket, rootDirectory, storageDriver = '-' } = docker;
  const evidence = [`Driver: ${storageDriver}`, `DockerRootDir: ${rootDirectory ?? '-'}`];
  if (storageDriver === 'vfs') {
    return { status: 'warn', message: say('doctor.docker.storage.vfs'), hint: say('doctor.docker.storage.overlay'), evidence };
  }
  if (!socket.startsWith('/')) return { status: 'skip', message: say('doctor.docker.remote', { socket }) };
  if (rootDirectory === undefined) return { status: 'skip', message: say('doctor.docker.storage.untold') };
  const space = await askSpace(join(root, rootDirectory), read);
  if ('status' in space) return space;
  const params = { free: toSizeText(space.freeBytes), directory: rootDirectory };
  if (space.freeBytes >= imageBytes)
    return { status: 'pass', message: say('doctor.docker.storage', { ...params, driver: storageDriver }), evidence };
  const message = say('doctor.docker.storage.full', { ...params, need: toSizeText(imageBytes) });
  return { status: 'warn', message, hint: say('doctor.docker.storage.prune'), evidence };
}
