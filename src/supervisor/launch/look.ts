/** Whether the engine of a record lives, looked at when nothing is known of it. */
import type { Exit, Instance, LaunchRecord, Runtime } from '../../runtime/runtime.ts';
import { isOutOfSight } from '../../runtime/sight.ts';
import type { Recovery, RunSignal } from '../signal.ts';
import type { State } from '../state.ts';
import type { ExitEvidenceReport } from './exit-report.ts';
import { toProblem } from './work.ts';

export interface Looking {
  readonly runtime: Runtime;
  readonly explain: (exit: Exit, record: LaunchRecord) => Promise<ExitEvidenceReport>;
}

/** The answer to `recover`, and who lives. Never rejects: that it cannot be looked at says nothing about it. */
export async function findEngine(
  { launch, life, before }: Pick<State, 'launch' | 'life' | 'before'>,
  { runtime, explain }: Looking,
): Promise<{ readonly instance?: Instance; readonly answer: Recovery }> {
  try {
    const instance = launch && (await runtime.adopt(launch));
    if (instance) return { instance, answer: { type: 'recovered', alive: true, record: instance.record } };
    const end = launch && unwatched.includes(before ?? life) ? await runtime.findHand?.(launch) : undefined;
    const told = launch && end && (await explain(end, launch));
    return { answer: { type: 'recovered', alive: false, ...(told ? { exit: told.exit } : {}) } };
  } catch (error) {
    // Without an answer of what runs it, the kernel may still show that nothing of it is left.
    const gone =
      launch &&
      (await runtime
        .remains(launch)
        .isGone?.()
        .catch(() => undefined));
    const reason = toSightProblem(error);
    return { answer: { type: 'recovered', alive: 'unknown', reason, ...(gone === undefined ? {} : { gone }) } };
  }
}

/** In all others its end is our own doing. */
const unwatched: readonly State['life'][] = ['starting', 'ready', 'degraded'];

/** By what it answers over its port, each of which ends it. */
const verdicts: readonly RunSignal['type'][] = ['stalled', 'start-stalled', 'gate-timed-out'];

/** Passes signals on; a verdict is none while what runs the engine cannot be asked: its port may be gone with that. */
export function withSight(push: (signal: RunSignal) => void, find: () => Promise<Instance | undefined>): (signal: RunSignal) => void {
  const judge = async (signal: RunSignal) => {
    const problem = await lookOnce(find);
    push(problem === undefined ? signal : { type: 'out-of-sight', run: signal.run, reason: problem });
  };
  return (signal) => (verdicts.includes(signal.type) ? void judge(signal) : push(signal));
}

async function lookOnce(find: () => Promise<Instance | undefined>): Promise<string | undefined> {
  try {
    await (await find())?.checkSight?.();
    return undefined;
  } catch (error) {
    return isOutOfSight(error) ? toSightProblem(error) : undefined;
  }
}

/** With its code in front: a path and `ECONNREFUSED` alone do not say who it is that does not answer. */
export function toSightProblem(error: unknown): string {
  return isOutOfSight(error) ? `${error.code}: ${toProblem(error)}` : toProblem(error);
}
