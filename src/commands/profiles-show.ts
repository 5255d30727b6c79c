import type { Command } from 'commander';
import { say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import { renderFindings } from '../views/findings.ts';
import { renderProfile, toProfileDocument } from '../views/profiles.ts';
import { addExamples } from './examples.ts';
import { setOption } from './options.ts';
import type { Run, Session } from './session.ts';

interface Options {
  readonly set?: readonly string[];
  readonly explain?: boolean;
}

export function addShow(command: Command, run: Run): void {
  command
    .description(toText(say('commands.profiles.show')))
    .argument('<profile>', toText(say('commands.argument.profile')))
    .addOption(setOption())
    .option('--explain', toText(say('commands.profiles.explain')))
    .action((ref: string, options: Options) => run((session) => show(ref, options, session)));
  addExamples(command, ['profiles show tiny', 'profiles show tiny --explain', 'profiles show ./mine.yaml --set server.port=9000']);
}

async function show(ref: string, { set: sets = [], explain = false }: Options, session: Session): Promise<undefined> {
  const { readProfileShown } = await import('../operate/profiles.ts');
  const shown = await readProfileShown({ ref, sets, explain }, session.context);
  if (shown.findings.length > 0) session.tell(renderFindings(shown.findings, session.screen.palette).trimEnd());
  session.answer(toProfileDocument(shown, { explain }), ({ palette, size }) => {
    const columns = size()?.columns;
    return renderProfile(shown, { palette, explain, ...(columns === undefined ? {} : { width: columns }) });
  });
}
