/** The append-only record of a deployment's events (`events.ndjson`) and the followers that read along. */
import { appendFile, rename, stat } from 'node:fs/promises';
import type { DeploymentEvent, LifeEvent, Stamp } from '../core/event.ts';
import { errnoOf } from '../host/files.ts';
import { readLastLines } from '../host/tail.ts';

/** Size at which the file becomes `events.ndjson.1` (and that `.2`), bytes. */
const rotateBytes = 5 * 2 ** 20;
/** Events kept in memory for followers that join with `after`. */
const keptEvents = 1000;

export type Follower = (event: DeploymentEvent) => void;

export class Journal {
  private readonly path: string;
  private readonly followers = new Set<Follower>();
  private readonly kept: DeploymentEvent[] = [];
  private writing: Promise<void> = Promise.resolve();
  private seq: number;
  private problem: string | undefined;

  private constructor(path: string, seq: number) {
    this.path = path;
    this.seq = seq;
  }

  static async open(path: string): Promise<Journal> {
    const { lines } = await readLastLines(path, 2);
    const last = lines.map(parseEvent).findLast((event) => event !== undefined);
    return new Journal(path, last?.seq ?? 0);
  }

  /** Number of the last event. */
  get last(): number {
    return this.seq;
  }

  /** Errno of the last failed write: the journal goes on in memory, and says so. */
  get writeProblem(): string | undefined {
    return this.problem;
  }

  append(event: LifeEvent, about: Omit<Stamp, 'seq'>): void {
    this.seq += 1;
    const stamped: DeploymentEvent = { seq: this.seq, ...about, ...event };
    this.kept.push(stamped);
    if (this.kept.length > keptEvents) this.kept.shift();
    this.writing = this.writing.then(() => this.write(stamped));
    for (const follower of this.followers) follower(stamped);
  }

  /** Calls with every kept event after `seq`, then with each new one, until the returned function is called. */
  follow(after: number, follower: Follower): () => void {
    for (const event of this.kept) if (event.seq > after) follower(event);
    this.followers.add(follower);
    return () => this.followers.delete(follower);
  }

  /** Resolves when everything so far is in the file. */
  flush(): Promise<void> {
    return this.writing;
  }

  private async write(event: DeploymentEvent): Promise<void> {
    try {
      await appendFile(this.path, `${JSON.stringify({ kind: 'Event', version: 1, ...event })}\n`, { mode: 0o600 });
      this.problem = undefined;
      if ((await stat(this.path)).size > rotateBytes) await this.rotate();
    } catch (error) {
      // A full disk must not stop supervision; the events stay in memory.
      this.problem = errnoOf(error) ?? String(error);
    }
  }

  private async rotate(): Promise<void> {
    await rename(`${this.path}.1`, `${this.path}.2`).catch((error: unknown) => {
      if (errnoOf(error) !== 'ENOENT') throw error;
    });
    await rename(this.path, `${this.path}.1`);
  }
}

/** One line of a journal; undefined for a cut or foreign one. */
export function parseEvent(line: string): DeploymentEvent | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'seq' in value && 'type' in value ? (value as DeploymentEvent) : undefined;
  } catch {
    // the last line may be cut by a crash; every other cut line is as useless
    return undefined;
  }
}
