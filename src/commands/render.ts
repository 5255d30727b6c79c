import { type Command, Option } from 'commander';
import { ExitStatus } from '../core/exit.ts';
import { say } from '../core/message.ts';
import type { RenderRequest } from '../operate/render.ts';
import { toText } from '../text/render.ts';
import { renderFindings } from '../views/findings.ts';
import { renderCompared, renderWritten, toRenderedDocument } from '../views/rendered.ts';
import { addExamples } from './examples.ts';
import { addProfileChoice, type ProfileOptions, refuse, toChoice, toProfileRequest } from './options.ts';
import type { Run, Session } from './session.ts';

interface Options extends Omit<ProfileOptions, 'backend'> {
  readonly format?: RenderRequest['format'];
  readonly gpu?: string;
  readonly out?: string;
  readonly check?: boolean;
  readonly force?: boolean;
}

const formats: readonly RenderRequest['format'][] = ['docker-run'];

export function configure(command: Command, run: Run): void {
  const format = new Option('--format <format>', toText(say('commands.render.format'))).argParser(toChoice(command, '--format', formats));
  addProfileChoice(command.argument('[name]', toText(say('commands.argument.name'))))
    .addOption(format)
    .option('--gpu <name>', toText(say('commands.plan.gpu')))
    .option('--out <file>', toText(say('commands.render.out')))
    .option('--check', toText(say('commands.render.check')))
    .option('--force', toText(say('commands.render.force')))
    .action((name: string | undefined, options: Options) => run((session) => render(name, options, session)));
  addExamples(command, ['render -p int4 --format docker-run', 'render -p int4 --format docker-run --out int4.sh --check']);
}

async function render(name: string | undefined, options: Options, session: Session): Promise<number> {
  const { format, gpu, out, check = false, force = false } = options;
  if (format === undefined) throw refuse(toText(say('commands.render.no-format', { formats: formats.join(', ') })), 'render');
  if (out === undefined && (check || force))
    throw refuse(toText(say('commands.render.no-out', { option: check ? '--check' : '--force' })), 'render');
  const { compareRendered, renderProfile, writeRendered } = await import('../operate/render.ts');
  const optional = {
    ...(name === undefined ? {} : { name }),
    ...(gpu === undefined ? {} : { gpu }),
    ...(out === undefined ? {} : { out }),
  };
  const rendered = await renderProfile({ ...toProfileRequest(options), ...optional, format }, session.context);
  if (out === undefined) {
    session.answer(toRenderedDocument(rendered), () => rendered.files.map(({ text }) => text).join('\n'));
    return ExitStatus.done;
  }
  const compared = check ? await compareRendered(rendered) : await writeRendered(rendered, { force });
  session.answer(toRenderedDocument(rendered, compared), () => (check ? renderCompared(compared) : renderWritten(compared)));
  const { output, palette } = session.screen;
  if (output.mode !== 'json' && rendered.warnings.length > 0) session.tell(renderFindings(rendered.warnings, palette).trimEnd());
  return check && compared.some(({ is }) => is !== 'same') ? ExitStatus.gate : ExitStatus.done;
}
