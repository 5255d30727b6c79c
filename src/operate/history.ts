import { type DeploymentPaths, toDeploymentPaths } from '../control/directory.ts';
import type { Finding } from '../core/finding.ts';
import { type Message, say } from '../core/message.ts';
import { toDurationText } from '../core/units.ts';
import { readHistory, readHistoryFile, type Span } from '../supervisor/history/file.ts';
import { levels, type Sample, type Series, type Summary, seriesNames, toSummary } from '../supervisor/history/history.ts';
import { toLeakText, toRoom } from '../supervisor/history/leak-text.ts';
import { type End, findLeak, type Leak, toEnd } from '../supervisor/history/leak-watch.ts';
import type { State } from '../supervisor/state.ts';
import type { Context } from './context.ts';
import { findDeployment } from './find.ts';
import { findMeant } from './members.ts';

export interface History {
  readonly name: string;
  readonly stepMs: number;
  readonly span: Span;
  readonly samples: readonly Sample[];
  readonly summary: Summary;
  /** Of which there is anything, in the order to show them. */
  readonly series: readonly Series[];
  readonly leak?: SeenLeak;
  /** Where there are no samples: why. */
  readonly why?: Message;
}

export interface SeenLeak extends Leak {
  readonly end: End;
  readonly text: Message;
}

/** Of what a name means: one deployment, or all replicas of a group. Reads files, and needs no supervisor. */
export async function readHistories(name: string | undefined, sinceMs: number, context: Context): Promise<readonly History[]> {
  const meant = await findMeant(name, context);
  const names = meant.is === 'one' ? [meant.name] : meant.names;
  return Promise.all(names.map((one) => readOne(one, sinceMs, context)));
}

/** The leak of what serves now, as a finding for `status`; most are too young to be looked at. */
export async function findGrowth(state: State, context: Pick<Context, 'places'>): Promise<readonly Finding[]> {
  const leak = await readLeak(toDeploymentPaths(context.places, state.name), state, Date.now());
  if (leak === undefined) return [];
  const hint = say('history.leak-hint', { name: state.name });
  return [{ code: 'engine/memory-grows', severity: 'warning', message: leak.text, hint }];
}

async function readOne(wanted: string | undefined, sinceMs: number, context: Context): Promise<History> {
  const { name, paths, state } = await findDeployment(wanted, 'status', context);
  const toMs = Date.now();
  const span = { fromMs: toMs - sinceMs, toMs };
  const { stepMs, samples } = await readHistory(paths.directory, span);
  const leak = await readLeak(paths, state, toMs);
  const summary = toSummary(samples, toMs - freshMs);
  return {
    name,
    stepMs,
    span,
    samples,
    summary,
    series: seriesNames.filter((series) => summary[series] !== undefined),
    ...(leak ? { leak } : {}),
    ...(samples.length > 0 ? {} : { why: await explainNone({ name, paths, state, sinceMs }) }),
  };
}

/** A sample comes every ten seconds, and may be late. */
const freshMs = 30_000;

/** Only of the launch that is there. */
async function readLeak({ directory }: DeploymentPaths, state: State, wallMs: number): Promise<SeenLeak | undefined> {
  const minutes = await readHistoryFile(directory, levels[1]);
  const leak = findLeak(minutes);
  if (leak === undefined || leak.run !== state.run || wallMs - leak.nowAtMs > leakFreshMs) return undefined;
  const availableBytes = process.availableMemory();
  return { ...leak, end: toEnd(leak, toRoom(state, availableBytes)), text: toLeakText(leak, state, availableBytes) };
}

/** Two windows of the leak watch: of an engine that has ended nothing grows. */
const leakFreshMs = 20 * 60_000;

interface Missing {
  readonly name: string;
  readonly paths: DeploymentPaths;
  readonly state: State;
  readonly sinceMs: number;
}

async function explainNone({ name, paths: { directory }, state, sinceMs }: Missing): Promise<Message> {
  const found = await Promise.all(levels.map((level) => readHistoryFile(directory, level)));
  const newestMs = Math.max(0, ...found.flatMap((samples) => samples.slice(-1).map(({ atMs }) => atMs)));
  if (newestMs === 0) return state.readyAt === undefined ? say('history.none-yet', { name }) : say('history.none-written', { name });
  const about = { name, span: toDurationText(sinceMs), at: new Date(newestMs).toISOString() };
  return sinceMs < levels[2].stepMs * levels[2].count ? say('history.none-since', about) : say('history.none-kept', about);
}
