import type { Command } from 'commander';
import { say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import { answerDeployed } from './answers.ts';
import { addExamples } from './examples.ts';
import { durationOption } from './options.ts';
import type { Run } from './session.ts';

interface Options {
  readonly timeout?: number;
  readonly wait: boolean;
  readonly reset?: boolean;
}

export function configure(command: Command, run: Run): void {
  command
    .argument('[name]', toText(say('commands.argument.name')))
    .addOption(durationOption(command, '--timeout <duration>', toText(say('commands.restart.timeout'))))
    .option('--no-wait', toText(say('commands.restart.no-wait')))
    .option('--reset', toText(say('commands.restart.reset')))
    .action((name: string | undefined, { timeout, wait, reset = false }: Options) =>
      run(
        async (session) => {
          const { restart } = await import('../operate/restart.ts');
          const request = {
            ...(name === undefined ? {} : { name }),
            ...(timeout === undefined ? {} : { timeoutMs: timeout }),
            wait,
            reset,
          };
          return answerDeployed(session, await restart(request, session.context));
        },
        { busy: true },
      ),
    );
  addExamples(command, ['restart', 'restart chat --no-wait', 'restart chat --reset']);
}
