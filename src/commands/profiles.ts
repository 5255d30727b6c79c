import type { Command } from 'commander';
import { say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import { renderProfile, renderProfileList, toProfileDocument } from '../views/profiles.ts';
import { addExamples } from './examples.ts';
import { setOption } from './options.ts';
import type { Run, Session } from './session.ts';

interface ShowOptions {
  readonly set?: readonly string[];
  readonly explain?: boolean;
}

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
    .option('--explain', toText(say('commands.profiles.explain')))
    .action((ref: string, options: ShowOptions) => run((session) => show(ref, options, session)));
  addExamples(shown, ['profiles show tiny', 'profiles show tiny --explain', 'profiles show ./mine.yaml --set server.port=9000']);
}

async function list(session: Session): Promise<undefined> {
  const { readProfileList } = await import('../operate/profiles.ts');
  const found = await readProfileList(session.context);
  session.answer(found, ({ palette, size }) => renderProfileList(found.profiles, palette, size()?.columns));
}

async function show(ref: string, { set: sets = [], explain = false }: ShowOptions, session: Session): Promise<undefined> {
  const { readProfileShown } = await import('../operate/profiles.ts');
  const profile = await readProfileShown({ ref, sets }, session.context);
  session.answer(toProfileDocument(profile, { explain }), ({ palette }) => renderProfile(profile, { palette, explain }));
}
