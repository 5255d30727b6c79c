import type { Command } from 'commander';
import { say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import { toClean } from '../views/clean.ts';
import { addExamples } from './examples.ts';
import { countOption } from './options.ts';
import type { Run } from './session.ts';
import { stream } from './stream.ts';

interface Options {
  readonly follow?: true;
  readonly tail?: number;
  readonly launch?: string;
  readonly supervisor?: true;
}

export function configure(command: Command, run: Run): void {
  command
    .argument('[name]', toText(say('commands.argument.name')))
    .option('-f, --follow', toText(say('commands.logs.follow')))
    .addOption(countOption(command, '--tail <lines>', toText(say('commands.logs.tail'))))
    .option('--launch <launch>', toText(say('commands.logs.launch')))
    .option('--supervisor', toText(say('commands.logs.supervisor')))
    .action((name: string | undefined, options: Options) =>
      run(async (session) => {
        const { readLogs } = await import('../operate/logs.ts');
        const lines = readLogs(toRequest(name, options), session.context);
        return stream(session, lines, {
          follow: options.follow ?? false,
          toDocument: (line) => ({ kind: 'LogLine', version: 1, ...line }),
          toLine: ({ text }) => `${session.screen.terminal ? toClean(text) : text}\n`,
          toList: (documents) => ({ kind: 'LogLineList', version: 1, lines: documents }),
        });
      }),
    );
  addExamples(command, ['logs -f', 'logs chat --tail 50', 'logs --launch previous']);
}

function toRequest(name: string | undefined, { follow, tail, launch, supervisor }: Options) {
  return {
    ...(name === undefined ? {} : { name }),
    follow: follow ?? false,
    ...(tail === undefined ? {} : { tail }),
    ...(launch === undefined ? {} : { launch }),
    supervisor: supervisor ?? false,
  };
}
