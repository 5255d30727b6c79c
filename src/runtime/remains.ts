/** Everything of a process launch that may still be there: processes, temporary files, shared memory. */
import { lstat, readdir, readFile, rm } from 'node:fs/promises';
import { waitFor } from '../core/clock.ts';
import type { Survivor } from '../core/event.ts';
import { removeCapGroup } from '../host/cgroup.ts';
import { errnoOf, readTextFile, writeFileAtomic } from '../host/files.ts';
import { isAlive, type ProcessFacts, readBootId, readCommandLine, readUptimeTicks, readWaitChannel } from '../host/proc.ts';
import { Membership } from './membership.ts';
import type { LaunchRecord, ProcessIdentity, Remains } from './runtime.ts';

/** Between two sweeps; a process that forks while it is being killed is met in the next one. */
const sweepMs = 40;
/** The first one; most processes are gone within a few milliseconds. */
const firstSweepMs = 3;
/** How long the keeper may take to end after its engine. */
const keeperLimitMs = 2000;
/** Memory maps and command lines of a process that hangs in the kernel do not come, and nothing may wait for them. */
const memoryLookMs = 1000;
/** Each that hangs takes one of the four threads that read and write all files, for as long as it hangs. */
const hangingMost = 2;

export class ProcessRemains implements Remains {
  readonly record: LaunchRecord;
  private readonly membership: Membership;
  /** Shared memory files that members had mapped; they have random names and outlive a SIGKILL. */
  private readonly sharedMemory = new Set<string>();
  /** Looks at the memory of members that have not come back. */
  private hanging = 0;

  constructor(record: LaunchRecord) {
    this.record = record;
    this.membership = new Membership(record);
  }

  async members(): Promise<readonly Survivor[]> {
    return this.describe(await this.find());
  }

  async kill(withinMs: number): Promise<readonly Survivor[]> {
    await this.sample();
    const deadline = performance.now() + withinMs;
    let pauseMs = firstSweepMs;
    for (;;) {
      const members = await this.find();
      if (members.length === 0) return [];
      if (performance.now() > deadline) return this.describe(members);
      const now = readUptimeTicks();
      // One that began in this very tick could be mistaken for the next with its number: a moment later it cannot.
      await Promise.all(members.filter(({ startTicks }) => now > startTicks).map((facts) => signalVerified(facts, 'SIGKILL')));
      await waitFor(pauseMs);
      pauseMs = Math.min(2 * pauseMs, sweepMs);
    }
  }

  async tidy(): Promise<void> {
    const { tmpDir, memoryGroup, pidsGroup } = this.record;
    await this.endKeeper();
    await rm(tmpDir, { recursive: true, force: true });
    for (const path of await this.readNotedMemory()) await rm(path, { force: true });
    await rm(this.memoryFile, { force: true });
    if (memoryGroup) await removeCapGroup(memoryGroup);
    if (pidsGroup && pidsGroup !== memoryGroup) await removeCapGroup(pidsGroup);
  }

  /** It ends by itself when it has written down how the engine ended; on a busy machine that takes a moment. */
  private async endKeeper(): Promise<void> {
    const { keeper, bootId } = this.record;
    if (keeper === undefined || bootId !== (await readBootId())) return;
    if (await isGoneWithin(keeper, keeperLimitMs)) return;
    await signalVerified(keeper, 'SIGKILL');
    await isGoneWithin(keeper, keeperLimitMs);
  }

  async sample(): Promise<void> {
    const known = this.sharedMemory.size;
    const inodes = new Set<number>();
    for (const { pid } of await this.find())
      for (const inode of await this.lookAtMemory(() => readMappedInodes(pid), [])) inodes.add(inode);
    for (const path of await findSharedMemory(inodes)) this.sharedMemory.add(path);
    if (this.sharedMemory.size > known) await this.writeNotedMemory();
  }

  /** One after the other, so that only those that hang count as such. */
  private async describe(members: readonly ProcessFacts[]): Promise<readonly Survivor[]> {
    const described: Survivor[] = [];
    for (const { pid, comm, state } of members) {
      const command = await this.lookAtMemory(() => readCommandLine(pid), '');
      const wchan = await readWaitChannel(pid);
      described.push({ pid, command: command || comm, state, ...(wchan ? { wchan } : {}) });
    }
    return described;
  }

  private async lookAtMemory<T>(look: () => Promise<T>, otherwise: T): Promise<T> {
    if (this.hanging >= hangingMost) return otherwise;
    const looking = look();
    const over = new AbortController();
    const late = waitFor(memoryLookMs, over.signal).then(() => {
      if (!over.signal.aborted) this.noteHanging(looking);
      return otherwise;
    });
    try {
      return await Promise.race([looking, late]);
    } finally {
      over.abort();
    }
  }

  private noteHanging(looking: Promise<unknown>): void {
    const back = () => {
      this.hanging -= 1;
    };
    this.hanging += 1;
    looking.then(back, back);
  }

  private async find(): Promise<readonly ProcessFacts[]> {
    // Numbers of processes begin anew at every boot: whoever has ours now is a stranger.
    if (this.record.bootId !== (await readBootId())) return [];
    return this.membership.find();
  }

  /** On disk too: when everything is killed, supervisor included, nobody is left who could be asked. */
  private get memoryFile(): string {
    return `${this.record.exitFile}.shm`;
  }

  private async writeNotedMemory(): Promise<void> {
    try {
      await writeFileAtomic(this.memoryFile, [...this.sharedMemory].join('\n'));
    } catch (error) {
      // A full disk: what is in memory is enough as long as we live.
      if (errnoOf(error) === undefined) throw error;
    }
  }

  private async readNotedMemory(): Promise<ReadonlySet<string>> {
    const noted = (await readTextFile(this.memoryFile)) ?? '';
    return new Set([...this.sharedMemory, ...noted.split('\n').filter((path) => sharedMemoryPattern.test(path))]);
  }
}

async function isGoneWithin(identity: ProcessIdentity, limitMs: number): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  while (await isAlive(identity)) {
    if (performance.now() > deadline) return false;
    await waitFor(firstSweepMs);
  }
  return true;
}

/**
 * Signals a process only if it is still the one that was meant, checked right before.
 * Node has no pidfd: between the check and the signal a window of microseconds remains.
 */
export async function signalVerified(identity: ProcessIdentity, signal: NodeJS.Signals): Promise<boolean> {
  if (!(await isAlive(identity))) return false;
  try {
    process.kill(identity.pid, signal);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ESRCH' || errnoOf(error) === 'EPERM') return false;
    throw error;
  }
}

const sharedMemoryDirectory = '/dev/shm';
/**
 * Python's multiprocessing names: blocks `psm_…`, semaphores `sem.mp-…`; and what workers of one model on the CPU share,
 * `vllm_dist_…-tp:0-[0-1]-cpushm_0`. Nothing else is ever deleted.
 */
const sharedMemoryPattern = /^\/dev\/shm\/(?:psm_|sem\.mp-|vllm_dist_)[\w.:[\]-]+$/;

/**
 * By inode, which belongs to one file for as long as somebody has it mapped. Not by the path that is shown beside it:
 * whoever makes a semaphore has it under a name of the C library's (`sem.9zh35o (deleted)`), the file being linked to
 * its own name afterwards.
 */
async function readMappedInodes(pid: number): Promise<readonly number[]> {
  try {
    const maps = await readFile(`/proc/${pid}/maps`, 'utf8');
    return [...maps.matchAll(/ (\d+) +\/dev\/shm\//g)].map(([, inode]) => Number(inode));
  } catch {
    // ended meanwhile, or not ours to read: nothing to remember
    return [];
  }
}

async function findSharedMemory(inodes: ReadonlySet<number>): Promise<readonly string[]> {
  if (inodes.size === 0) return [];
  try {
    const paths = (await readdir(sharedMemoryDirectory)).map((name) => `${sharedMemoryDirectory}/${name}`);
    const named = paths.filter((path) => sharedMemoryPattern.test(path));
    const found = await Promise.all(named.map(async (path) => ({ path, inode: await readInode(path) })));
    return found.filter(({ inode }) => inode !== undefined && inodes.has(inode)).map(({ path }) => path);
  } catch (error) {
    // A machine without it, or no descriptor left.
    if (errnoOf(error) === undefined) throw error;
    return [];
  }
}

async function readInode(path: string): Promise<number | undefined> {
  try {
    return (await lstat(path)).ino;
  } catch (error) {
    // deleted meanwhile
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}
