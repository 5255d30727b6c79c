import type { Command } from 'commander';
import { say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import { addExamples } from './examples.ts';
import { addProfileOptions, type ProfileOptions, toProfileRequest } from './options.ts';
import type { Run } from './session.ts';

interface Options extends ProfileOptions {
  readonly gpu?: string;
}

export function configure(command: Command, run: Run): void {
  addProfileOptions(command.argument('[name]', toText(say('commands.argument.name'))))
    .option('--gpu <name>', toText(say('commands.plan.gpu')))
    .action((name: string | undefined, options: Options) =>
      run(async (session) => {
        const { planUp } = await import('../operate/plan-up.ts');
        const request = {
          ...(name === undefined ? {} : { name }),
          ...toProfileRequest(options),
          ...(options.gpu === undefined ? {} : { gpu: options.gpu }),
          install: true,
        };
        // The machine takes a moment to answer.
        const [planned, { answerPlan }] = await Promise.all([planUp(request, session.context), import('./answer-plan.ts')]);
        return answerPlan(session, planned);
      }),
    );
  addExamples(command, ['plan -p tiny', 'plan -p fp8 --gpu "RTX 4090"', 'plan -p int4 --set vllm.max-model-len=8192 -o json']);
}
