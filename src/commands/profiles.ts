import type { Command } from 'commander';
import { say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import { renderProfileList } from '../views/profiles.ts';
import { addCheck } from './profiles-check.ts';
import { addDiff } from './profiles-diff.ts';
import { addImport } from './profiles-import.ts';
import { addInit } from './profiles-init.ts';
import { addSchema } from './profiles-schema.ts';
import { addShow } from './profiles-show.ts';
import type { Run, Session } from './session.ts';

export function configure(command: Command, run: Run): void {
  command
    .command('list')
    .description(toText(say('commands.profiles.list')))
    .action(() => run(list));
  addShow(command.command('show'), run);
  addCheck(command.command('check'), run);
  addDiff(command.command('diff'), run);
  addImport(command.command('import'), run);
  addInit(command.command('init'), run);
  addSchema(command.command('schema'), run);
}

async function list(session: Session): Promise<undefined> {
  const { readProfileList } = await import('../operate/profiles.ts');
  const found = await readProfileList(session.context);
  session.answer(found, ({ palette, size }) => renderProfileList(found.profiles, palette, size()?.columns));
}
