import { listLaunches, toLaunchPaths } from '../control/directory.ts';
import { waitFor } from '../core/clock.ts';
import { DeployError } from '../core/error.ts';
import { createMask } from '../core/redact.ts';
import { openLog, type Tail } from '../host/tail.ts';
import { parseLogLine } from '../vllm/log-line.ts';
import type { Context } from './context.ts';
import { findDeployment, type Known, readReadableState } from './find.ts';
import { readSecretsOf } from './known-secrets.ts';

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

/**
 * Lines of the engine's log as it wrote them but for keys, piece by piece however long it is. Following goes on over
 * restarts and ends when the deployment is down.
 */
export async function* readLogs(request: LogsRequest, context: Context): AsyncGenerator<LogLine> {
  const known = await findDeployment(request.name, 'logs', context);
  const mask = createMask(await readSecretsOf(known.state.wanted.spec, context.env));
  for await (const line of readLines(request, known, context)) yield { ...line, text: mask(line.text) };
}

async function* readLines(request: LogsRequest, known: Known, context: Context): AsyncGenerator<LogLine> {
  let launchId = request.supervisor ? '' : await chooseLaunch(known, request.launch);
  const path = request.supervisor ? known.paths.supervisorLog : toLaunchPaths(known.paths, launchId).logFile;
  let tail = await openLog(path, request.tail);
  while (request.follow && !context.signal.aborted) {
    // Both asked before reading: what was written until then must still be read.
    const over = await isOver(known, context);
    const next = request.supervisor || request.launch !== undefined ? launchId : await findLatest(known, launchId, context);
    yield* readRest(tail, launchId);
    if (next !== launchId) {
      // A restart writes a new file: it is read from its first line.
      yield* readUnfinished(tail, launchId);
      launchId = next;
      tail = await openLog(toLaunchPaths(known.paths, launchId).logFile);
    } else if (over) break;
    else await waitFor(pollMs, context.signal);
  }
  if (context.signal.aborted) return;
  yield* readRest(tail, launchId);
  yield* readUnfinished(tail, launchId);
}

async function* readRest(tail: Tail, launchId: string): AsyncGenerator<LogLine> {
  do for (const line of await tail.readLines()) yield toLogLine(line, launchId);
  while (tail.behind);
}

/** A line without an end, the last one of a killed engine. */
function* readUnfinished(tail: Tail, launchId: string): Generator<LogLine> {
  if (tail.rest !== '') yield toLogLine(tail.rest, launchId);
}

async function chooseLaunch(known: Known, wanted: string | undefined): Promise<string> {
  const launches = toOrder(await listLaunches(known.paths), known.state.launch?.launchId);
  const chosen = wanted === 'previous' ? launches.at(-2) : launches.findLast((id) => wanted === undefined || id.startsWith(wanted));
  if (chosen === undefined) throw DeployError.of('log/none', { name: known.name, which: wanted ?? 'engine' });
  return chosen;
}

async function findLatest(known: Known, current: string, context: Context): Promise<string> {
  const state = await readReadableState(known.name, context);
  return toOrder(await listLaunches(known.paths), state?.launch?.launchId).at(-1) ?? current;
}

/** The present launch is the last one, even if the clock was set back before it. */
function toOrder(launches: readonly string[], current: string | undefined): readonly string[] {
  if (current === undefined || !launches.includes(current)) return launches;
  return [...launches.filter((id) => id !== current), current];
}

async function isOver(known: Known, context: Context): Promise<boolean> {
  const state = await readReadableState(known.name, context);
  // Without a record and without launches it was forgotten.
  if (state === undefined) return (await listLaunches(known.paths)).length === 0;
  return state.life === 'stopped' || state.life === 'failed';
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
