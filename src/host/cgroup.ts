/**
 * Caps for a process tree without systemd or Docker: control groups of our own, where the host lets us make them (root,
 * or a delegated tree). Both layouts: the unified one (v2), where one group caps everything, and the controllers of v1,
 * where each has its own. They are made below our own group, so that a cap that somebody put on us (a unit, a container)
 * holds for the engine too.
 */
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { waitFor } from '../core/clock.ts';
import { errnoOf, readTextFile } from './files.ts';

/** What can be capped; the name is that of the kernel's controller. */
export type Cap = 'memory' | 'pids';

export interface CapGroup {
  /** A process that writes its pid here is a member from then on, with all its children. */
  readonly procsFile: string;
  readonly directory: string;
  readonly caps: readonly Cap[];
}

export interface CapGroups {
  readonly groups: readonly CapGroup[];
  /** Why a cap could not be set. */
  readonly problems: Readonly<Partial<Record<Cap, string>>>;
}

const mount = '/sys/fs/cgroup';
/** The last members of a group may still be on their way out when nothing of them can be seen any more. */
const removalLimitMs = 2000;

/** Makes groups with these caps (bytes, processes and threads). Never throws: where it cannot be done, the reason is returned. */
export async function createCapGroups(name: string, limits: Readonly<Partial<Record<Cap, number>>>): Promise<CapGroups> {
  const wanted = (['memory', 'pids'] as const).flatMap((cap) => (limits[cap] === undefined ? [] : [{ cap, limit: limits[cap] }]));
  if (wanted.length === 0) return { groups: [], problems: {} };
  const together = await tryGroup(() => makeUnified(name, wanted));
  if ('directory' in together) return { groups: [together], problems: {} };
  const groups: CapGroup[] = [];
  const problems: Partial<Record<Cap, string>> = {};
  for (const one of wanted) {
    const made = await makeAlone(name, one, { unified: wanted.length > 1 && groups.length === 0 });
    if ('directory' in made) groups.push(made);
    else problems[one.cap] = `${together.problem}, ${made.problem}`;
  }
  return { groups, problems };
}

/** Removes a group whose members are gone, waiting a moment for the last of them; one that cannot be removed stays. */
export async function removeCapGroup(directory: string): Promise<void> {
  const deadline = performance.now() + removalLimitMs;
  for (;;) {
    try {
      return await rmdir(directory);
    } catch (error) {
      const code = errnoOf(error);
      if (code === undefined) throw error;
      if (code !== 'EBUSY' || performance.now() > deadline) return;
    }
    await waitFor(20);
  }
}

/** Whether a process is under the cap; true when it cannot be said because it has already gone. */
export async function isCapped(pid: number, cap: Cap, { directory }: CapGroup): Promise<boolean> {
  const text = await readTextFile(`/proc/${pid}/cgroup`).catch(() => undefined);
  if (text === undefined) return true;
  const tail = directory.slice(directory.lastIndexOf('/'));
  return text.split('\n').some((line) => {
    const controllers = line.split(':')[1] ?? '';
    return line.endsWith(tail) && (controllers === '' || controllers.split(',').includes(cap));
  });
}

interface WantedCap {
  readonly cap: Cap;
  readonly limit: number;
}

type Made = CapGroup | { readonly problem: string };

async function tryGroup(make: () => Promise<CapGroup>): Promise<Made> {
  try {
    return await make();
  } catch (error) {
    return { problem: errnoOf(error) ?? (error instanceof Error ? error.message : String(error)) };
  }
}

/** A process has one group of the unified layout only, so that is an offer for the first cap alone. */
async function makeAlone(name: string, wanted: WantedCap, { unified }: { readonly unified: boolean }): Promise<Made> {
  const made = await tryGroup(() => makeLegacy(name, wanted));
  return 'directory' in made || !unified ? made : tryGroup(() => makeUnified(name, [wanted]));
}

async function makeUnified(name: string, wanted: readonly WantedCap[]): Promise<CapGroup> {
  const parent = await findUnifiedParent(wanted.map(({ cap }) => cap));
  const files = wanted.map(({ cap, limit }) => ({ file: `${cap}.max`, limit }));
  return makeGroup(join(parent, `qwen-deploy-${name}`), { caps: wanted.map(({ cap }) => cap), files });
}

async function makeLegacy(name: string, { cap, limit }: WantedCap): Promise<CapGroup> {
  const file = { memory: 'memory.limit_in_bytes', pids: 'pids.max' }[cap];
  return makeGroup(join(await findLegacyParent(cap), `qwen-deploy-${name}`), { caps: [cap], files: [{ file, limit }] });
}

interface GroupPlan {
  readonly caps: readonly Cap[];
  readonly files: readonly { readonly file: string; readonly limit: number }[];
}

async function makeGroup(directory: string, { caps, files }: GroupPlan): Promise<CapGroup> {
  await mkdir(directory);
  try {
    for (const { file, limit } of files) await writeFile(join(directory, file), String(limit));
  } catch (error) {
    await removeCapGroup(directory);
    throw error;
  }
  return { directory, procsFile: join(directory, 'cgroup.procs'), caps };
}

/** The nearest group above us that hands the controllers down; a group with processes of its own cannot. */
async function findUnifiedParent(caps: readonly Cap[]): Promise<string> {
  for (let path = await readOwnPath(/^0::(.*)$/m); ; path = dirname(path)) {
    const controllers = (await readTextFile(join(mount, path, 'cgroup.subtree_control')))?.split(/\s+/) ?? [];
    if (caps.every((cap) => controllers.includes(cap))) return join(mount, path);
    if (path === '/') throw new Error(`the controller is not enabled: ${caps.filter((cap) => !controllers.includes(cap)).join(', ')}`);
  }
}

/** In a container our path may be one of the host, which is not mounted: then the mount itself is our group. */
async function findLegacyParent(cap: Cap): Promise<string> {
  const top = join(mount, cap);
  const own = join(top, await readOwnPath(new RegExp(`^\\d+:(?:.*,)?${cap}(?:,.*)?:(.*)$`, 'm')));
  if ((await readTextFile(join(own, 'cgroup.procs'))) !== undefined) return own;
  await readFile(join(top, 'cgroup.procs'), 'utf8');
  return top;
}

async function readOwnPath(pattern: RegExp): Promise<string> {
  return pattern.exec(await readFile('/proc/self/cgroup', 'utf8'))?.[1] ?? '/';
}
