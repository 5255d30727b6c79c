/**
 * The conversation as lines: one for each thing that happened, nothing redrawn. What goes on within a step is worth
 * a line only when it lasts: a start that is over in a second is one line, one that compiles for minutes says so.
 */
import { type Clock, systemClock, type Timer } from '../core/clock.ts';
import type { DeployEvent } from '../core/event.ts';
import type { Conversation } from './conversation.ts';
import { isWanted, toLine } from './line.ts';
import type { Screen } from './screen.ts';
import { newStory, type StoryLine, toStory } from './story.ts';

/** Progress of one step is repeated at most this often. */
const progressEveryMs = 5000;

/** Bytes of a download change all the time. */
const downloadEveryMs = 10_000;

/** A step that is over sooner is not told what went on in it. */
const lastingMs = 1000;

export function openLines(screen: Screen, clock: Clock = systemClock): Conversation {
  const writer = openWriter(screen, clock);
  let story = newStory;
  const shownAt = new Map<string, number>();

  const isTooSoon = (step: string): boolean => {
    const before = shownAt.get(step);
    if (before !== undefined && clock.mono() - before < progressEveryMs) return true;
    shownAt.set(step, clock.mono());
    return false;
  };
  return {
    emit(event: DeployEvent) {
      const [next, lines] = toStory(story, event);
      story = next;
      for (const line of lines) {
        if (line.is !== 'live') writer.settle(line);
        else if (event.type !== 'step-progress') writer.hold(line, event.type === 'download' ? downloadEveryMs : progressEveryMs);
        else if (!isTooSoon(event.step)) writer.settle(line);
      }
    },
    pause: () => undefined,
    close: writer.drop,
  };
}

/** Holds live lines back: the newest is written when their step has lasted, and then one every few seconds. */
function openWriter(screen: Screen, clock: Clock) {
  let last = '';
  let held: { readonly text: string; readonly timer: Timer } | undefined;
  let releasedAt = Number.NEGATIVE_INFINITY;

  const write = (text: string) => {
    if (text !== last) screen.err(`${text}\n`);
    last = text;
  };
  const drop = () => {
    held?.timer.cancel();
    held = undefined;
  };
  const release = () => {
    const text = held?.text;
    drop();
    if (text === undefined) return;
    releasedAt = clock.mono();
    write(text);
  };
  return {
    drop,
    hold(line: StoryLine, everyMs: number) {
      if (!isWanted(line, screen)) return;
      const waitMs = Math.max(lastingMs, releasedAt + everyMs - clock.mono());
      held = { text: toLine(line, screen), timer: held?.timer ?? clock.after(waitMs, release) };
    },
    settle(line: StoryLine) {
      // Where something fails, what went on at that moment is part of the news.
      if (line.is === 'failed') release();
      else if (line.is !== 'said') drop();
      if (isWanted(line, screen)) write(toLine(line, screen));
    },
  };
}
