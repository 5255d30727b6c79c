import type { Command } from 'commander';
import { say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import { answerPlan } from './answer-plan.ts';
import { answerDeployed } from './answers.ts';
import { addExamples } from './examples.ts';
import { addProfileOptions, durationOption, type ProfileOptions, toProfileRequest } from './options.ts';
import type { Run } from './session.ts';

interface Options extends ProfileOptions {
  readonly dryRun?: true;
  readonly wait: boolean;
  readonly install: boolean;
  readonly rollback: boolean;
  readonly foreground?: true;
  readonly yes?: true;
  readonly timeout?: number;
}

export function configure(command: Command, run: Run): void {
  addProfileOptions(command.argument('[name]', toText(say('commands.argument.name'))))
    .option('--dry-run', toText(say('commands.up.dry-run')))
    .option('--no-wait', toText(say('commands.up.no-wait')))
    .option('--foreground', toText(say('commands.up.foreground')))
    .addOption(durationOption(command, '--timeout <duration>', toText(say('commands.up.timeout'))))
    .option('--no-install', toText(say('commands.up.no-install')))
    .option('--no-rollback', toText(say('commands.up.no-rollback')))
    .option('--yes', toText(say('commands.option.yes')))
    .action((name: string | undefined, options: Options) =>
      run(
        async (session) => {
          const request = toRequest(name, options);
          if (options.dryRun) {
            const { planUp } = await import('../operate/plan-up.ts');
            return answerPlan(session, await planUp(request, session.context));
          }
          const { up } = await import('../operate/up.ts');
          const deployment = await up(request, session.context);
          return answerDeployed(session, deployment);
        },
        { busy: true },
      ),
    );
  addExamples(command, ['up', 'up --profile tiny', 'up chat -p int4 --set vllm.max-model-len=8192', 'up -p ./mine.yaml --dry-run']);
}

function toRequest(name: string | undefined, options: Options) {
  return {
    ...(name === undefined ? {} : { name }),
    ...toProfileRequest(options),
    install: options.install,
    wait: options.wait,
    ...(options.timeout === undefined ? {} : { timeoutMs: options.timeout }),
    yes: options.yes ?? false,
    rollback: options.rollback,
    foreground: options.foreground ?? false,
  };
}
