import type { Command } from 'commander';
import { say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import { addExamples } from './examples.ts';
import { completeInit, type InitOptions } from './init-questions.ts';
import type { Run, Session } from './session.ts';

export function addInit(command: Command, run: Run): void {
  command
    .description(toText(say('commands.profiles.init')))
    .argument('[name]', toText(say('commands.argument.new-profile')))
    .option('--from <profile>', toText(say('commands.profiles.init.from')))
    .option('--model <model>', toText(say('commands.profiles.init.model')))
    .option('--quantization <method>', toText(say('commands.profiles.init.quantization')))
    .option('--max-model-len <tokens>', toText(say('commands.profiles.init.max-model-len')))
    .option('--gpus <gpus>', toText(say('commands.profiles.init.gpus')))
    .option('--port <port>', toText(say('commands.profiles.init.port')))
    .option('--file <path>', toText(say('commands.profiles.init.file')))
    .option('--yes', toText(say('commands.option.yes')))
    .action((name: string | undefined, options: InitOptions) => run((session) => init(name, options, session)));
  addExamples(command, ['profiles init', 'profiles init mine --from int4 --port 8001', 'profiles init mine --model ./my-qwen --yes']);
}

async function init(name: string | undefined, options: InitOptions, session: Session): Promise<undefined> {
  const { initProfile } = await import('../operate/profiles-init.ts');
  const { ref, ...made } = await initProfile(await completeInit(name, options, session), session.context);
  session.tell(toText(say('profiles.init.next', { ref })));
  session.answer(made, () => `${toText(say('profiles.init.written', { file: made.file }))}\n`);
}
