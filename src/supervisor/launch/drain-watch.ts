/** Counts the requests that are still open while an engine drains. */
import { type Clock, waitFor } from '../../core/clock.ts';
import { readOpenRequests } from '../open-requests.ts';
import type { RunSignal } from '../signal.ts';
import type { State } from '../state.ts';

const everyMs = 250;
const timeoutMs = 1000;

export interface DrainWatch {
  readonly run: number;
  readonly endpoint: { readonly host: string; readonly port: number };
  readonly clock: Clock;
  readonly push: (signal: RunSignal) => void;
}

/** Of the engine that runs: another configuration may already be wanted. */
export function toDrainWatch({ run, launch, wanted }: State): Pick<DrainWatch, 'run' | 'endpoint'> {
  return { run, endpoint: launch ?? wanted.spec.endpoint };
}

/** Until it is told to stop. An engine that does not say how many there are is not waited for. */
export async function watchDrain({ run, endpoint, clock, push }: DrainWatch, signal: AbortSignal): Promise<void> {
  let last: number | undefined;
  while (!signal.aborted) {
    const requests = await readOpenRequests(endpoint, { timeoutMs, signal });
    if (signal.aborted) return;
    if (requests !== undefined && requests !== last) push({ type: 'in-flight', run, requests });
    last = requests ?? last;
    await waitFor(everyMs, signal, clock);
  }
}
