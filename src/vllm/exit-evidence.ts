/**
 * Why an engine ended, as far as its log says so with certainty.
 *
 * The last line is rarely the cause: the API server ends with "Engine core initialization failed" whatever went
 * wrong, pydantic ends with a link, and a clean stop may end in an EngineDeadError. So lines are ranked: the first
 * exception of an engine or worker process, then what the API server's own check refused, then its last exception,
 * then the wrappers.
 */
import { causes } from './causes.ts';
import { type LogLine, parseLogLine } from './log-line.ts';

export interface ExitEvidence {
  /** Id of the failure; absent unless the line leaves no doubt. */
  readonly cause?: string;
  /** The most telling line, without prefixes. */
  readonly line?: string;
  /** The engine was told to stop by a signal. */
  readonly wanted: boolean;
  /** The same start fails again until somebody changes something. */
  readonly permanent: boolean;
  /** Comes and goes by itself, so that two of it in a row prove nothing. */
  readonly passes?: boolean;
}

/** Of the lines of one launch, oldest first; a tail is enough when it reaches back to the first error. */
export function toExitEvidence(lines: readonly string[]): ExitEvidence {
  const all = lines.flatMap(toParts);
  const stop = all.findIndex(({ text }) => stopPattern.test(text));
  const wanted = stop >= 0;
  const log = wanted ? all.slice(0, stop) : all;
  const began = log.findLastIndex(({ text }) => text.includes('Application startup complete'));
  const served = began >= 0 || log.some(({ text }) => servingPattern.test(text));
  const line = served ? findDeathLine(log.slice(began + 1)) : findStartFailureLine(log);
  // Errors of single requests are not the reason for a stop that was asked for.
  if (line === undefined || (wanted && served && !log.some(isDeath))) return { wanted, permanent: false };
  const named = causes.find(({ pattern, when }) => pattern.test(line) && (when === undefined || (when === 'serving') === served));
  const beside = named === undefined ? log.findLast(({ text }) => besidePattern.test(text))?.text : undefined;
  const known = beside === undefined ? named : causes.find(({ pattern }) => pattern.test(beside));
  // What has served once can serve again: only a failed start proves that nothing but a change helps.
  return {
    ...(known ? { cause: known.cause } : {}),
    line: beside ?? line,
    wanted,
    permanent: !served && known?.permanent === true,
    ...(known?.passes ? { passes: true } : {}),
  };
}

/** Two launches that end with the same signature failed for the same reason: numbers, paths and addresses are left out. */
export function toSignature(line: string): string {
  return parseLogLine(line)
    .text.replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '<id>')
    .replace(/\b0x[0-9a-f]+\b/gi, '<hex>')
    .replace(/\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,}\b/gi, '<hex>')
    .replace(/(?<![\w/<])\/[^\s'"`,;:()[\]{}]+/g, '<path>')
    .replace(/\d+(?:[.,:]\d+)*/g, '<n>')
    .replace(/\s+/g, ' ')
    .trim();
}

/** vLLM's handler of SIGTERM and SIGINT; during the start it is an exception that says so. */
const stopPattern = /\[shutdown\] API server: shutdown triggered|^KeyboardInterrupt: terminated/;
/** What only a server that was up prints: a tail may not reach back to its start. */
const servingPattern = /HTTP\/1\.\d" \d{3}|Avg prompt throughput: |^Finished server process \[/;
/** NCCL's exception says "unhandled system error"; what it was stands in a warning of its own. */
const besidePattern = /shared memory segment \/dev\/shm\//;
const deathPattern = /engine core exited unexpectedly|Worker proc \S+ died unexpectedly/;
const argparsePattern = /^[\w. -]+: error: /;
const pydanticPattern = /^\s+(?:Value error, |Input should be )/;
const exceptionPattern = /^(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Interrupt|Exit|NotFound|Unavailable|Timeout)\b(?::|$)/;
const bareExceptionPattern = /^Exception: /;
const chainPattern = /^(?:The above exception was the direct cause of|During handling of the above exception)/;
/** Exceptions that only say that something else has failed, from telling to empty. */
const wrapperPatterns = [
  /^Exception: WorkerProc initialization failed/,
  /^RuntimeError: Engine core initialization failed/,
  /^RuntimeError: (?:cancelled|Executor failed)/,
  /EngineDeadError/,
];

/** How far back from the death its first exception may stand: older ones were survived. */
const deathWindow = 300;

function toParts(raw: string): readonly LogLine[] {
  const line = parseLogLine(raw);
  return line.text.includes('\n') ? line.text.split('\n').map((text) => ({ ...line, text })) : [line];
}

function isDeath({ text }: LogLine): boolean {
  return deathPattern.test(text);
}

function findDeathLine(log: readonly LogLine[]): string | undefined {
  const death = log.findIndex(isDeath);
  const near = log.slice(Math.max(0, (death < 0 ? log.length : death) - deathWindow));
  return findBackendLine(near, 'or-death') ?? near.find(isDeath)?.text ?? findLastException(near) ?? findWrapper(near);
}

function findStartFailureLine(log: readonly LogLine[]): string | undefined {
  return (
    log.findLast(({ text }) => argparsePattern.test(text))?.text ??
    findBackendLine(log, 'exceptions') ??
    findPydanticLine(log) ??
    findLastException(log) ??
    findWrapper(log) ??
    log.find(isDeath)?.text
  );
}

/** The first exception of an engine or worker process; of a chain the last, which is the one that ended it. */
function findBackendLine(log: readonly LogLine[], what: 'exceptions' | 'or-death'): string | undefined {
  const own = log.filter((line) => (line.process === 'engine' || line.process === 'worker') && isLoud(line));
  let found: string | undefined;
  for (const [index, line] of own.entries()) {
    if (what === 'or-death' && found === undefined && isDeath(line)) return line.text;
    if (found !== undefined && isWrapper(line)) return found;
    if (!isCause(line)) continue;
    found = line.text;
    if (!isChained(own, index)) return found;
  }
  return found;
}

/** Whether Python goes on to say that this exception caused another one. */
function isChained(own: readonly LogLine[], index: number): boolean {
  const next = own.slice(index + 1, index + 4).find(({ pid, text }) => pid === own[index]?.pid && text.trim() !== '');
  return next !== undefined && chainPattern.test(next.text);
}

/** With the setting's name in front, which pydantic prints on a line of its own. */
function findPydanticLine(log: readonly LogLine[]): string | undefined {
  const index = log.findLastIndex(({ text }) => pydanticPattern.test(text));
  const text = log[index]?.text.trim();
  const setting = /^[\w.]+$/.exec(log[index - 1]?.text ?? '')?.[0];
  return text === undefined || setting === undefined ? text : `${setting}: ${text}`;
}

/** Of the API server, which prints the last traceback of a failed start raw. */
function findLastException(log: readonly LogLine[]): string | undefined {
  return log.findLast(isCause)?.text;
}

function findWrapper(log: readonly LogLine[]): string | undefined {
  return wrapperPatterns.flatMap((pattern) => log.find(({ text }) => pattern.test(text)) ?? [])[0]?.text;
}

function isCause(line: LogLine): boolean {
  return isLoud(line) && (exceptionPattern.test(line.text) || bareExceptionPattern.test(line.text)) && !isWrapper(line);
}

function isWrapper({ text }: LogLine): boolean {
  return wrapperPatterns.some((pattern) => pattern.test(text));
}

/** Raw tracebacks have no level. */
function isLoud({ level }: LogLine): boolean {
  return level === 'ERROR' || level === undefined;
}
