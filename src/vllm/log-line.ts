/** One line of an engine's log, whatever wrote it: vLLM (plain or JSON), uvicorn, a library, the interpreter. */
import { stripVTControlCharacters } from 'node:util';

export type LogLevel = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR';

export interface LogLine {
  /** `api`, `engine`, `worker`, or the name as printed when it is none of these. */
  readonly process?: string;
  readonly pid?: number;
  readonly level?: LogLevel;
  /** `MM-DD HH:MM:SS`: vLLM prints neither year nor zone. */
  readonly at?: string;
  /** `file.py:line`, or the logger's name in JSON logs. */
  readonly source?: string;
  /** Without prefixes. More than one line only where a JSON record holds a traceback. */
  readonly text: string;
}

const processPrefix = /^\(([\w.-]+) pid=(\d+)\) /;
const levelPrefix = /^(DEBUG|INFO|WARNING|ERROR|CRITICAL) (\d\d-\d\d \d\d:\d\d:\d\d) (?:\[([^\]\s]+:\d+)\] ?)?/;
const uvicornPrefix = /^(DEBUG|INFO|WARNING|ERROR|CRITICAL): +/;

/** Total: a line that nothing is known about is its own text. */
export function parseLogLine(raw: string): LogLine {
  const line = stripVTControlCharacters(toShown(raw));
  return line.startsWith('{') ? (parseJsonLine(line) ?? { text: line }) : parsePlainLine(line);
}

/**
 * Multi-line records end in `\r\n`, and progress bars redraw with `\r`: what counts is what a terminal would
 * show last.
 */
function toShown(raw: string): string {
  if (!raw.includes('\r')) return raw;
  return raw.split('\r').findLast((part) => part.trim() !== '') ?? '';
}

function parsePlainLine(line: string): LogLine {
  const who = processPrefix.exec(line);
  const rest = who ? line.slice(who[0].length) : line;
  const origin = who ? { process: toRole(who[1] ?? ''), pid: Number(who[2]) } : {};
  const own = levelPrefix.exec(rest);
  if (own) {
    const [whole, level, at, source] = own;
    return { ...origin, ...toLevel(level), ...(at ? { at } : {}), ...(source ? { source } : {}), text: rest.slice(whole.length) };
  }
  const uvicorn = uvicornPrefix.exec(rest);
  if (uvicorn) return { ...origin, ...toLevel(uvicorn[1]), text: rest.slice(uvicorn[0].length) };
  return { ...origin, text: rest };
}

/** Undefined when it only looks like JSON, or is JSON of somebody else. */
function parseJsonLine(line: string): LogLine | undefined {
  const record = parseRecord(line);
  const message = record?.['message'];
  if (!record || typeof message !== 'string') return undefined;
  const text = [message, record['exc_info'], record['exc_text'], record['exception']].filter((part) => typeof part === 'string').join('\n');
  const name = record['vllm_process_name'] ?? record['processName'];
  const pid = record['process'];
  const at = /\d\d\d\d-(\d\d-\d\d)[ T](\d\d:\d\d:\d\d)/.exec(String(record['asctime']));
  const source = record['name'];
  return {
    ...(typeof name === 'string' ? { process: toRole(name) } : {}),
    ...(typeof pid === 'number' ? { pid } : {}),
    ...toLevel(record['levelname']),
    ...(at ? { at: `${at[1]} ${at[2]}` } : {}),
    ...(typeof source === 'string' ? { source } : {}),
    text,
  };
}

/** Undefined where it is not one JSON object. */
export function parseRecord(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    // a Python dictionary, a cut line: text like any other
    return undefined;
  }
}

/** The worker calls itself `VllmWorker-0` at first and `Worker`, `Worker_TP0` later; engines are numbered with data parallelism. */
function toRole(name: string): string {
  if (/^(?:APIServer|MainProcess)/i.test(name)) return 'api';
  if (/^EngineCore/.test(name)) return 'engine';
  if (/^(Vllm)?Worker/.test(name)) return 'worker';
  return name;
}

function toLevel(name: unknown): { readonly level?: LogLevel } {
  if (name === 'DEBUG' || name === 'INFO' || name === 'WARNING' || name === 'ERROR') return { level: name };
  return name === 'CRITICAL' ? { level: 'ERROR' } : {};
}
