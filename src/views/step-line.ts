import type { Palette } from './screen.ts';
import type { StoryLine } from './story.ts';

/** Width of the column of step names and labels. */
export const labelWidth = 12;

/** `✔ plan        tiny-qwen3 · …` */
export function toStepLine(line: StoryLine, palette: Palette): string {
  if (line.is === 'said') return line.level === 'warning' ? `${palette.warn('!')} ${line.text}` : `  ${line.text}`;
  const symbol = line.is === 'done' ? palette.good('✔') : line.is === 'failed' ? palette.bad('✖') : palette.dim('·');
  return `${symbol} ${toStepText(line.step, line.text)}`;
}

export function toStepText(step: string, text: string): string {
  return `${step.padEnd(labelWidth)}${step.length >= labelWidth ? ' ' : ''}${text}`;
}
