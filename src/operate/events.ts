import { waitFor } from '../core/clock.ts';
import type { DeploymentEvent } from '../core/event.ts';
import { findTailStart, openTail, readLastLines, type Tail } from '../host/tail.ts';
import { parseEvent } from '../supervisor/event-line.ts';
import type { Context } from './context.ts';
import { findDeployment } from './find.ts';

export interface EventsRequest {
  readonly name?: string;
  readonly follow: boolean;
  readonly tail?: number;
}

/** Events without `tail`: all that this and the file before have. */
const allEvents = 1_000_000;
/** A journal becomes the file before at 5 MiB. */
const fileCap = 8 * 2 ** 20;
const pollMs = 150;

/** From the journal file, so that it needs no supervisor and goes on over its restarts. Each event once, in its order. */
export async function* readEvents(request: EventsRequest, context: Context): AsyncGenerator<DeploymentEvent> {
  const { paths } = await findDeployment(request.name, 'events', context);
  const count = request.tail ?? allEvents;
  const tail = openTail(paths.events, await findTailStart(paths.events, count));
  const older = async () => toEvents(await readLastLines(`${paths.events}.1`, allEvents, fileCap));
  let events = toEvents(await readToEnd(tail));
  let last = 0;
  const wanted = count - events.length;
  if (wanted > 0) for (const event of (await older()).slice(-wanted)) yield note(event);
  for (;;) {
    const [next] = events;
    // Written after our last look, and put away with its file before this one.
    const missed = last > 0 && next !== undefined && next.seq > last + 1 ? await older() : [];
    for (const event of [...missed, ...events]) if (event.seq > last) yield note(event);
    if (!request.follow || context.signal.aborted) return;
    await waitFor(pollMs, context.signal);
    events = toEvents(await readToEnd(tail));
  }

  function note(event: DeploymentEvent): DeploymentEvent {
    last = event.seq;
    return event;
  }
}

async function readToEnd(tail: Tail): Promise<readonly string[]> {
  const lines: string[] = [];
  do lines.push(...(await tail.readLines()));
  while (tail.behind);
  return lines;
}

function toEvents(lines: readonly string[]): readonly DeploymentEvent[] {
  return lines.map(parseEvent).filter((event) => event !== undefined);
}
