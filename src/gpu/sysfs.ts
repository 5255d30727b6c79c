/** Where NVIDIA GPUs sit in this machine, by /sys and /proc alone: also when nvidia-smi does not answer. */
import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDriverVersion } from './smi/kernel.ts';

export interface GpuPlace {
  /** `0000:01:00.0`, as in /sys. */
  readonly busId: string;
  /** Absent where the machine has one node only, or does not say. */
  readonly numaNode?: number;
  /** CPUs nearest to it: `0-13,28-41`. */
  readonly localCpus?: string;
  readonly link?: PcieLink;
  readonly linkMax?: PcieLink;
}

export interface PcieLink {
  /** As printed: `16.0 GT/s PCIe`. A GPU that idles may have lowered it. */
  readonly speed?: string;
  readonly generation?: number;
  readonly width?: number;
}

export interface GpuPlaces {
  readonly places: readonly GpuPlace[];
  /** Of the kernel module, which may differ from that of the libraries. */
  readonly driverVersion?: string;
  readonly openKernelModule?: boolean;
}

/** Never rejects: what cannot be read is absent. */
export async function observeGpuPlaces(root: string): Promise<GpuPlaces> {
  const directory = join(root, 'sys/bus/pci/devices');
  const slots = await listNames(directory);
  const [found, version] = await Promise.all([
    Promise.all(slots.map((slot) => readPlace(join(directory, slot), slot))),
    readLine(join(root, 'proc/driver/nvidia/version')),
  ]);
  return { places: found.flat(), ...parseDriverVersion(version ?? '') };
}

/** Which CPUs are near which GPU. */
export interface CpuPlaces {
  /** Those of the whole machine that are switched on: `0-55`. */
  readonly online?: string;
  /** Without the GPUs of which the kernel says nothing. */
  readonly gpus: readonly GpuCpus[];
}

export interface GpuCpus {
  /** As it was asked for. */
  readonly busId: string;
  readonly node: number;
  /** `0-13,28-41`. */
  readonly cpus: string;
}

/** Of GPUs by their bus ids, as nvidia-smi prints them. Never rejects. */
export async function observeCpuPlaces(busIds: readonly string[], root: string): Promise<CpuPlaces> {
  const [online, ...found] = await Promise.all([
    readLine(join(root, 'sys/devices/system/cpu/online')),
    ...busIds.map((busId) => readGpuCpus(busId, root)),
  ]);
  return { ...(online ? { online } : {}), gpus: found.flat() };
}

/** A node of −1 is none: then the list is that of the whole machine, and says nothing. */
async function readGpuCpus(busId: string, root: string): Promise<readonly GpuCpus[]> {
  const slot = toSysfsBusId(busId);
  if (slot === undefined) return [];
  const directory = join(root, 'sys/bus/pci/devices', slot);
  const [node = '', cpus = ''] = await Promise.all([readLine(join(directory, 'numa_node')), readLine(join(directory, 'local_cpulist'))]);
  return /^\d{1,4}$/.test(node) && /^\d[\d,-]*$/.test(cpus) ? [{ busId, node: Number(node), cpus }] : [];
}

/** What a GPU leaves on a machine besides a working nvidia-smi: device files, driver, PCI functions. */
export async function observeGpuSigns(root: string): Promise<readonly string[]> {
  const devices = (await listNames(join(root, 'dev'))).filter((name) => /^nvidia(\d+|ctl)$/.test(name)).map((name) => `/dev/${name}`);
  const driver = ['/proc/driver/nvidia', '/sys/module/nvidia'];
  const [found, { places }] = await Promise.all([
    Promise.all(driver.map(async (path) => ((await exists(join(root, path))) ? [path] : []))),
    observeGpuPlaces(root),
  ]);
  return [...devices, ...found.flat(), ...places.map(({ busId }) => `PCI ${busId}`)];
}

/** The bus ids of all GPUs that the driver has taken on, working or not. */
export async function listDriverGpus(root: string): Promise<readonly string[]> {
  return listNames(join(root, 'proc/driver/nvidia/gpus'));
}

/** nvidia-smi's `00000000:01:00.0` → `0000:01:00.0`, as /sys has it; undefined for anything else. */
export function toSysfsBusId(busId: string): string | undefined {
  const [, domain, place] = /^([0-9a-f]{4,8})(:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])$/i.exec(busId) ?? [];
  if (domain === undefined) return undefined;
  return `${domain.replace(/^0+(?=.{4})/, '')}${place}`.toLowerCase();
}

/** Display functions (class 03) of NVIDIA (vendor 10de): the sound function of a card is none. */
async function readPlace(path: string, busId: string): Promise<readonly GpuPlace[]> {
  const read = (name: string) => readLine(join(path, name));
  const [vendor, kind] = await Promise.all([read('vendor'), read('class')]);
  if (vendor !== '0x10de' || !kind?.startsWith('0x03')) return [];
  const [node, localCpus, speed, width, speedMax, widthMax] = await Promise.all(
    ['numa_node', 'local_cpulist', 'current_link_speed', 'current_link_width', 'max_link_speed', 'max_link_width'].map(read),
  );
  return [
    {
      busId,
      ...(node !== undefined && /^\d{1,4}$/.test(node) ? { numaNode: Number(node) } : {}),
      ...(localCpus ? { localCpus } : {}),
      ...toLink('link', speed, width),
      ...toLink('linkMax', speedMax, widthMax),
    },
  ];
}

/** Giga-transfers per second → generation. */
const generations = new Map([
  ['2.5', 1],
  ['5', 2],
  ['8', 3],
  ['16', 4],
  ['32', 5],
  ['64', 6],
]);

/** Old kernels write `5 GT/s`, newer ones `5.0 GT/s PCIe`, and `Unknown` where a virtual machine hides it. */
function toLink(
  key: 'link' | 'linkMax',
  speed: string | undefined,
  width: string | undefined,
): Partial<Pick<GpuPlace, 'link' | 'linkMax'>> {
  const rate = /^(\d+(?:\.\d+)?) GT\/s/.exec(speed ?? '')?.[1];
  const generation = rate === undefined ? undefined : generations.get(rate.replace(/\.0$/, ''));
  const lanes = /^[1-9]\d?$/.test(width ?? '') && width !== '63' ? Number(width) : undefined;
  const link = {
    ...(rate === undefined || speed === undefined ? {} : { speed }),
    ...(generation === undefined ? {} : { generation }),
    ...(lanes === undefined ? {} : { width: lanes }),
  };
  return Object.keys(link).length === 0 ? {} : { [key]: link };
}

async function readLine(path: string): Promise<string | undefined> {
  // Entries of /sys may be unreadable one by one; each is only absent then.
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text?.trim().split('\n')[0];
}

async function listNames(directory: string): Promise<readonly string[]> {
  // A directory that is not there, or not ours to read, has nothing to show.
  return readdir(directory).catch(() => []);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
