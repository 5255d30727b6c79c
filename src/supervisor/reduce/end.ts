/** How a launch comes to its end: its exit, the kill, the proof that nothing of it is left. */
import type { ExitReport } from '../../core/event.ts';
import type { Moment, RunSignal } from '../signal.ts';
import type { State } from '../state.ts';
import { beginRecovery } from './recovery.ts';
import { emit, endDrain, reclaimLaunch, type Step, settle, stopTimers, timer, without } from './transitions.ts';

/** How often a process that could not be killed is looked at again. */
const recheckMs = 30_000;

/** The main process ended. Wanted or not is what *we* asked for: vLLM exits 0 when its engine dies. */
export function noteExited(state: State, signal: Exited, moment: Moment): Step {
  const { permanent, signature } = signal;
  // Only a start has phases; its log may not reach back to where one ended that served.
  const { phase, ...served } = signal.exit;
  const exit = state.life === 'starting' && phase !== undefined ? { ...served, phase } : served;
  switch (state.life) {
    case 'unhealthy':
      if (exit.cause === 'stopped-by-hand') return holdDown(state, exit);
      return reclaimLaunch(state, toExplained(state.ending, signal) ?? { is: 'failure', exit, permanent: false });
    case 'starting':
    case 'degraded':
    case 'ready': {
      if (exit.cause === 'stopped-by-hand') return holdDown(state, exit);
      if (exit.cause === 'restarted-by-hand') return followRestart(state, exit, moment);
      const ending = {
        is: 'failure',
        exit,
        // A GPU that has to be reset does not mend itself, however long the engine served.
        permanent: permanent && (state.life === 'starting' || exit.cause === 'gpu'),
        ...(signature ? { signature } : {}),
      } as const;
      const [next, effects] = reclaimLaunch({ ...state, lastExit: exit }, ending);
      return [next, [emit({ type: 'exited', expected: false, exit }), ...effects]];
    }
    case 'draining':
    case 'stopping': {
      const [drained, told] = endDrain(state, toAborted(state, moment));
      const [next, effects] = reclaimLaunch(withExplained(drained, signal), toExplained(state.ending, signal) ?? { is: 'down' });
      return [next, [...told, emit({ type: 'exited', expected: true, exit }), ...effects]];
    }
    default:
      // In `killing` the answer to the kill itself leads on.
      return [withExplained(state, signal), []];
  }
}

type Exited = Extract<RunSignal, { type: 'exited' }>;

/** We ended it for a failure; only its end tells what its log said of the reason. */
function toExplained(ending: State['ending'], { exit: { diagnosis, reason }, permanent }: Exited): State['ending'] {
  if (ending?.is !== 'failure' || ending.exit.diagnosis !== undefined || diagnosis === undefined) return ending;
  const exit = { ...ending.exit, diagnosis, ...(reason === undefined ? {} : { reason }) };
  return { ...ending, exit, permanent: ending.permanent || permanent };
}

/** The same for what is said of the last end. */
function withExplained(state: State, signal: Exited): State {
  const ending = toExplained(state.ending, signal);
  return ending?.is !== 'failure' || ending === state.ending ? state : { ...state, ending, lastExit: ending.exit };
}

/** Somebody stopped it without us: not fought, as if it had been `down`. `up` and `restart` bring it back. */
function holdDown(before: State, exit: ExitReport): Step {
  const [next, effects] = reclaimLaunch({ ...before, lastExit: exit }, { is: 'down' });
  return [next, [emit({ type: 'exited', expected: false, exit }), ...effects]];
}

/** Somebody restarted it: the same launch from its beginning, which is looked for as a new supervisor would. Not counted. */
function followRestart(before: State, exit: ExitReport, { wallMs }: Moment): Step {
  const kept = without(before, ['readyAt', 'phase', 'phaseAt', 'download']);
  const again = { life: 'starting', startedAt: new Date(wallMs).toISOString(), health: { ready: false, misses: 0 } } as const;
  const [next, effects] = beginRecovery({ ...kept, ...again, lastExit: exit });
  return [next, [{ do: 'quiet' }, ...stopTimers(), emit({ type: 'exited', expected: false, exit }), ...effects]];
}

/** vLLM ends itself when all requests have ended, and also at its own limit, which cuts off the others. */
function toAborted({ drain, wanted }: State, { wallMs }: Moment): number {
  return drain === undefined || !isCutOff({ drain, wanted }, wallMs) ? 0 : (drain.left ?? 0);
}

/** vLLM's own limit is over: whatever goes from now on was cut off. */
function isCutOff({ drain, wanted }: Pick<State, 'drain' | 'wanted'>, wallMs: number): boolean {
  return drain !== undefined && wallMs - Date.parse(drain.since) >= wanted.spec.drainMs;
}

export function noteInFlight(state: State, requests: number, { wallMs }: Moment): Step {
  const { drain } = state;
  if (drain === undefined) return [state, []];
  if (isCutOff(state, wallMs)) return requests === 0 ? endDrain({ ...state, life: 'stopping' }, drain.left ?? 0) : [state, []];
  const open = Math.max(drain.open ?? 0, requests);
  const next: State = { ...state, drain: { ...drain, open, left: requests } };
  // Nothing to wait for any more: from here on it only stops.
  return requests === 0 ? endDrain({ ...next, life: 'stopping' }, 0) : [next, []];
}

export function afterKill(state: State, survivors: NonNullable<State['survivors']>): Step {
  return survivors.length > 0 ? becomeUnkillable(state, survivors) : reclaimLaunch(state, state.ending ?? { is: 'down' });
}

type Reclaimed = Extract<RunSignal, { type: 'reclaimed' }>;

export function afterReclaim(state: State, { survivors, held }: Reclaimed, moment: Moment): Step {
  return survivors.length > 0 ? becomeUnkillable(state, survivors) : settle(state, moment, held);
}

function becomeUnkillable(state: State, survivors: NonNullable<State['survivors']>): Step {
  return [{ ...state, life: 'unkillable', survivors }, [emit({ type: 'unkillable', survivors }), timer('recheck', recheckMs)]];
}

/** Looked at again and again: a device or a file system that comes back lets go of them. Said again only if it changed. */
export function afterRecheck(state: State, { survivors, held }: Reclaimed, moment: Moment): Step {
  if (survivors.length === 0) return settle(state, moment, held);
  const pids = (of: State['survivors']) => (of ?? []).map(({ pid }) => pid).join();
  return pids(survivors) === pids(state.survivors) ? [state, [timer('recheck', recheckMs)]] : becomeUnkillable(state, survivors);
}
