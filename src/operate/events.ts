import { waitFor } from '../core/clock.ts';
import type { DeploymentEvent } from '../core/event.ts';
import { openTail, readLastLines } from '../host/tail.ts';
import { parseEvent } from '../supervisor/journal.ts';
import type { Context } from './context.ts';
import { findDeployment } from './reach.ts';

export interface EventsRequest {
  readonly name?: string;
  readonly follow: boolean;
  readonly tail?: number;
}

/** Events without `tail` and `follow`: all that the current file has. */
const allEvents = 1_000_000;
const pollMs = 150;

/** From the journal file, so that it needs no supervisor and goes on over its restarts. */
export async function* readEvents(request: EventsRequest, context: Context): AsyncGenerator<DeploymentEvent> {
  const { paths } = await findDeployment(request.name, 'events', context);
  const count = request.tail ?? allEvents;
  const last = await readLastLines(paths.events, count, 64 * 2 ** 20);
  if (last.lines.length < count) {
    const older = await readLastLines(`${paths.events}.1`, count - last.lines.length, 64 * 2 ** 20);
    yield* toEvents(older.lines);
  }
  yield* toEvents(last.lines);
  const tail = openTail(paths.events, last.position);
  while (request.follow && !context.signal.aborted) {
    yield* toEvents(await tail.readLines());
    await waitFor(pollMs, context.signal);
  }
}

function toEvents(lines: readonly string[]): readonly DeploymentEvent[] {
  return lines.map(parseEvent).filter((event) => event !== undefined);
}
