/** What is known of why a launch hangs, before it is ended: its log, and what stands in none. */
import { waitFor } from '../../core/clock.ts';
import type { RunSignal } from '../signal.ts';
import type { State } from '../state.ts';
import { type ExitContext, explainExit } from './explain-exit.ts';

type Why = Extract<RunSignal, { type: 'bundled' }>['why'];

/** The evidence of a hang is waited for only so long. */
const limitMs = 8000;

/** Undefined: nothing but that it hangs. */
export async function explainHang({ launch, ending }: State, context: ExitContext): Promise<Why> {
  if (launch === undefined || ending?.is !== 'failure') return undefined;
  const late = new AbortController();
  const limit = waitFor(limitMs, late.signal, context.clock).then(() => undefined);
  const report = await Promise.race([explainExit({}, launch, context), limit]);
  late.abort();
  const { diagnosis, reason } = report?.exit ?? {};
  return diagnosis && { diagnosis, ...(reason === undefined ? {} : { reason }) };
}
