/** Asks an installed vLLM for its flags: a script of ours, run by that vLLM's Python, walks its argument parser. */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Message, say } from '../core/message.ts';
import { runProgram } from '../host/exec.ts';
import { readTextFile } from '../host/files.ts';
import { toPackagePath } from '../host/package-files.ts';
import { toInstallEnvironment } from './environment.ts';
import { toTellingLine } from './output.ts';

export interface DumpOptions {
  /** Where it may write; must be there. */
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

/** The first import without bytecode takes a minute; a parser that takes longer hangs. */
const limitMs = 300_000;

/** What the script wrote, whatever it is; or why there is nothing. Takes 10 to 20 s, because vLLM is imported. */
export async function readFlagDump(
  python: string,
  { directory, env, signal }: DumpOptions,
): Promise<string | { readonly problem: Message | string }> {
  // A file of its own: plug-ins print to stdout as they like.
  const work = await mkdtemp(join(directory, '.dump-'));
  try {
    const file = join(work, 'dump.json');
    const script = toPackagePath('scripts', 'dump-flags.py');
    const result = await runProgram(python, [script, file], { env: toInstallEnvironment(env), signal, timeoutMs: limitMs, cwd: work });
    const text = result.code === 0 ? await readTextFile(file) : undefined;
    if (text !== undefined) return text;
    if (signal.aborted) return { problem: say('engine.interrupted') };
    if (result.problem === 'ETIMEDOUT') return { problem: say('engine.no-answer-within', { seconds: limitMs / 1000 }) };
    return {
      problem: toTellingLine(`${result.stdout}\n${result.stderr}`) || (result.problem ?? result.signal ?? `exit status ${result.code}`),
    };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
