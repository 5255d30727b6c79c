/** One line of the conversation, as this screen shows it. */
import { say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import type { Screen } from './screen.ts';
import { toStepLine } from './step-line.ts';
import type { StoryLine } from './story.ts';

export function isWanted(line: StoryLine, { output }: Screen): boolean {
  return output.mode !== 'quiet' || line.is === 'failed';
}

export function toLine(line: StoryLine, screen: Screen): string {
  if (screen.output.mode === 'tty') return toStepLine(line, screen.palette);
  if (line.is !== 'said') return line.is === 'failed' ? `${line.step}: ${severity('error')}: ${line.text}` : `${line.step}: ${line.text}`;
  return line.level === 'warning' ? `${severity('warning')}: ${line.text}` : line.text;
}

function severity(level: 'error' | 'warning'): string {
  return toText(level === 'error' ? say('views.severity.error') : say('views.severity.warning'));
}
