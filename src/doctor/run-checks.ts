/** Asks everything at once: the report is there when the slowest answer is, or when its time is over. */
import { type Clock, systemClock, waitFor } from '../core/clock.ts';
import { say } from '../core/message.ts';
import { toDurationText } from '../core/units.ts';
import type { Check, CheckOutcome, CheckResult, DoctorContext } from './check.ts';

export interface RunChecksRequest {
  /** Ends everything. */
  readonly signal: AbortSignal;
  /** What one check sees; the signal is its own, and ends what it has started when it is given up. */
  readonly toContext: (signal: AbortSignal) => DoctorContext;
  readonly clock?: Clock;
}

/** In the order of `checks`. Rejects only when the signal aborts, at once. */
export async function runChecks(checks: readonly Check[], request: RunChecksRequest): Promise<readonly CheckResult[]> {
  request.signal.throwIfAborted();
  const results = await Promise.all(checks.map((check) => runCheck(check, request)));
  request.signal.throwIfAborted();
  return results;
}

const usualLimitMs = 1500;

async function runCheck(check: Check, { signal, toContext, clock = systemClock }: RunChecksRequest): Promise<CheckResult> {
  const { id, group, limitMs = usualLimitMs, isNeeded } = check;
  const own = new AbortController();
  const context = toContext(own.signal);
  const overtime = waitFor(limitMs, AbortSignal.any([signal, own.signal]), clock);
  const givenUp: CheckOutcome = { status: 'skip', message: say('doctor.too-slow', { limit: toDurationText(limitMs) }) };
  const outcome = await Promise.race([ask(check, context), overtime.then(() => givenUp)]);
  // Ends what is left of either side.
  own.abort();
  const { subject } = context;
  const needed = outcome.status === 'fail' && subject !== undefined && isNeeded?.(subject) === true;
  return { id, group, ...outcome, needed };
}

/** What a check throws is that it could not be answered, never that all is well or bad. */
async function ask({ run }: Check, context: DoctorContext): Promise<CheckOutcome> {
  try {
    return await run(context);
  } catch (error) {
    return { status: 'skip', message: say('doctor.unanswered', { problem: error instanceof Error ? error.message : String(error) }) };
  }
}
