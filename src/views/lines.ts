/** The conversation as lines: one for each thing that happened, the same every time, nothing redrawn. */
import { type Clock, systemClock } from '../core/clock.ts';
import type { DeployEvent } from '../core/event.ts';
import { say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import type { Conversation } from './conversation.ts';
import type { Screen } from './screen.ts';
import { toStepLine } from './step-line.ts';
import { newStory, type StoryLine, toStory } from './story.ts';

/** Progress of one step is repeated at most this often. */
const progressEveryMs = 5000;

export function openLines(screen: Screen, clock: Clock = systemClock): Conversation {
  let story = newStory;
  let last = '';
  const shownAt = new Map<string, number>();

  const isTooSoon = (event: DeployEvent): boolean => {
    if (event.type !== 'step-progress') return false;
    const before = shownAt.get(event.step);
    if (before !== undefined && clock.mono() - before < progressEveryMs) return true;
    shownAt.set(event.step, clock.mono());
    return false;
  };
  const write = (text: string) => {
    if (text !== last) screen.err(`${text}\n`);
    last = text;
  };
  return {
    emit(event) {
      const [next, lines] = toStory(story, event);
      story = next;
      if (isTooSoon(event)) return;
      for (const line of lines) if (isWanted(line, screen)) write(toLine(line, screen));
    },
    pause: () => undefined,
    close: () => undefined,
  };
}

function isWanted(line: StoryLine, { output }: Screen): boolean {
  return output.mode !== 'quiet' || line.is === 'failed';
}

function toLine(line: StoryLine, screen: Screen): string {
  if (screen.output.mode === 'tty') return toStepLine(line, screen.palette);
  if (line.is !== 'said') return line.is === 'failed' ? `${line.step}: ${severity('error')}: ${line.text}` : `${line.step}: ${line.text}`;
  return line.level === 'warning' ? `${severity('warning')}: ${line.text}` : line.text;
}

function severity(level: 'error' | 'warning'): string {
  return toText(level === 'error' ? say('views.severity.error') : say('views.severity.warning'));
}
