import type { Command } from 'commander';
import { say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import { renderProfile, renderProfileList } from '../views/profiles.ts';
import { addExamples } from './examples.ts';
import { setOption } from './options.ts';
import type { Run, Session } from './session.ts';

export function configure(command: Command, run: Run): void {
  command
    .command('list')
    .description(toText(say('commands.profiles.list')))
    .action(() => run(list));
  const shown = command
    .command('show')
    .description(toText(say('commands.profiles.show')))
    .argument('<profile>', toText(say('commands.argument.profile')))
    .addOption(setOption())
    .action((ref: string, options: { readonly set?: readonly string[] }) => run((session) => show(ref, options.set ?? [], session)));
  addExamples(shown, ['profiles show tiny', 'profiles show ./mine.yaml --set server.port=9000']);
}

async function list(session: Session): Promise<undefined> {
  const { readProfileList } = await import('../operate/profiles.ts');
  const found = await readProfileList(session.context);
  session.answer(found, ({ palette }) => renderProfileList(found.profiles, palette));
}

async function show(ref: string, sets: readonly string[], session: Session): Promise<undefined> {
  const { readProfileShown } = await import('../operate/profiles.ts');
  const profile = await readProfileShown({ ref, sets }, session.context);
  session.answer({ kind: 'Profile', version: 1, ...profile }, ({ palette }) => renderProfile(profile, palette));
}
