/**
 * What the processes of a launch take, every few seconds for next to nothing: which processes those are is looked up
 * rarely (it means a look at every process of the machine), and then each costs one short file of /proc.
 */
import { type KernelUnits, type ProcessUseFacts, readKernelUnits, readProcessUse } from '../../host/process-use.ts';
import { Membership } from '../../runtime/membership.ts';
import type { LaunchRecord } from '../../runtime/runtime.ts';
import type { Values } from './history.ts';

const searchEveryMs = 5 * 60_000;
/** Sooner where one of them has gone: others may have come. */
const searchAgainMs = 60_000;

interface Known {
  readonly launchId: string;
  readonly membership: Membership;
  readonly searchedAtMs: number;
  /** pid → start ticks. */
  readonly processes: ReadonlyMap<number, number>;
}

interface Look {
  readonly atMs: number;
  readonly uses: ReadonlyMap<number, ProcessUseFacts>;
}

export class LaunchUse {
  private known: Known | undefined;
  private last: Look | undefined;
  private units: KernelUnits | undefined;

  /** Nothing where no process of it can be seen (a container). `atMs`: monotonic. */
  async read(launch: LaunchRecord, atMs: number): Promise<Values> {
    this.units ??= await readKernelUnits();
    const known = await this.search(launch, atMs);
    const uses = readUses(known.processes);
    const cpuPercent = toCpuPercent(this.last, { atMs, uses }, this.units);
    if (uses.size < known.processes.size)
      this.known = { ...known, searchedAtMs: Math.min(known.searchedAtMs, atMs - searchEveryMs + searchAgainMs) };
    this.last = { atMs, uses };
    if (uses.size === 0) return {};
    const pages = [...uses.values()].reduce((sum, { rssPages }) => sum + rssPages, 0);
    return { rssBytes: pages * this.units.pageBytes, ...(cpuPercent === undefined ? {} : { cpuPercent }) };
  }

  private async search(launch: LaunchRecord, atMs: number): Promise<Known> {
    const same = this.known?.launchId === launch.launchId ? this.known : undefined;
    if (same && atMs - same.searchedAtMs < searchEveryMs) return same;
    if (same === undefined) this.last = undefined;
    // The keeper is not known before the launch has begun; of one that serves, it is.
    const membership = same?.membership ?? new Membership(launch);
    const found = await membership.find();
    const processes = new Map(found.map(({ pid, startTicks }) => [pid, startTicks]));
    this.known = { launchId: launch.launchId, membership, searchedAtMs: atMs, processes };
    return this.known;
  }
}

function readUses(processes: ReadonlyMap<number, number>): ReadonlyMap<number, ProcessUseFacts> {
  const found = [...processes].flatMap(([pid, startTicks]) => {
    const use = readProcessUse(pid);
    return use?.startTicks === startTicks ? [[pid, use] as const] : [];
  });
  return new Map(found);
}

/** Of those that were there both times. */
function toCpuPercent(before: Look | undefined, now: Look, { ticksPerSecond }: KernelUnits): number | undefined {
  if (before === undefined || now.atMs <= before.atMs) return undefined;
  const ticks = [...now.uses].flatMap(([pid, use]) => {
    const earlier = before.uses.get(pid);
    return earlier?.startTicks === use.startTicks ? [use.cpuTicks - earlier.cpuTicks] : [];
  });
  if (ticks.length === 0) return undefined;
  const seconds = ticks.reduce((sum, one) => sum + one, 0) / ticksPerSecond;
  return (100 * 1000 * seconds) / (now.atMs - before.atMs);
}
