/**
 * Somebody may delete the directories of a deployment that runs. Then nobody could find its supervisor any more, and a
 * second one could be started beside it. So lock, socket and record are made again, from memory, and it is said.
 *
 * Races thought about:
 * - Another supervisor has the new lock already: this one lets go, the engine is not touched.
 * - The supervisor ends: `end` is awaited before socket and lock are given back, so that neither is made anew.
 * - A disk that takes nothing: it is tried again at each look, and said once.
 */
import { access } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type DeploymentPaths, ensureDeploymentPaths, toLockText } from '../control/directory.ts';
import type { ControlServer } from '../control/server.ts';
import { waitFor } from '../core/clock.ts';
import { type Message, say } from '../core/message.ts';
import type { Places } from '../host/environment.ts';
import { ensurePrivateDirectory, errnoOf } from '../host/files.ts';
import { type Lock, tryLock } from '../host/lock.ts';
import { toProblem } from '../supervisor/launch/work.ts';
import type { Supervisor } from '../supervisor/supervisor.ts';

export interface Record {
  readonly name: string;
  readonly places: Places;
  readonly paths: DeploymentPaths;
  readonly lock: Lock;
  /** Undefined where nobody else reaches this supervisor. */
  readonly server: ControlServer | undefined;
  readonly supervisor: Supervisor;
  readonly onNote: (note: Message) => void;
}

export interface RecordKeeping {
  /** Aborted when another supervisor holds the lock. */
  readonly lost: AbortSignal;
  /** Resolves when nothing is made anew any more. */
  end(): Promise<void>;
  release(): Promise<void>;
}

const lookMs = 2000;

export function keepRecord(record: Record): RecordKeeping {
  const over = new AbortController();
  const lost = new AbortController();
  const held = { lock: record.lock };
  const keeping = keep(record, { held, lost, over: over.signal });
  return {
    lost: lost.signal,
    async end() {
      over.abort();
      await keeping;
    },
    release: () => held.lock.release(),
  };
}

interface Keeping {
  readonly held: { lock: Lock };
  readonly lost: AbortController;
  readonly over: AbortSignal;
}

async function keep(record: Record, keeping: Keeping): Promise<void> {
  const { paths, onNote } = record;
  let said = '';
  for (;;) {
    await waitFor(lookMs, keeping.over);
    if (keeping.over.aborted || keeping.lost.signal.aborted) return;
    try {
      if (!(await isIncomplete(record))) continue;
      await restore(record, keeping);
      if (await isMissing(paths.state)) continue;
      onNote(say('life.record-restored', { path: paths.directory }));
      said = '';
    } catch (error) {
      const problem = toProblem(error);
      if (problem !== said) onNote(say('life.work-failed', { work: 'record', problem }));
      said = problem;
    }
  }
}

async function isIncomplete({ paths, server }: Record): Promise<boolean> {
  const parts = [paths.state, paths.lock, ...(server ? [paths.socket] : [])];
  return (await Promise.all(parts.map(isMissing))).some(Boolean);
}

async function restore(record: Record, { held, lost }: Keeping): Promise<void> {
  const { name, places, paths, server, supervisor } = record;
  await ensureDeploymentPaths(places, name);
  if (await isMissing(paths.lock)) {
    const lock = await tryLock(paths.lock);
    if (lock === undefined) return lost.abort();
    await lock.describe(toLockText(process.pid, server ? paths.socket : ''));
    await held.lock.release();
    held.lock = lock;
  }
  if (server && (await isMissing(paths.socket))) await server.listenAgain();
  const { launch } = supervisor.now;
  // Where the keeper writes down how the engine ended.
  if (launch) await ensurePrivateDirectory(dirname(launch.exitFile));
  await supervisor.persist();
}

async function isMissing(path: string): Promise<boolean> {
  try {
    await access(path);
    return false;
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOTDIR') throw error;
    return true;
  }
}
