/** The end of a launch, made sure of: what is left of it is ended, and what it held is back. */
import { type Clock, waitFor } from '../../core/clock.ts';
import type { LifeEvent, Survivor } from '../../core/event.ts';
import { probePort } from '../../host/net.ts';
import { findPortOwner } from '../../host/port-owner.ts';
import type { LaunchSpec } from '../../plan/launch-spec.ts';
import type { Remains } from '../../runtime/runtime.ts';
import type { GpuDoor } from '../gpu/door.ts';
import type { RunSignal } from '../signal.ts';
import type { State } from '../state.ts';
import { toLaunchedSpec, toProblem } from './work.ts';

/** After a crash the port may stay taken for a moment; a stranger who takes it keeps it. */
const portLimitMs = 30_000;
const portPollMs = 50;
const slowestPollMs = 2000;
const killLimitMs = 10_000;

export interface Reclaiming {
  readonly remains: () => Promise<Remains>;
  readonly gpus: GpuDoor;
  readonly clock: Clock;
  readonly append: (event: LifeEvent) => void;
  readonly onProblem: (error: unknown) => void;
}

/** The answer to `reclaim`. Never rejects: what cannot be looked at is not called gone. */
export async function proveGone(state: State, parts: Reclaiming): Promise<Extract<RunSignal, { type: 'reclaimed' }>> {
  const { remains, gpus, append, onProblem } = parts;
  const seen = new Set<number>();
  const onLeftover = (left: readonly Survivor[]) => {
    for (const { pid } of left) seen.add(pid);
    append({ type: 'survivors', survivors: left });
  };
  const survivors = await insist(
    async () => reclaim(await remains(), toLaunchedSpec(state), { onLeftover, onUntidy: onProblem }),
    state,
    parts,
  );
  // Memory can only be asked for when nobody of ours is left to hold it.
  const held = survivors.length === 0 ? await gpus.proveMemoryReturned(state.launch, [...seen]) : undefined;
  return { type: 'reclaimed', run: state.run, survivors, ...(held ? { held } : {}) };
}

/** The answer to `kill`. Never rejects either. */
export async function killWhole(state: State, parts: Reclaiming): Promise<Extract<RunSignal, { type: 'killed' }>> {
  const survivors = await insist(async () => killAll(await parts.remains()), state, parts);
  return { type: 'killed', run: state.run, survivors };
}

export async function killAll(remains: Remains): Promise<readonly Survivor[]> {
  return remains.kill(killLimitMs);
}

interface ReclaimReports {
  /** Processes that the main process left behind; they are ended. */
  readonly onLeftover: (left: readonly Survivor[]) => void;
  /** Its temporary files could not all be deleted, which keeps nobody up. */
  readonly onUntidy: (error: unknown) => void;
}

/**
 * Ends what is left of a launch and proves it gone: no process, port free again. Returns survivors, normally none.
 * A port that stays taken although no process of ours lives belongs to somebody else: not a survivor.
 */
async function reclaim(remains: Remains, spec: LaunchSpec, { onLeftover, onUntidy }: ReclaimReports): Promise<readonly Survivor[]> {
  const left = await remains.members();
  if (left.length > 0) {
    onLeftover(left);
    const survivors = await remains.kill(killLimitMs);
    if (survivors.length > 0) return survivors;
  }
  const deadline = performance.now() + portLimitMs;
  let pauseMs = portPollMs;
  while ((await isTaken(spec.endpoint)) && performance.now() < deadline) {
    // A listener of another process group member that forked late would show up here too.
    const late = await remains.kill(killLimitMs);
    if (late.length > 0) return late;
    // Who holds it can be seen, and is nobody of ours: it is not going to be given back.
    if ((await findPortOwner(spec.endpoint.port)) !== undefined) break;
    await waitFor(pauseMs);
    // A look at all descriptors of the machine is not cheap.
    pauseMs = Math.min(2 * pauseMs, slowestPollMs);
  }
  await remains.tidy().catch(onUntidy);
  return [];
}

async function isTaken({ host, port }: LaunchSpec['endpoint']): Promise<boolean> {
  return (await probePort(host, port)).is === 'taken';
}

/** Tries of what must not fail, once a second, before it is said that it cannot be done. */
const triesMost = 10;
const againMs = 1000;

type Insisting = Pick<Reclaiming, 'onProblem' | 'clock'>;

/** What cannot be looked at is not called gone: after many tries the main process counts as a survivor. */
async function insist(
  once: () => Promise<readonly Survivor[]>,
  { launch }: Pick<State, 'launch'>,
  { onProblem, clock }: Insisting,
): Promise<readonly Survivor[]> {
  let problem = '';
  for (let tries = 0; tries < triesMost; tries += 1) {
    try {
      return await once();
    } catch (error) {
      if (toProblem(error) !== problem) onProblem(error);
      problem = toProblem(error);
    }
    await waitFor(againMs, undefined, clock);
  }
  return [{ pid: launch?.process?.pid ?? launch?.keeper?.pid ?? 0, command: problem }];
}
