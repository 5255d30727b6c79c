import type { Command } from 'commander';
import { say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import { renderEngines, renderRemoved } from '../views/engines.ts';
import { addExport } from './engine-image.ts';
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
  addExport(command.command('export'), run);
  const removed = command
    .command('remove')
    .description(toText(say('commands.engine.remove')))
    .argument('<id>', toText(say('commands.argument.engine')))
    .action((id: string) => run((session) => remove(id, session), { busy: true }));
  addExamples(removed, ['engine remove cpu-0.32.0', 'engine remove vllm/vllm-openai:v0.32.0']);
  addSyncFlags(command.command('sync-flags'), run);
}

async function list(session: Session): Promise<undefined> {
  const { readEngineList } = await import('../operate/engine-list.ts');
  const found = await readEngineList(session.context);
  if (found.engines.length + found.images.length === 0) session.tell(toText(say('views.no-engines')));
  session.answer(found, ({ palette }) => renderEngines(found, palette));
}

async function remove(id: string, session: Session): Promise<undefined> {
  const { removeInstalled } = await import('../operate/remove-image.ts');
  const removed = await removeInstalled({ id }, session.context);
  session.answer(removed, () => renderRemoved(removed));
}
