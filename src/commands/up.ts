import type { Command } from 'commander';
import { say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import { answerPlan } from './answer-plan.ts';
import { answerDeployed } from './answers.ts';
import { addExamples } from './examples.ts';
import { addProfileOptions, durationOption } from './options.ts';
import type { Run } from './session.ts';
import { toUpRequest, type UpOptions } from './up-request.ts';

export function configure(command: Command, run: Run): void {
  addProfileOptions(command.argument('[name]', toText(say('commands.argument.name'))))
    .option('--dry-run', toText(say('commands.up.dry-run')))
    .option('--no-wait', toText(say('commands.up.no-wait')))
    .option('--foreground', toText(say('commands.up.foreground')))
    .addOption(durationOption(command, '--timeout <duration>', toText(say('commands.up.timeout'))))
    .option('--no-install', toText(say('commands.up.no-install')))
    .option('--no-rollback', toText(say('commands.up.no-rollback')))
    .option('--fix', toText(say('commands.up.fix')))
    .option('--write', toText(say('commands.up.write')))
    .option('--skip-preflight', toText(say('commands.up.skip-preflight')))
    .option('--yes', toText(say('commands.option.yes')))
    .action((name: string | undefined, options: UpOptions) =>
      run(
        async (session) => {
          const request = toUpRequest(name, options);
          if (options.dryRun) {
            const { planUp } = await import('../operate/plan-up.ts');
            return answerPlan(session, await planUp(request, session.context));
          }
          const { upAndMend } = await import('../operate/remedy.ts');
          return answerDeployed(session, await upAndMend(request, session.context));
        },
        { busy: true },
      ),
    );
  addExamples(command, ['up', 'up --profile tiny', 'up chat -p int4 --set vllm.max-model-len=8192', 'up chat --fix', 'up -p ./mine.yaml --dry-run']);
}
