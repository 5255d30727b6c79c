/** The conversation on a terminal: one live line for the step at work, a final line for each that ended. */
import ora from 'ora';
import { type Clock, systemClock, type Timer } from '../core/clock.ts';
import { toDurationText } from '../core/units.ts';
import type { Conversation } from './conversation.ts';
import type { Screen } from './screen.ts';
import { toStepLine, toStepText } from './step-line.ts';
import { newStory, type StoryLine, toStory } from './story.ts';

/** A step that takes longer than this shows for how long. */
const patienceMs = 3000;

export function openSpinner(screen: Screen, clock: Clock = systemClock): Conversation {
  // discardStdin would take over Ctrl-C; our own handler must see it.
  const spinner = ora({ stream: process.stderr, discardStdin: false, isEnabled: true });
  let story = newStory;
  let live: { readonly step: string; readonly text: string; readonly since: number } | undefined;
  let ticking: Timer | undefined;

  const draw = () => {
    if (live === undefined) return;
    const waited = clock.mono() - live.since;
    const suffix = waited < patienceMs ? '' : screen.palette.dim(` · ${toWaitedText(waited)}`);
    spinner.text = toStepText(live.step, live.text) + suffix;
  };
  const tick = () => {
    draw();
    ticking = clock.after(1000, tick);
  };
  const rest = () => {
    ticking?.cancel();
    ticking = undefined;
    if (spinner.isSpinning) spinner.stop();
  };
  const spin = () => {
    draw();
    if (!spinner.isSpinning) spinner.start();
    ticking ??= clock.after(1000, tick);
  };
  const work = (line: Exclude<StoryLine, { is: 'said' }>) => {
    const same = live?.step === line.step && live.text === line.text;
    if (!same) live = { step: line.step, text: line.text, since: clock.mono() };
    spin();
  };
  const settle = (line: StoryLine) => {
    rest();
    screen.err(`${toStepLine(line, screen.palette)}\n`);
    if (line.is !== 'said') live = undefined;
    else if (live !== undefined) spin();
  };
  return {
    emit(event) {
      const [next, lines] = toStory(story, event);
      story = next;
      for (const line of lines) {
        if (line.is === 'live' || line.is === 'passed') work(line);
        else settle(line);
      }
    },
    pause: rest,
    close: rest,
  };
}

/** Whole seconds: a tenth would be wrong before it is read. */
function toWaitedText(ms: number): string {
  return ms < 60_000 ? `${Math.floor(ms / 1000)} s` : toDurationText(ms);
}
