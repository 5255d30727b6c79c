import { expect, it } from 'vitest';
import { say } from '../../src/core/message.ts';
import { openLateLines } from '../../src/views/late-lines.ts';
import { openLines } from '../../src/views/lines.ts';
import { createScreen, start } from './samples.ts';

const sentence = { type: 'said', level: 'warning', text: say('commands.no-chinese') } as const;

it('says a sentence at once, and the same one only once', () => {
  const { screen, printed } = createScreen('plain');
  const lines = openLateLines(screen);
  lines.emit(sentence);
  lines.emit(sentence);
  expect(printed.err).toMatch(/^warning: .+\n$/);
  lines.close();
});

it.each(['plain', 'tty', 'quiet'] as const)(
  'tells all else as other commands do, in the same order, also what came right before its end (%s)',
  async (mode) => {
    const usual = createScreen(mode);
    const lines = openLines(usual.screen);
    for (const event of [sentence, ...start]) lines.emit(event);
    lines.close();
    const late = createScreen(mode);
    const lateLines = openLateLines(late.screen);
    for (const event of [sentence, ...start]) lateLines.emit(event);
    lateLines.close();
    await expect.poll(() => late.printed.err).toBe(usual.printed.err);
  },
);
