/**
 * Takes a log apart by engine and by launch: a file may hold the lines of several pods, and a server that was started
 * again and again. Each engine has one scan, which is asked where the next launch begins, so that no launch is kept.
 */
import type { Diagnosis } from '../../core/finding.ts';
import { createLineMap } from './line-map.ts';
import type { UnwrappedLine } from './unwrap.ts';

export interface EngineLog {
  /** Pod and container, service, unit; absent where nothing tells. */
  readonly source?: string;
  /** It has lines that only vLLM prints. */
  readonly isVllm: boolean;
  /** How many there were, at least 1. */
  readonly launches: number;
  /** The last one that failed; absent: none did. */
  readonly failed?: FailedLaunch;
}

export interface FailedLaunch {
  /** Counted from 1. */
  readonly launch: number;
  /** Its lines are those of the file. */
  readonly diagnosis: Diagnosis;
}

export interface EngineLogs {
  push(line: UnwrappedLine): void;
  /** Those that failed come first: known causes before unknown ones, then in the order of their proof. */
  end(): readonly EngineLog[];
}

/** What reads an engine's lines. */
export interface EngineScan {
  push(line: string): void;
  /** Of the newest launch that tells something; lines are counted by `push`. Undefined: nothing failed. */
  diagnose(): Diagnosis | undefined;
}

export function createEngineLogs(openScan: () => EngineScan): EngineLogs {
  const named = new Map<string, Engine>();
  // What nothing tells the source of: all of a plain log, or the kernel's lines in a journal.
  let common: Engine | undefined;
  return {
    push(line) {
      if (line.source === undefined) {
        common ??= createEngine(openScan);
        common.push(line);
        for (const engine of named.values()) engine.push(line);
        return;
      }
      const source = named.size < mostSources || named.has(line.source) ? line.source : crowd;
      let engine = named.get(source);
      if (engine === undefined) {
        engine = createEngine(openScan, source);
        named.set(source, engine);
      }
      engine.push(line);
    },
    end() {
      const own = [...named.values()].map((engine) => engine.end());
      const rest = common?.end() ?? { isVllm: false, launches: 1 };
      const isTold = own.some(({ failed }) => failed !== undefined);
      const all = own.length === 0 || (rest.failed !== undefined && !isTold) ? [rest, ...own] : own;
      return all.sort((a, b) => toRank(a) - toRank(b) || toFirstLine(a) - toFirstLine(b));
    },
  };
}

/** Each of them costs memory; more are read as if they were one. */
const mostSources = 32;
const crowd = '…';

interface Engine {
  push(line: UnwrappedLine): void;
  end(): EngineLog;
}

function createEngine(openScan: () => EngineScan, source?: string): Engine {
  const scan = openScan();
  const map = createLineMap();
  const launch = { number: 1, firstLine: 1, hasVersion: false, hasSettings: false };
  let lines = 0;
  let isVllm = false;
  let failed: FailedLaunch | undefined;
  const close = () => {
    const diagnosis = scan.diagnose();
    if (diagnosis === undefined) return;
    // Where this launch tells nothing, the scan repeats what it said of the one before.
    const isOlder = diagnosis.evidence.every(({ line }) => line > 0 && line < launch.firstLine) && diagnosis.evidence.length > 0;
    if (isOlder && failed) return;
    failed = { launch: Math.max(1, launch.number - (isOlder ? 1 : 0)), diagnosis: toFileLines(diagnosis, map.toFileLine) };
  };
  const begin = (mark: 'version' | 'settings') => {
    if (launch.hasSettings || (mark === 'version' && launch.hasVersion)) {
      close();
      Object.assign(launch, { number: launch.number + 1, firstLine: lines + 1, hasVersion: false, hasSettings: false });
    }
    if (mark === 'version') launch.hasVersion = true;
    else launch.hasSettings = true;
  };
  return {
    push({ text, number }) {
      const mark = toMark(text);
      if (mark) begin(mark);
      isVllm ||= mark !== undefined || ownPattern.test(text);
      lines += 1;
      scan.push(text);
      map.push(number);
    },
    end() {
      close();
      return { ...(source === undefined ? {} : { source }), isVllm, launches: launch.number, ...(failed ? { failed } : {}) };
    },
  };
}

/**
 * A server says its version once and then its settings once, both in the process that starts all others: whichever
 * comes again is of the next launch. Older versions print no banner, and JSON logs no picture.
 */
function toMark(text: string): 'version' | 'settings' | undefined {
  if (text.includes('ersion ') && versionPattern.test(text)) return 'version';
  if (text.includes('args: ') && settingsPattern.test(text)) return 'settings';
  return undefined;
}

const versionPattern = /vLLM (?:API )?server version \d|\u2588 +version \d/;
const settingsPattern = /(?:^|[\] "])(?:non-default args: \{|args: Namespace\()/;
const ownPattern = /^\((?:APIServer|EngineCore|Worker|VllmWorker|MainProcess)|\bvllm\b/i;

/** Evidence of line 0 is not of the log. */
function toFileLines(diagnosis: Diagnosis, toFileLine: (line: number) => number): Diagnosis {
  const evidence = diagnosis.evidence.map(({ line, text }) => ({ line: line === 0 ? 0 : toFileLine(line), text }));
  return { ...diagnosis, evidence };
}

function toRank({ failed, isVllm }: EngineLog): number {
  if (failed === undefined) return 4;
  const isKnown = failed.diagnosis.cause !== 'unknown' && !failed.diagnosis.cause.startsWith('undetermined_');
  return (isKnown ? 0 : 2) + (isVllm ? 0 : 1);
}

function toFirstLine({ failed }: EngineLog): number {
  return failed?.diagnosis.evidence.find(({ line }) => line > 0)?.line ?? Number.POSITIVE_INFINITY;
}
