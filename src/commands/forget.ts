import type { Command } from 'commander';
import { say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import { addExamples } from './examples.ts';
import type { Run } from './session.ts';

export function configure(command: Command, run: Run): void {
  command.argument('<name>', toText(say('commands.argument.name'))).action((name: string) =>
    run(async (session) => {
      const { forget } = await import('../operate/forget.ts');
      const forgotten = await forget({ name }, session.context);
      session.answer({ kind: 'Forgotten', version: 1, ...forgotten }, () => `${toText(say('views.forgotten', { name }))}\n`);
      return undefined;
    }),
  );
  addExamples(command, ['forget chat']);
}
