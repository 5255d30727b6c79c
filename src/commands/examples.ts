import type { Command } from 'commander';
import { say } from '../core/message.ts';
import { toText } from '../text/render.ts';

/** Command lines below the help, as one would type them. */
export function addExamples(command: Command, lines: readonly string[]): void {
  const list = lines.map((line) => `  qwen-deploy ${line}`).join('\n');
  command.addHelpText('after', `\n${toText(say('commands.examples'))}\n${list}`);
}
