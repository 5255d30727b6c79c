import type { Command } from 'commander';
import { ExitStatus } from '../core/exit.ts';
import { say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import { renderProfileDiff, toProfileDiffDocument } from '../views/profile-diff.ts';
import { addExamples } from './examples.ts';
import { setOption } from './options.ts';
import type { Run, Session } from './session.ts';

interface Options {
  readonly set?: readonly string[];
  readonly exitCode?: true;
}

export function addDiff(command: Command, run: Run): void {
  const set = setOption();
  set.description = toText(say('commands.profiles.diff.set'));
  command
    .description(toText(say('commands.profiles.diff')))
    .argument('<a>', toText(say('commands.argument.profile-a')))
    .argument('<b>', toText(say('commands.argument.profile-b')))
    .addOption(set)
    .option('--exit-code', toText(say('commands.profiles.diff.exit-code')))
    .action((a: string, b: string, options: Options) => run((session) => diff({ a, b, ...options }, session)));
  addExamples(command, ['profiles diff int8 fp8', 'profiles diff tiny tiny --set vllm.max-num-seqs=32']);
}

async function diff(asked: Options & { readonly a: string; readonly b: string }, session: Session): Promise<number> {
  const { diffProfiles } = await import('../operate/profiles-diff.ts');
  const { a, b, set: sets = [], exitCode = false } = asked;
  const found = await diffProfiles({ a, b, sets }, session.context);
  session.answer(toProfileDiffDocument(found), ({ palette }) => renderProfileDiff(found, palette));
  return exitCode && found.differences.length > 0 ? ExitStatus.gate : ExitStatus.done;
}
