/** Why the engine of a log failed: any log of vLLM, of any size, from anywhere. Reads nothing but that log. */
import { resolve } from 'node:path';
import { DeployError } from '../core/error.ts';
import { maskDiagnosis } from '../core/mask-diagnosis.ts';
import { say } from '../core/message.ts';
import { createMask } from '../core/redact.ts';
import { toShellWord } from '../core/shell.ts';
import { errnoOf } from '../host/files.ts';
import { type LogReading, openLogFile, type Packing, readLogLines } from '../host/log-lines.ts';
import { openInput } from '../host/pipe.ts';
import { cutLine } from '../host/split-lines.ts';
import { isSecretName } from '../profile/secrets.ts';
import { diagnose } from '../vllm/failures/diagnose.ts';
import { createLogScan } from '../vllm/failures/scan.ts';
import { createEngineLogs, type EngineLog, type EngineScan } from '../vllm/unwrap/engine-logs.ts';
import type { FormatId } from '../vllm/unwrap/formats.ts';
import { createUnwrapper } from '../vllm/unwrap/unwrap.ts';
import type { Context } from './context.ts';
import { readTokens } from './known-secrets.ts';

export interface ExplainLogRequest {
  /** `-` is standard input. */
  readonly file: string;
  readonly stdin: AsyncIterable<unknown>;
}

export interface LogExplanation {
  readonly log: {
    readonly file: string;
    readonly lines: number;
    /** What stood around its lines, the outer ones first. */
    readonly formats: readonly FormatId[];
    readonly gzip: boolean;
    readonly damage?: 'cut' | 'broken';
    /** Some of its lines are of vLLM. */
    readonly isVllm: boolean;
  };
  /** At least one. Those that failed come first, the most telling at the top. */
  readonly engines: readonly EngineLog[];
}

/** A line of JSON is longer than what it says. */
const rawCap = 128 * 1024;

/** Throws `log/no-file`, `log/empty`, `usage/unreadable-file`, `usage/not-a-log` and `usage/packed-log`. */
export async function explainLog(request: ExplainLogRequest, context: Pick<Context, 'cwd' | 'env' | 'signal'>): Promise<LogExplanation> {
  const { file, stdin } = request;
  const engines = createEngineLogs(openScan);
  const unwrapper = createUnwrapper((line) => engines.push(line), { cut: cutLine });
  const source = file === '-' ? openInput(stdin) : openLogFile(resolve(context.cwd, file));
  const options = { signal: context.signal, lineCap: rawCap };
  const reading = await readLogLines(source, unwrapper.push, options).catch((error: unknown) => {
    throw toReadError(error, file);
  });
  const { lines, gzip, damage } = toRead(reading, file);
  unwrapper.end();
  const mask = createMask(await readSecrets(context.env));
  const found = engines.end();
  return {
    log: {
      file,
      lines,
      formats: unwrapper.formats,
      gzip,
      ...(damage ? { damage } : {}),
      isVllm: found.some(({ isVllm }) => isVllm),
    },
    engines: found.map((engine) => toMasked(engine, mask)),
  };
}

function toMasked(engine: EngineLog, mask: (text: string) => string): EngineLog {
  const { failed } = engine;
  return failed === undefined ? engine : { ...engine, failed: { ...failed, diagnosis: maskDiagnosis(failed.diagnosis, mask) } };
}

function openScan(): EngineScan {
  const scan = createLogScan();
  return { push: scan.push, diagnose: () => diagnose({ log: scan.end() }) };
}

function toReadError(error: unknown, file: string): unknown {
  const problem = errnoOf(error);
  if (problem === 'ENOENT' || problem === 'ENOTDIR') return DeployError.of('log/no-file', { file }, { cause: error });
  if (problem === undefined || !/^E[A-Z]+$/.test(problem)) return error;
  const words = { EISDIR: say('explain-log.directory'), EACCES: say('explain-log.denied') };
  const known = problem === 'EISDIR' || problem === 'EACCES' ? words[problem] : problem;
  return DeployError.of('usage/unreadable-file', { file, problem: known }, { cause: error });
}

function toRead(reading: LogReading, file: string): Extract<LogReading, { readonly is: 'read' }> {
  if (reading.is === 'binary') throw DeployError.of('usage/not-a-log', { file });
  if (reading.is === 'packed') {
    throw DeployError.of('usage/packed-log', { file, packing: reading.as, command: `${unpackers[reading.as]} ${toShellWord(file)}` });
  }
  if (reading.lines === 0) throw DeployError.of('log/empty', { file });
  return reading;
}

const unpackers: Readonly<Record<Packing, string>> = {
  zstd: 'zstd -dc',
  xz: 'xz -dc',
  bzip2: 'bzip2 -dc',
  lz4: 'lz4 -dc',
  zip: 'unzip -p',
  tar: 'tar -xOf',
};

/** What this shell and this user know; what the log holds of others goes by its form. */
async function readSecrets(env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const variables = Object.entries(env).flatMap(([name, value]) => (isSecretName(name) && value ? [value] : []));
  return [...variables, ...(await readTokens(env))];
}
