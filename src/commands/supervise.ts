import type { Command } from 'commander';
import { say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import type { Run } from './session.ts';

/** The supervisor process itself; started by `up`, never by hand. */
export function configure(command: Command, run: Run): void {
  command.argument('<name>', toText(say('commands.argument.name'))).action((name: string) =>
    run(
      async ({ context }) => {
        const { supervise } = await import('../operate/supervise.ts');
        await supervise(name, context);
        return undefined;
      },
      { endsBySignal: true },
    ),
  );
}
