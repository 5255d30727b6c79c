/** Keeps what a scan finds, in bounded memory, and knows where one run of a server ends and the next begins. */
import { emptyStartLog, reduceStartLog, type StartLog } from '../start-log.ts';
import type { ExceptionPlace, Facts, Hit, LogEvidence, LogPlace } from './evidence.ts';
import { deathWindow } from './evidence.ts';
import type { HeadedLine } from './line-head.ts';
import { type Marker, type MarkerName, markers } from './markers.ts';
import { toPrintedSettings } from './printed-settings.ts';
import { signatures } from './signatures.ts';

export interface NewHit {
  readonly signature: number;
  readonly match: RegExpExecArray;
  readonly headed: HeadedLine;
  readonly line: number;
}

export interface MarkedLine extends HeadedLine {
  readonly line: number;
  readonly raw: string;
  /** A signature knows it. */
  readonly known: boolean;
}

export interface EvidenceKeeper {
  hit(hit: NewHit): void;
  mark(name: MarkerName, line: MarkedLine): void;
  /** The same for lines that need no parsing. */
  markServing(name: MarkerName, text: string, line: number): void;
  /** Nothing was printed yet. */
  readonly isUntold: boolean;
  toldSomething(): void;
  toEvidence(lines: number): LogEvidence;
}

export function createEvidence(): EvidenceKeeper {
  let run = createRun();
  let earlier: Run | undefined;
  return {
    hit: (hit) => keepHit(run, hit),
    mark: (name, line) => {
      const marker: Marker = markers[name];
      if (marker.pattern !== undefined && !marker.pattern.test(line.text)) return;
      if (name === 'banner' && isOver(run)) {
        earlier = run;
        run = createRun();
      }
      takeMark(run, name, line);
    },
    markServing: (name, text, line) => keepServing(run, name, text, line),
    get isUntold() {
      return run.start === emptyStartLog;
    },
    toldSomething: () => {
      run.start = { ...run.start, phase: 'importing' };
    },
    toEvidence: (lines) => ({ ...toRunEvidence(run, lines), ...(earlier === undefined ? {} : { earlier: toRunEvidence(earlier, lines) }) }),
  };
}

interface Kept {
  readonly first: Hit;
  newest: Hit;
  last: Hit;
  count: number;
}

interface Run {
  readonly hits: Map<string, Kept>;
  /** The last `File "…"` of each process. */
  readonly places: Map<string, string>;
  /** The last hit of each process, which a chain of exceptions may go on from. */
  readonly lastHits: Map<string, string>;
  firstException?: ExceptionPlace & { readonly pid: string; readonly chained: boolean };
  lastException?: ExceptionPlace;
  start: StartLog;
  /** Line of the last "startup complete"; 0 where a tail only shows that it served. */
  servedFrom?: number;
  lastServedLine: number;
  death?: LogPlace;
  stop?: LogPlace;
  version?: string;
  settings: Readonly<Record<string, unknown>>;
}

function createRun(): Run {
  return { hits: new Map(), places: new Map(), lastHits: new Map(), start: emptyStartLog, lastServedLine: 0, settings: {} };
}

/** A banner after this is of another run. */
function isOver(run: Run): boolean {
  const failed = [...run.hits.values()].some(({ last }) => signatures[last.signature]?.role !== 'context');
  return failed || run.stop !== undefined || run.death !== undefined || run.servedFrom !== undefined;
}

/** Many processes may write to one log; of more than these the oldest are forgotten. */
const mostProcesses = 64;

function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > mostProcesses && oldest !== undefined) map.delete(oldest);
}

function keepHit(run: Run, { signature, match, headed, line }: NewHit): void {
  const known = signatures[signature];
  if (known === undefined) return;
  const { role, pid, level } = headed;
  const loud = level === undefined || level === 'ERROR';
  const key = `${signature} ${role} ${loud}`;
  const hit: Hit = {
    ...{ cause: known.cause, signature, role, loud, chained: false, line, count: 1 },
    text: toClipped(headed.text),
    facts: toFacts(match),
    ...(pid === undefined ? {} : { pid }),
  };
  const kept = run.hits.get(key);
  remember(run.lastHits, pid ?? '', key);
  if (kept === undefined) {
    run.hits.set(key, { first: hit, newest: hit, last: hit, count: 1 });
    return;
  }
  // The same again, with what the next line added.
  if (line === kept.last.line) {
    if (Object.keys(hit.facts).length > Object.keys(kept.last.facts).length) replaceLast(run, key, hit);
    return;
  }
  kept.count++;
  if (line - kept.last.line > deathWindow) kept.newest = hit;
  kept.last = hit;
}

function replaceLast(run: Run, key: string, hit: Hit): void {
  const kept = run.hits.get(key);
  if (kept === undefined) return;
  const swap = (one: Hit) => (one === kept.last ? hit : one);
  run.hits.set(key, { first: swap(kept.first), newest: swap(kept.newest), last: hit, count: kept.count });
}

const longestText = 2000;

function toClipped(text: string): string {
  return text.length <= longestText ? text : `${text.slice(0, longestText)} …`;
}

function toFacts({ groups }: RegExpExecArray): Facts {
  const entries = Object.entries(groups ?? {}).filter(([, value]) => value !== undefined && value !== '');
  return Object.fromEntries(entries.map(([name, value]) => [name, value.trim()]));
}

function keepServing(run: Run, name: MarkerName, text: string, line: number): void {
  const { pattern }: Marker = markers[name];
  if (pattern !== undefined && !pattern.test(text)) return;
  run.servedFrom ??= 0;
  if (name === 'work') run.lastServedLine = line;
}

function takeMark(run: Run, name: MarkerName, line: MarkedLine): void {
  const place: LogPlace = { line: line.line, text: line.text };
  if (name === 'ready') {
    run.servedFrom = line.line;
    delete run.death;
  }
  if (name === 'answer' || name === 'work' || name === 'figures') keepServing(run, name, line.text, line.line);
  if (name === 'stop' && run.stop === undefined) run.stop = place;
  if (isDeath(run, name) && run.stop === undefined && run.death === undefined) run.death = place;
  if (name === 'version') keepVersion(run, line.text);
  if (name === 'settings') run.settings = toPrintedSettings(line.text);
  if (name === 'milestone') run.start = reduceStartLog(run.start, line.text).state;
  if (name === 'place') remember(run.places, line.pid ?? '', line.text.trim());
  if (name === 'chain') keepChain(run, line);
  if (name === 'exception' && !line.known && line.level !== 'WARNING' && line.level !== 'INFO' && line.level !== 'DEBUG')
    keepException(run, line);
}

function keepVersion(run: Run, text: string): void {
  const version = markers.version.pattern.exec(text)?.[1];
  if (version !== undefined && run.version === undefined) run.version = version;
}

function isDeath(run: Run, name: MarkerName): boolean {
  return name === 'death' || name === 'killed' || (name === 'failedStart' && run.servedFrom !== undefined);
}

/** Python goes on to say that the exception before caused another one, or was being handled. */
function keepChain(run: Run, { pid = '' }: MarkedLine): void {
  const key = run.lastHits.get(pid);
  const kept = key === undefined ? undefined : run.hits.get(key);
  if (kept !== undefined && key !== undefined) replaceLast(run, key, { ...kept.last, chained: true });
  if (run.firstException?.pid === pid) run.firstException = { ...run.firstException, chained: true };
}

function keepException(run: Run, { line, text, role, pid = '' }: MarkedLine): void {
  const place = run.places.get(pid);
  const exception: ExceptionPlace = { line, text: toClipped(text), role, ...(place === undefined ? {} : { place }) };
  run.lastException = exception;
  if (role !== 'engine' && role !== 'worker') return;
  const first = run.firstException;
  const isNext = first === undefined || (first.chained && first.pid === pid);
  if (isNext || (run.servedFrom !== undefined && line - first.line > deathWindow))
    run.firstException = { ...exception, pid, chained: false };
}

function toRunEvidence(run: Run, lines: number): LogEvidence {
  const { servedFrom, lastServedLine, start, death, stop, version, settings } = run;
  const hits = [...run.hits.values()].flatMap(({ first, newest, last, count }) =>
    [...new Set([first, newest, last])].map((hit) => ({ ...hit, count })),
  );
  const exceptions = [run.firstException, run.lastException].flatMap((one) => one ?? []);
  return {
    lines,
    hits: hits.toSorted((one, other) => one.line - other.line || one.signature - other.signature),
    exceptions: exceptions.filter(({ line }, index) => index === 0 || line !== exceptions[0]?.line),
    ...(servedFrom === undefined ? {} : { servedFrom }),
    lastServedLine,
    phase: start.phase,
    settings,
    ...(death === undefined ? {} : { death }),
    ...(stop === undefined ? {} : { stop }),
    ...(version === undefined ? {} : { version }),
  };
}
