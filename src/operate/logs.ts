import { readdir } from 'node:fs/promises';
import { toLaunchPaths } from '../control/directory.ts';
import { waitFor } from '../core/clock.ts';
import { DeployError } from '../core/error.ts';
import { openTail, readLastLines } from '../host/tail.ts';
import { readState } from '../supervisor/store.ts';
import { parseLogLine } from '../vllm/log-line.ts';
import type { Context } from './context.ts';
import { findDeployment, type Known } from './reach.ts';

export interface LogsRequest {
  readonly name?: string;
  readonly follow: boolean;
  readonly tail?: number;
  /** A launch id, its beginning, or `previous`. */
  readonly launch?: string;
  readonly supervisor: boolean;
}

export interface LogLine {
  readonly at?: string;
  readonly launchId: string;
  readonly process?: string;
  readonly level?: string;
  readonly text: string;
}

const pollMs = 150;
const everything = 10_000_000;

/** Lines of the engine's log as it wrote them. Following goes on over restarts and ends when the deployment is down. */
export async function* readLogs(request: LogsRequest, context: Context): AsyncGenerator<LogLine> {
  const known = await findDeployment(request.name, 'logs', context);
  let launchId = request.supervisor ? '' : await chooseLaunch(known, request.launch);
  const path = request.supervisor ? known.paths.supervisorLog : toLaunchPaths(known.paths, launchId).logFile;
  const last = await readLastLines(path, request.tail ?? everything, 256 * 2 ** 20);
  for (const line of last.lines) yield toLogLine(line, launchId);
  let tail = openTail(path, last.position);
  while (request.follow && !context.signal.aborted) {
    const over = await isOver(known);
    const lines = await tail.readLines();
    for (const line of lines) yield toLogLine(line, launchId);
    const next = launchId === '' || request.launch !== undefined ? launchId : ((await listLaunches(known)).at(-1) ?? launchId);
    if (next !== launchId) {
      // A restart writes a new file: it is read from its first line.
      launchId = next;
      tail = openTail(toLaunchPaths(known.paths, launchId).logFile);
      continue;
    }
    if (over && lines.length === 0) return;
    await waitFor(pollMs, context.signal);
  }
}

async function chooseLaunch(known: Known, wanted: string | undefined): Promise<string> {
  const launches = await listLaunches(known);
  const chosen = wanted === 'previous' ? launches.at(-2) : launches.findLast((id) => wanted === undefined || id.startsWith(wanted));
  if (chosen === undefined) throw DeployError.of('log/none', { name: known.name, which: wanted ?? 'engine' });
  return chosen;
}

/** Launch ids begin with their time, so their order is that of the launches. */
async function listLaunches(known: Known): Promise<readonly string[]> {
  return (await readdir(known.paths.launches)).sort();
}

async function isOver(known: Known): Promise<boolean> {
  const state = await readState(known.paths.state, known.name);
  return state === undefined || state.life === 'stopped' || state.life === 'failed';
}

function toLogLine(raw: string, launchId: string): LogLine {
  const { at, process, level } = parseLogLine(raw);
  return {
    ...(at === undefined ? {} : { at }),
    launchId,
    ...(process === undefined ? {} : { process }),
    ...(level === undefined ? {} : { level }),
    text: raw.replace(/\r$/, ''),
  };
}
