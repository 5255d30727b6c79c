import type { Command } from 'commander';
import { ExitStatus } from '../core/exit.ts';
import { say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import { renderProfileCheck, toProfileCheckDocument } from '../views/profile-check.ts';
import { addExamples } from './examples.ts';
import { setOption } from './options.ts';
import type { Run, Session } from './session.ts';

interface Options {
  readonly set?: readonly string[];
  readonly engineVersion?: string;
}

export function addCheck(command: Command, run: Run): void {
  command
    .description(toText(say('commands.profiles.check')))
    .argument('[profiles...]', toText(say('commands.argument.profiles')))
    .addOption(setOption())
    .option('--engine-version <version>', toText(say('commands.profiles.as-version')))
    .action((refs: readonly string[], options: Options) => run((session) => check(refs, options, session)));
  addExamples(command, ['profiles check', 'profiles check ./mine.yaml int4', 'profiles check --engine-version 0.33.0 ./mine.yaml']);
}

async function check(refs: readonly string[], { set: sets = [], engineVersion }: Options, session: Session): Promise<number> {
  const { checkProfiles } = await import('../operate/profiles-check.ts');
  const { context } = session;
  const checked = await checkProfiles({ refs, sets, ...(engineVersion === undefined ? {} : { engineVersion }) }, context);
  session.answer(toProfileCheckDocument(checked), ({ palette }) => renderProfileCheck(checked, { palette, cwd: context.cwd }));
  const isError = checked.files.some(({ findings }) => findings.some(({ severity }) => severity === 'error'));
  return isError ? ExitStatus.invalidProfile : ExitStatus.done;
}
