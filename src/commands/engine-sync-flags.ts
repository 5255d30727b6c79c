import type { Command } from 'commander';
import { say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import { renderSyncedFlags } from '../views/engines.ts';
import { addExamples } from './examples.ts';
import type { Run, Session } from './session.ts';

interface Options {
  readonly executable?: string;
}

export function addSyncFlags(command: Command, run: Run): void {
  command
    .description(toText(say('commands.engine.sync-flags')))
    .argument('[version]', toText(say('commands.argument.engine-version')))
    .option('--executable <path>', toText(say('commands.engine.executable')))
    .action((version: string | undefined, options: Options) => run((session) => sync(session, version, options), { busy: true }));
  addExamples(command, ['engine sync-flags', 'engine sync-flags 0.32.0', 'engine sync-flags --executable /opt/vllm/bin/vllm']);
}

async function sync(session: Session, version: string | undefined, { executable }: Options): Promise<undefined> {
  const { syncFlags } = await import('../operate/engine-sync-flags.ts');
  const request = { ...(version === undefined ? {} : { version }), ...(executable === undefined ? {} : { executable }) };
  const synced = await syncFlags(request, session.context);
  if (synced.catalogues.length === 0) session.tell(toText(say('views.flags.known')));
  session.answer(synced, () => renderSyncedFlags(synced));
}
