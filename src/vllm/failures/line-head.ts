/** Who wrote a line, and how loud. Tells more than parseLogLine where something else stands in front of vLLM's prefix. */
import { type LogLine, parseLogLine } from '../log-line.ts';
import type { ProcessRole } from './evidence.ts';

export interface HeadedLine {
  readonly text: string;
  readonly role: ProcessRole;
  readonly pid?: string;
  /** Absent: printed raw. */
  readonly level?: LogLine['level'];
  /** Nothing in front of it says who wrote it: it may go on with the line before. */
  readonly bare: boolean;
}

/** A JSON record may hold a traceback: one for each of its lines. */
export function toHeadedLines(raw: string): readonly HeadedLine[] {
  const line = raw.startsWith('{') ? parseLogLine(raw) : parseLogLine(raw.slice(findPrefix(raw)));
  const level = line.level ?? toLooseLevel(line.text);
  const role = toRole(line);
  const head = {
    role,
    ...(line.process === undefined ? {} : { pid: `${line.process}:${line.pid ?? ''}` }),
    ...(level === undefined ? {} : { level }),
    bare: line.process === undefined && line.level === undefined,
  };
  const texts = line.text.includes('\n') ? line.text.split('\n') : [line.text];
  return texts.map((text) => ({ ...head, text }));
}

const prefixPattern =
  /\((?:APIServer|EngineCore|Worker|VllmWorker|RayWorker|MainProcess|DPCoordinator)[\w.-]{0,40}(?: pid=\d{1,10})?[^)\n]{0,40}\) ?/;
const levelPattern = /(?:DEBUG|INFO|WARNING|ERROR|CRITICAL) +\d\d-\d\d \d\d:\d\d:\d\d/;
const mostPrefix = 200;

/** Of `1357:`, of journald's and of other people's time stamps. */
function findPrefix(raw: string): number {
  const head = raw.slice(0, mostPrefix);
  const found = prefixPattern.exec(head) ?? levelPattern.exec(head);
  return found?.index ?? 0;
}

/** `WARNING [cpu.py:459] …`, `/usr/lib/x.py:224: UserWarning: …` */
function toLooseLevel(text: string): LogLine['level'] {
  const head = text.slice(0, mostPrefix);
  const named = /^(?:[^\s]{0,60} )?(DEBUG|INFO|WARNING|ERROR|CRITICAL)\s+(?:\[|\.\.\.)/.exec(head)?.[1];
  if (named === 'DEBUG' || named === 'INFO' || named === 'WARNING' || named === 'ERROR') return named;
  return /\b[A-Z]\w{2,40}Warning: /.test(head) ? 'WARNING' : undefined;
}

function toRole({ process, source, text }: LogLine): ProcessRole {
  if (process === 'api' || process === 'engine' || process === 'worker') return process;
  if (process !== undefined) return /^Ray/.test(process) ? 'worker' : 'other';
  const file = source ?? /^(?:[A-Z]{0,8} ?)\[?([\w.]{1,60}\.py):\d{1,6}\]/.exec(text.slice(0, mostPrefix))?.[1];
  if (file === undefined) return 'other';
  if (/^(?:multiproc_|gpu_worker|cpu_worker|worker|model_runner|gpu_model_runner)/.test(file)) return 'worker';
  return /^core\.py/.test(file) ? 'engine' : 'other';
}
