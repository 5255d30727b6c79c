import type { Command } from 'commander';
import { say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import { answerPlan } from './answers.ts';
import { addExamples } from './examples.ts';
import { addProfileOptions, type ProfileOptions, toProfileRequest } from './options.ts';
import type { Run } from './session.ts';

export function configure(command: Command, run: Run): void {
  addProfileOptions(command.argument('[name]', toText(say('commands.argument.name')))).action(
    (name: string | undefined, options: ProfileOptions) =>
      run(async (session) => {
        const { planUp } = await import('../operate/plan-up.ts');
        const request = {
          ...(name === undefined ? {} : { name }),
          ...toProfileRequest(options),
          install: true,
        };
        return answerPlan(session, await planUp(request, session.context));
      }),
  );
  addExamples(command, ['plan -p tiny', 'plan -p int4 --set vllm.max-model-len=8192 -o json']);
}
