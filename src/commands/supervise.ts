import type { Command } from 'commander';
import { ExitStatus } from '../core/exit.ts';
import { say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import type { Run } from './session.ts';

/** The supervisor process itself; started by `up` or by systemd, never by hand. */
export function configure(command: Command, run: Run): void {
  command.argument('<name>', toText(say('commands.argument.name'))).action((name: string) =>
    run(
      async ({ context }) => {
        const { supervise } = await import('../operate/supervise.ts');
        await supervise(name, context);
        // systemd takes 0 for an end that needs no other supervisor: nothing is left to supervise.
        return context.signal.aborted ? ExitStatus.terminated : ExitStatus.done;
      },
      { endsBySignal: true },
    ),
  );
}
