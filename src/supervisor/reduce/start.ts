/** From the checks before a launch to the first token: the signals of a start, in their order. */
import { type Message, say } from '../../core/message.ts';
import type { Effect, Moment, RunSignal } from '../signal.ts';
import type { State } from '../state.ts';
import { toUnheld } from '../unheld.ts';
import { becomeUnhealthy } from './hang.ts';
import { emit, endLaunch, reclaimLaunch, type Step, settleFailure, timer, waitUntilPossible } from './transitions.ts';

/** A sign of life younger than this keeps the deadline off, for as long each time. */
const signMs = 60_000;
/** However lively: a start that takes four times its deadline is ended; two hours always suffice. */
const deadlineTimesMost = 4;
const longestStartMs = 7_200_000;
/** Between two lines about a download. */
const downloadSaidMs = 5000;

export function startLaunch(state: State, record: NonNullable<State['launch']>, moment: Moment): Step {
  const next: State = {
    ...state,
    life: 'starting',
    launch: record,
    startedAt: new Date(moment.wallMs).toISOString(),
    phase: 'spawned',
    phaseAt: new Date(moment.wallMs).toISOString(),
  };
  const { health, backend } = state.wanted.spec;
  return [next, [emit({ type: 'launching', backend }), { do: 'launch' }, timer('start-deadline', health.startDeadlineMs)]];
}

export function failPreflight(state: State, signal: Extract<RunSignal, { type: 'preflight-failed' }>, moment: Moment): Step {
  const { code, reason, permanent, waits } = signal;
  const exit = { cause: 'preflight', at: new Date(moment.wallMs).toISOString(), reason: code };
  const failed = emit({ type: 'preflight-failed', code, reason, permanent });
  const [next, effects] = waits
    ? waitUntilPossible(state, exit, moment)
    : settleFailure(state, { is: 'failure', exit, permanent, signature: code }, moment);
  return [next, [failed, ...effects]];
}

/** Arrives in `starting`, or in `stopping` and `killing` when a stop overtook the launch; the record is kept in all. */
export function noteLaunched(state: State, launch: NonNullable<State['launch']>): Step {
  const about = [
    emit({ type: 'launched', ...toIdentity(launch) }),
    ...toImageNotes(launch, state.lastImage).map((note) => emit({ type: 'note', note })),
    ...toUnheld(launch).map(({ message }) => emit({ type: 'note', note: message })),
  ];
  const next: State = { ...state, launch, ...(launch.image ? { lastImage: launch.image } : {}) };
  return state.life === 'starting' ? [next, [...about, { do: 'watch-start' }]] : [next, about];
}

/** How people find it among what runs. */
export function toIdentity({ process, containerId, image }: NonNullable<State['launch']>) {
  return {
    ...(process ? { pid: process.pid } : {}),
    ...(containerId === undefined ? {} : { containerId }),
    ...(image === undefined ? {} : { image }),
  };
}

/** A tag is not the same image for ever. */
function toImageNotes({ image }: NonNullable<State['launch']>, last: State['lastImage']): readonly Message[] {
  if (image === undefined || last?.reference !== image.reference || last.id === image.id) return [];
  return [say('life.image-changed', { reference: image.reference, id: image.id, last: last.id })];
}

export function failLaunch(state: State, signal: Extract<RunSignal, { type: 'launch-failed' }>, moment: Moment): Step {
  // A stop overtook a launch that then failed: there is nothing to stop any more.
  if (state.life === 'stopping') return reclaimLaunch(state, state.ending ?? { is: 'down' });
  if (state.life !== 'starting') return [state, []];
  // Without a signature: what stood in the way of a launch (a full disk) may go away, however often it was met.
  const { exit, permanent, waits } = signal;
  const [next, effects] = reclaimLaunch(state, { is: 'failure', exit, permanent, ...(waits ? { waits } : {}) });
  const failed: State = { ...next, lastExit: exit, startedAt: state.startedAt ?? new Date(moment.wallMs).toISOString() };
  return [failed, [emit({ type: 'exited', expected: false, exit }), ...effects]];
}

export function notePhase(state: State, signal: Extract<RunSignal, { type: 'phase' }>, moment: Moment): Step {
  const elapsedMs = toElapsed(state, moment);
  const event = emit({ type: 'phase', phase: signal.phase, elapsedMs, ...(signal.facts ? { facts: signal.facts } : {}) });
  // Said again with other numbers it is the same one.
  const since = signal.phase === state.phase ? state.phaseAt : undefined;
  return [{ ...state, phase: signal.phase, phaseAt: since ?? new Date(moment.wallMs).toISOString() }, [event]];
}

export function noteGateWaiting(state: State, signal: Extract<RunSignal, { type: 'gate-waiting' }>): Step {
  const reason = `${signal.check}: ${signal.detail}`;
  if (state.health.reason === reason) return [state, []];
  return [
    { ...state, health: { ...state.health, ready: false, reason, misses: 0 } },
    [emit({ type: 'gate-waiting', check: signal.check, detail: signal.detail })],
  ];
}

export function becomeReady(before: State, firstTokenMs: number, moment: Moment): Step {
  const { lastSignature: _, ...state } = before;
  const now = new Date(moment.wallMs).toISOString();
  const next: State = {
    ...state,
    life: 'ready',
    readyAt: state.readyAt ?? now,
    lastGood: state.wanted,
    health: { ready: true, misses: 0 },
  };
  const { restart, servedNames } = state.wanted.spec;
  const effects: Effect[] = [
    { do: 'cancel', timer: 'start-deadline' },
    emit({ type: 'ready', elapsedMs: toElapsed(state, moment), firstTokenMs: Math.round(firstTokenMs), servedNames }),
    { do: 'watch-health' },
    timer('stable', restart.stableAfterMs),
  ];
  return [next, effects];
}

/** Bytes of the model: kept for whoever looks, said now and then. */
export function noteDownload(state: State, signal: Extract<RunSignal, { type: 'downloading' }>, { wallMs }: Moment): Step {
  const { doneBytes, totalBytes, bytesPerSecond } = signal;
  const about = {
    doneBytes,
    ...(totalBytes === undefined ? {} : { totalBytes }),
    ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
  };
  const saidMs = state.download?.saidMs ?? 0;
  // A clock that was set back says nothing of how long ago it was.
  const due = Math.abs(wallMs - saidMs) >= downloadSaidMs || doneBytes === totalBytes;
  const next: State = { ...state, download: { ...about, saidMs: due ? wallMs : saidMs } };
  return [next, due ? [emit({ type: 'download', ...about })] : []];
}

/** No sign of life: the same place twice in a row is no accident, a network may come back. */
export function noteStartStall(state: State, signal: Extract<RunSignal, { type: 'start-stalled' }>, moment: Moment): Step {
  const { cause, forMs, detail } = signal;
  const exit = { cause, line: detail, at: new Date(moment.wallMs).toISOString() };
  return becomeUnhealthy(state, { exit, forMs, ...(cause === 'start-stall' ? { signature: `${cause} ${state.phase ?? ''}` } : {}) });
}

/** The deadline, unless it was seen to live a moment ago. */
export function meetDeadline(state: State, moment: Moment): Step {
  const { startDeadlineMs } = state.wanted.spec.health;
  const mostMs = Math.max(startDeadlineMs, Math.min(deadlineTimesMost * startDeadlineMs, longestStartMs));
  const leftMs = mostMs - toElapsed(state, moment);
  const sinceSignMs = moment.wallMs - Date.parse(state.health.lastProgressAt ?? '');
  // Without any sign the comparison is with NaN.
  if (leftMs > 0 && Math.abs(sinceSignMs) <= signMs) return [state, [timer('start-deadline', Math.min(signMs, leftMs))]];
  return endUnready(state, { cause: 'start-timeout', line: state.health.reason ?? state.phase ?? '' }, moment);
}

export function endUnready(state: State, about: { cause: string; line: string }, moment: Moment): Step {
  const exit = { ...about, at: new Date(moment.wallMs).toISOString() };
  return endLaunch(state, { is: 'failure', exit, permanent: false, signature: `${about.cause} ${about.line}` }, moment);
}

function toElapsed(state: State, moment: Moment): number {
  return Math.max(0, moment.wallMs - Date.parse(state.startedAt ?? new Date(moment.wallMs).toISOString()));
}
