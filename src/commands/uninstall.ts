import type { Command } from 'commander';
import { addNames, answerUnits } from './answer-units.ts';
import { addExamples } from './examples.ts';
import type { Run } from './session.ts';

export function configure(command: Command, run: Run): void {
  addNames(command).action((names: readonly string[]) =>
    run(async (session) => {
      const { uninstallUnits } = await import('../operate/uninstall-unit.ts');
      answerUnits(session, await uninstallUnits(names, session.context));
      return undefined;
    }),
  );
  addExamples(command, ['uninstall', 'uninstall chat']);
}
