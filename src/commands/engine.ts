import type { Command } from 'commander';
import { say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import { renderEngineList } from '../views/engines.ts';
import { addInstall } from './engine-install.ts';
import { addSyncFlags } from './engine-sync-flags.ts';
import { addExamples } from './examples.ts';
import type { Run, Session } from './session.ts';

export function configure(command: Command, run: Run): void {
  addInstall(command.command('install'), run);
  command
    .command('list')
    .description(toText(say('commands.engine.list')))
    .action(() => run(list));
  const removed = command
    .command('remove')
    .description(toText(say('commands.engine.remove')))
    .argument('<id>', toText(say('commands.argument.engine')))
    .action((id: string) => run((session) => remove(id, session), { busy: true }));
  addExamples(removed, ['engine remove cpu-0.32.0']);
  addSyncFlags(command.command('sync-flags'), run);
}

async function list(session: Session): Promise<undefined> {
  const { readEngineList } = await import('../operate/engine-list.ts');
  const found = await readEngineList(session.context);
  if (found.engines.length === 0) session.tell(toText(say('views.no-engines')));
  session.answer(found, ({ palette }) => (found.engines.length === 0 ? '' : renderEngineList(found.engines, palette)));
}

async function remove(id: string, session: Session): Promise<undefined> {
  const { removeEngine } = await import('../operate/engine-remove.ts');
  const removed = await removeEngine({ id }, session.context);
  session.answer({ kind: 'RemovedEngine', version: 1, ...removed }, () => `${toText(say('views.engine.removed', { id }))}\n`);
}
