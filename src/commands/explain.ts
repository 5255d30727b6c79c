import type { Command } from 'commander';
import { say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import { toFlagDocument, toLogDocument } from '../views/documents.ts';
import { renderCode, renderCodes, renderFlag } from '../views/explain.ts';
import { addExamples } from './examples.ts';
import { refuse } from './options.ts';
import type { Run, Session } from './session.ts';

interface ExplainOptions {
  readonly flag?: string;
  readonly engineVersion?: string;
  readonly list?: boolean;
  readonly log?: string;
}

export function configure(command: Command, run: Run): void {
  command
    .argument('[code]', toText(say('commands.argument.code')))
    .option('--flag <name>', toText(say('commands.explain.flag')))
    .option('--engine-version <version>', toText(say('commands.option.engine-version')))
    .option('--list', toText(say('commands.explain.list')))
    .option('--log <file>', toText(say('commands.explain.log')))
    .action((code: string | undefined, options: ExplainOptions) => run((session) => explain(code, options, session)));
  addExamples(command, [
    'explain --flag max-num-seqs',
    'explain --flag log-level --engine-version 0.33.0',
    'explain runtime/port-taken',
    'explain --log vllm.log',
  ]);
}

async function explain(code: string | undefined, options: ExplainOptions, session: Session): Promise<undefined> {
  const asked = [code, options.flag, options.list, options.log].filter((one) => one !== undefined);
  if (asked.length !== 1) throw refuse(toText(say('commands.explain.one')), 'explain');
  if (options.log !== undefined) return explainLog(options.log, session);
  const { explainCode, explainFlag, listCodes } = await import('../operate/explain.ts');
  if (options.flag !== undefined) {
    const found = await explainFlag(options.flag, { ...toVersion(options), places: session.context.places });
    session.answer(toFlagDocument(found), ({ palette }) => renderFlag(found, palette));
  } else if (code === undefined) {
    const codes = listCodes();
    session.answer({ kind: 'Explanation', version: 1, codes }, ({ palette }) => renderCodes(codes, palette));
  } else {
    const found = explainCode(code);
    session.answer({ kind: 'Explanation', version: 1, ...found }, ({ palette }) => renderCode(found, palette));
  }
}

async function explainLog(file: string, session: Session): Promise<undefined> {
  const [{ explainLog: read }, { renderLog }] = await Promise.all([import('../operate/explain-log.ts'), import('../views/diagnosis.ts')]);
  const { stdin } = session.host;
  if (file === '-' && stdin.isTTY) session.tell(toText(say('explain-log.paste')));
  const found = await read({ file, stdin }, session.context);
  session.answer(
    () => toLogDocument(found),
    ({ palette }) => renderLog(found, palette),
  );
}

function toVersion({ engineVersion }: ExplainOptions): { readonly version?: string } {
  return engineVersion === undefined ? {} : { version: engineVersion };
}
