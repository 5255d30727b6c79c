import type { Command } from 'commander';
import { say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import { renderEvent, toEventDocument } from '../views/events.ts';
import { addExamples } from './examples.ts';
import { countOption } from './options.ts';
import type { Run } from './session.ts';
import { stream } from './stream.ts';

interface Options {
  readonly follow?: boolean;
  readonly tail?: number;
}

export function configure(command: Command, run: Run): void {
  command
    .argument('[name]', toText(say('commands.argument.name')))
    .option('-f, --follow', toText(say('commands.logs.follow')))
    .addOption(countOption(command, '--tail <events>', toText(say('commands.events.tail'))))
    .action((name: string | undefined, { follow = false, tail }: Options) =>
      run(async (session) => {
        const { readEvents } = await import('../operate/events.ts');
        const request = { ...(name === undefined ? {} : { name }), follow, ...(tail === undefined ? {} : { tail }) };
        return stream(session, readEvents(request, session.context), {
          follow,
          toDocument: toEventDocument,
          toLine: (event) => renderEvent(event, session.screen.palette),
          toList: (events) => ({ kind: 'EventList', version: 1, events }),
        });
      }),
    );
  addExamples(command, ['events', 'events chat -f', 'events -f -o json']);
}
