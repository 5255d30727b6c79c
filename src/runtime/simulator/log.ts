/** Log lines as vLLM prints them: `(APIServer pid=7) INFO 11-21 05:55:22 [entry.py:136] …`; uvicorn's have no prefix. */

export type LogProcess = 'APIServer' | 'EngineCore' | 'Worker';

export interface LogEntry {
  /** Undefined: uvicorn's own line. */
  readonly process?: LogProcess;
  readonly level?: 'INFO' | 'WARNING' | 'ERROR';
  /** File and line of vLLM's source, e.g. `entry.py:136`. */
  readonly where?: string;
  readonly text: string;
}

export type LogPids = Readonly<Record<LogProcess, number>>;

/** An entry of several lines repeats its prefix on each, and vLLM ends those in `\r`. */
export function renderLogEntry(entry: LogEntry, pids: LogPids, at = new Date()): string {
  if (entry.process === undefined) return `INFO:     ${entry.text}\n`;
  const prefix = `(${entry.process} pid=${pids[entry.process]}) ${entry.level ?? 'INFO'} ${renderTime(at)} [${entry.where ?? 'api_utils.py:347'}] `;
  const lines = entry.text.split('\n');
  return `${lines.map((line) => prefix + line).join('\r\n')}\n`;
}

export function toApiEntry(where: string, text: string, level: LogEntry['level'] = 'INFO'): LogEntry {
  return { process: 'APIServer', where, text, level };
}

export function toUvicornEntry(text: string): LogEntry {
  return { text };
}

function renderTime(at: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}
