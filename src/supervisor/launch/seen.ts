/** What we have seen of a launch that ended, as a diagnosis takes it. Pure. */
import type { StartPhase } from '../../core/event.ts';
import type { LaunchRecord } from '../../runtime/runtime.ts';
import type { FailureEvidence, LogEvidence } from '../../vllm/failures/evidence.ts';
import { startPhases } from '../../vllm/start-log.ts';
import type { State } from '../state.ts';

export interface Seeing {
  readonly record: Pick<LaunchRecord, 'run'>;
  readonly log: LogEvidence;
  readonly wallMs: number;
}

type Seen = Pick<FailureEvidence, 'phase' | 'phaseMs' | 'served' | 'probe' | 'wanted'>;

export function toSeen(state: State | undefined, { record, log, wallMs }: Seeing): Seen {
  if (state?.run !== record.run) return {};
  const probe = toProbe(state);
  const wanted = state.ending !== undefined && state.ending.is !== 'failure' ? { wanted: true } : {};
  const half = state.readyAt === undefined ? toPhase(state, log, wallMs) : { served: true };
  return { ...half, ...wanted, ...(probe === undefined ? {} : { probe }) };
}

/** We told it to end, because it hung or was not ready in time. */
export function isEndedByUs(state: State | undefined, { run }: Pick<LaunchRecord, 'run'>): boolean {
  return state?.run === run && state.ending?.is === 'failure';
}

/** The log may have gone on since it was read last; then nobody knows for how long. */
function toPhase({ phase, phaseAt }: State, log: LogEvidence, wallMs: number): Seen {
  if (phase === undefined || isBefore(phase, log.phase)) return { phase: log.phase };
  return { phase, ...(phaseAt === undefined ? {} : { phaseMs: Math.max(0, wallMs - Date.parse(phaseAt)) }) };
}

function isBefore(one: StartPhase, other: StartPhase): boolean {
  return startPhases.indexOf(one) < startPhases.indexOf(other);
}

const hangs = ['stall', 'canary', 'api', 'start-stall'];

/** What our probes found, where that was why we ended it. */
function toProbe({ ending }: State): FailureEvidence['probe'] {
  if (ending?.is !== 'failure') return undefined;
  const { cause } = ending.exit;
  if (cause === 'download-stall') return 'no-download';
  return hangs.includes(cause) ? 'hangs' : cause === 'gate' ? 'refused' : undefined;
}
