import type { Command } from 'commander';
import { ExitStatus } from '../core/exit.ts';
import { say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import { addNames, answerUnits } from './answer-units.ts';
import { addExamples } from './examples.ts';
import type { Run } from './session.ts';

export function configure(command: Command, run: Run): void {
  addNames(command)
    .option('--yes', toText(say('commands.option.yes')))
    .action((names: readonly string[], { yes = false }: { readonly yes?: boolean }) =>
      run(async (session) => {
        const { installUnits } = await import('../operate/install-unit.ts');
        const reports = await installUnits({ names, yes }, session.context);
        answerUnits(session, reports);
        // What lacks a secret would not come back.
        const lacking = reports.some(({ environmentFile }) => environmentFile && environmentFile.missing.length > 0);
        return lacking ? ExitStatus.machine : ExitStatus.done;
      }),
    );
  addExamples(command, ['install', 'install chat', 'install chat --yes']);
}
