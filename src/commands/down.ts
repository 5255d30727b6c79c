import type { Command } from 'commander';
import { say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import { toDeploymentDocument, toDeploymentListDocument } from '../views/documents.ts';
import { renderDown } from '../views/status.ts';
import { addExamples } from './examples.ts';
import { durationOption, refuse } from './options.ts';
import type { Run } from './session.ts';

interface Options {
  readonly all?: true;
  readonly grace?: number;
  readonly force?: true;
  readonly timeout?: number;
}

export function configure(command: Command, run: Run): void {
  command
    .argument('[name]', toText(say('commands.argument.name')))
    .option('--all', toText(say('commands.down.all')))
    .addOption(durationOption(command, '--grace <duration>', toText(say('commands.down.grace'))))
    .option('--force', toText(say('commands.down.force')))
    .addOption(durationOption(command, '--timeout <duration>', toText(say('commands.down.timeout'))))
    .action((name: string | undefined, options: Options) =>
      run(
        async (session) => {
          if (name !== undefined && options.all) throw refuse(toText(say('commands.name-or-all')), 'down');
          const { down } = await import('../operate/down.ts');
          const deployments = await down(toRequest(name, options), session.context);
          const [only] = deployments;
          const document =
            options.all || only === undefined || deployments.length > 1
              ? toDeploymentListDocument({ deployments })
              : toDeploymentDocument(only);
          session.answer(document, (screen) => renderDown(deployments, screen));
          return undefined;
        },
        { busy: true },
      ),
    );
  addExamples(command, ['down', 'down chat --grace 2m', 'down --all --force']);
}

function toRequest(name: string | undefined, options: Options) {
  return {
    ...(name === undefined ? {} : { name }),
    all: options.all ?? false,
    ...(options.grace === undefined ? {} : { graceMs: options.grace }),
    force: options.force ?? false,
    ...(options.timeout === undefined ? {} : { timeoutMs: options.timeout }),
  };
}
