import type { Command } from 'commander';
import { ExitStatus } from '../core/exit.ts';
import { say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import { renderProfileImport, toProfileImportDocument } from '../views/profile-import.ts';
import { addExamples } from './examples.ts';
import type { Host } from './host.ts';
import { refuse } from './options.ts';
import type { Run, Session } from './session.ts';

interface Options {
  readonly engineVersion?: string;
  readonly file?: string;
  readonly service?: string;
}

export function addImport(command: Command, run: Run): void {
  command
    .usage('[options] [--] [line...]')
    .description(toText(say('commands.profiles.import')))
    .argument('[line...]', toText(say('commands.argument.line')))
    .option('--engine-version <version>', toText(say('commands.import.engine-version')))
    .option('--file <path>', toText(say('commands.import.file')))
    .option('--service <name>', toText(say('commands.import.service')))
    .action((line: readonly string[], options: Options) => run((session) => importLine(line, options, session)));
  addExamples(command, [
    'profiles import -- vllm serve Qwen/Qwen3-8B --max-model-len 8k > mine.yaml',
    'profiles import --engine-version 0.33.0 "docker run --gpus all vllm/vllm-openai --model Qwen/Qwen3-8B"',
    'profiles import --file compose.yaml --service chat',
  ]);
}

async function importLine(line: readonly string[], { file, ...options }: Options, session: Session): Promise<number> {
  if (file !== undefined && line.length > 0) throw refuse(toText(say('commands.import.both')), 'profiles import');
  const isPiped = file === undefined && (line.length === 0 || (line.length === 1 && line[0] === '-'));
  const texts = isPiped ? [await readAll(session.host)] : line;
  if (file === undefined && texts.every((text) => text.trim() === '')) throw refuse(toText(say('commands.import.none')), 'profiles import');
  const { readProfileImport } = await import('../operate/profiles-import.ts');
  const imported = await readProfileImport({ ...options, texts, ...(file === undefined ? {} : { file }) }, session.context);
  session.answer(toProfileImportDocument(imported), () => imported.yaml ?? '');
  const { output, palette } = session.screen;
  if (output.mode !== 'json') session.tell(renderProfileImport(imported, palette));
  return imported.findings.some(({ severity }) => severity === 'error') ? ExitStatus.invalidProfile : ExitStatus.done;
}

/** More than anybody writes is not read: it is refused by its length anyway. */
const mostBytes = 2 ** 21;

async function readAll({ stdin }: Host): Promise<string> {
  if (stdin.isTTY) return '';
  const chunks: Buffer[] = [];
  for await (const chunk of stdin) {
    chunks.push(Buffer.from(chunk));
    if (chunks.reduce((sum, { length }) => sum + length, 0) > mostBytes) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}
