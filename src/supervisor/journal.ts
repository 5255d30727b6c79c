/** The append-only record of a deployment's events (`events.ndjson`) and the followers that read along. */
import { appendFile, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DeploymentEvent, LifeEvent, Stamp } from '../core/event.ts';
import { appendOwn, ensurePrivateDirectory, errnoOf } from '../host/files.ts';
import { openIfThere } from '../host/pieces.ts';
import { readLastLines } from '../host/tail.ts';
import { parseEvent } from './event-line.ts';

/** Size at which the file becomes `events.ndjson.1` (and that `.2`), bytes. */
const rotateBytes = 5 * 2 ** 20;
/** Events kept in memory: for followers that join with `after`, and until they can be written. */
const keptEvents = 1000;

export type Follower = (event: DeploymentEvent) => void;

export class Journal {
  private readonly path: string;
  private readonly followers = new Set<Follower>();
  private readonly kept: DeploymentEvent[] = [];
  /** Lines not in the file yet: the disk may be full for a while. */
  private readonly unwritten: string[] = [];
  /** The file may end in the middle of a line, by a crash or a failed write: the next one must not be glued to it. */
  private mayBeCut = true;
  private writing: Promise<void> = Promise.resolve();
  private seq: number;

  private constructor(path: string, seq: number) {
    this.path = path;
    this.seq = seq;
  }

  static async open(path: string): Promise<Journal> {
    const last = (await readLastLines(path, seqLines)).map(parseEvent).findLast((event) => event !== undefined);
    return new Journal(path, last?.seq ?? 0);
  }

  /** Number of the last event. */
  get last(): number {
    return this.seq;
  }

  append(event: LifeEvent, about: Omit<Stamp, 'seq'>): void {
    this.seq += 1;
    const stamped: DeploymentEvent = { seq: this.seq, ...about, ...event };
    this.kept.push(stamped);
    if (this.kept.length > keptEvents) this.kept.shift();
    this.unwritten.push(`${JSON.stringify({ kind: 'Event', version: 1, ...stamped })}\n`);
    if (this.unwritten.length > keptEvents) this.unwritten.shift();
    this.writing = this.writing.then(() => this.write());
    for (const follower of this.followers) this.tell(follower, stamped);
  }

  /** Calls with every kept event after `seq`, then with each new one, until the returned function is called. */
  follow(after: number, follower: Follower): () => void {
    this.followers.add(follower);
    for (const event of this.kept) if (event.seq > after) this.tell(follower, event);
    return () => this.followers.delete(follower);
  }

  /** Resolves when everything so far is in the file, or could not be written. */
  flush(): Promise<void> {
    return this.writing;
  }

  /** A broken view never breaks the work: one that throws is not called again. */
  private tell(follower: Follower, event: DeploymentEvent): void {
    if (!this.followers.has(follower)) return;
    try {
      follower(event);
    } catch {
      this.followers.delete(follower);
    }
  }

  private async write(): Promise<void> {
    const lines = this.unwritten.splice(0);
    if (lines.length === 0) return;
    try {
      const separator = this.mayBeCut && !(await endsWhole(this.path)) ? '\n' : '';
      this.mayBeCut = true;
      await appendLines(this.path, separator + lines.join(''));
      this.mayBeCut = false;
      if ((await stat(this.path)).size > rotateBytes) await this.rotate();
    } catch {
      // A full or read-only disk must not stop supervision; what was not written comes with the next event.
      if (this.mayBeCut) this.unwritten.unshift(...lines);
    }
  }

  private async rotate(): Promise<void> {
    await rename(`${this.path}.1`, `${this.path}.2`).catch((error: unknown) => {
      if (errnoOf(error) !== 'ENOENT') throw error;
    });
    await rename(this.path, `${this.path}.1`);
  }
}

/** Its directory may have been deleted under a supervisor that lives. */
async function appendLines(path: string, text: string): Promise<void> {
  const options = { mode: 0o600, flag: appendOwn };
  try {
    await appendFile(path, text, options);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    await ensurePrivateDirectory(dirname(path));
    await appendFile(path, text, options);
  }
}

/** Lines in which the last whole event is looked for. */
const seqLines = 20;

async function endsWhole(path: string): Promise<boolean> {
  const handle = await openIfThere(path);
  if (handle === undefined) return true;
  try {
    const { size } = await handle.stat();
    const last = Buffer.alloc(1);
    if (size > 0) await handle.read(last, 0, 1, size - 1);
    return size === 0 || last[0] === 10;
  } finally {
    await handle.close();
  }
}
