import { waitFor } from '../core/clock.ts';
import type { DeploymentEvent } from '../core/event.ts';
import { openLog } from '../host/tail.ts';
import { parseEvent } from '../supervisor/event-line.ts';
import type { Context } from './context.ts';
import { findDeployment } from './find.ts';

export interface EventsRequest {
  readonly name?: string;
  readonly follow: boolean;
  readonly tail?: number;
}

const pollMs = 150;

/** From the journal file, so that it needs no supervisor and goes on over its restarts. Each event once, in its order. */
export async function* readEvents(request: EventsRequest, context: Context): AsyncGenerator<DeploymentEvent> {
  const { paths } = await findDeployment(request.name, 'events', context);
  const tail = await openLog(paths.events, request.tail);
  let last = 0;
  for (;;) {
    do {
      for (const event of toEvents(await tail.readLines())) {
        if (event.seq <= last) continue;
        last = event.seq;
        yield event;
      }
    } while (tail.behind);
    if (!request.follow || context.signal.aborted) return;
    await waitFor(pollMs, context.signal);
  }
}

function toEvents(lines: readonly string[]): readonly DeploymentEvent[] {
  return lines.map(parseEvent).filter((event) => event !== undefined);
}
