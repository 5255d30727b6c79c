/** The conversation of a command that is over soon: mostly a sentence or two, and seldom anything that needs a story told. */
import type { DeployEvent } from '../core/event.ts';
import { say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import type { Conversation } from './conversation.ts';
import { isWanted, toLine } from './line.ts';
import type { Screen } from './screen.ts';

/** What tells of steps, starts and stops is loaded with the first event that is none of a sentence; from then on it tells all. */
export function openLateLines(screen: Screen): Conversation {
  const waiting: DeployEvent[] = [];
  let lines: Conversation | undefined;
  let loading = false;
  let closed = false;
  let last = '';

  const load = async () => {
    const { openLines } = await import('./lines.ts');
    lines = openLines(screen);
    for (const event of waiting) lines.emit(event);
    if (closed) lines.close();
  };
  return {
    emit(event: DeployEvent) {
      if (lines) return lines.emit(event);
      if (loading || event.type !== 'said') {
        waiting.push(event);
        if (!loading) load().catch((error: unknown) => screen.err(`${toText(say('views.display-failed', { problem: String(error) }))}\n`));
        loading = true;
        return;
      }
      const line = { is: 'said', level: event.level, text: toText(event.text) } as const;
      const text = toLine(line, screen);
      if (isWanted(line, screen) && text !== last) screen.err(`${text}\n`);
      last = text;
    },
    pause: () => lines?.pause(),
    close() {
      closed = true;
      lines?.close();
    },
  };
}
