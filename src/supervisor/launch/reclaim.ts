/** The end of a launch, made sure of: what is left of it is ended, and what it held is back. */
import { type Clock, waitFor } from '../../core/clock.ts';
import type { LifeEvent, Survivor } from '../../core/event.ts';
import { probePort } from '../../host/net.ts';
import { findPortOwner } from '../../host/port-owner.ts';
import type { LaunchSpec } from '../../plan/launch-spec.ts';
import type { Remains } from '../../runtime/runtime.ts';
import { isOutOfSight } from '../../runtime/sight.ts';
import type { GpuDoor } from '../gpu/door.ts';
import type { RunSignal } from '../signal.ts';
import type { State } from '../state.ts';
import { toSightProblem } from './look.ts';
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

type OutOfSight = Extract<RunSignal, { type: 'out-of-sight' }>;

/** The answer to `reclaim`. Never rejects: what cannot be looked at is not called gone. */
export async function proveGone(state: State, parts: Reclaiming): Promise<Extract<RunSignal, { type: 'reclaimed' }> | OutOfSight> {
  const { gpus, append, onProblem } = parts;
  const seen = new Set<number>();
  const onLeftover = (left: readonly Survivor[]) => {
    for (const { pid } of left) seen.add(pid);
    append({ type: 'survivors', survivors: left });
  };
  const end = await insist((remains) => reclaim(remains, toLaunchedSpec(state), { onLeftover, onUntidy: onProblem }), state, parts);
  if ('reason' in end) return { type: 'out-of-sight', run: state.run, ...end };
  const { survivors } = end;
  // Memory can only be asked for when nobody of ours is left to hold it.
  const held = survivors.length === 0 ? await gpus.proveMemoryReturned(state.launch, [...seen]) : undefined;
  return { type: 'reclaimed', run: state.run, survivors, ...(held ? { held } : {}) };
}

/** The answer to `kill`. Never rejects either. */
export async function killWhole(state: State, parts: Reclaiming): Promise<Extract<RunSignal, { type: 'killed' }> | OutOfSight> {
  const end = await insist(killAll, state, parts);
  if ('reason' in end) return { type: 'out-of-sight', run: state.run, ...end };
  return { type: 'killed', run: state.run, ...end };
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
  await remains.tidy().catch((error: unknown) => {
    // Files are a note; a container that stays is what the next start would find.
    if (isOutOfSight(error)) throw error;
    onUntidy(error);
  });
  return [];
}

async function isTaken({ host, port }: LaunchSpec['endpoint']): Promise<boolean> {
  return (await probePort(host, port)).is === 'taken';
}

/** Tries of what must not fail, once a second, before it is said that it cannot be done. */
const triesMost = 10;
const againMs = 1000;

/** What runs the engine comes back or does not: whoever waits for that is the state `unknown`. */
const sightMs = 3000;

type Insisting = Pick<Reclaiming, 'remains' | 'onProblem' | 'clock'>;
type End = { readonly survivors: readonly Survivor[] } | Pick<OutOfSight, 'reason' | 'gone'>;

/** What cannot be looked at is not called gone: after many tries the main process counts as a survivor. */
async function insist(
  once: (remains: Remains) => Promise<readonly Survivor[]>,
  { launch }: Pick<State, 'launch'>,
  { remains: find, onProblem, clock }: Insisting,
): Promise<End> {
  const begunMs = clock.mono();
  let problem = '';
  for (let tries = 0; tries < triesMost; tries += 1) {
    const remains = await find();
    try {
      return { survivors: await once(remains) };
    } catch (error) {
      const isBlind = isOutOfSight(error);
      if (isBlind && clock.mono() - begunMs >= sightMs) return toUnseen(remains, error);
      if (!isBlind && toProblem(error) !== problem) onProblem(error);
      problem = toProblem(error);
    }
    await waitFor(againMs, undefined, clock);
  }
  return { survivors: [{ pid: launch?.process?.pid ?? launch?.keeper?.pid ?? 0, command: problem }] };
}

async function toUnseen(remains: Remains, error: unknown): Promise<End> {
  const gone = await remains.isGone?.().catch(() => undefined);
  return { reason: toSightProblem(error), ...(gone === undefined ? {} : { gone }) };
}
