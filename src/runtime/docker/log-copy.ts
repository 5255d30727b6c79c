/**
 * Copies what an engine's container says into the launch's own log file, where everything else looks for it. The
 * container writes to Docker's log driver and never waits for us; what was said while no supervisor was there is
 * fetched later.
 *
 * Nothing is lost and nothing is there twice, also after a SIGKILL in the middle: a cursor beside the log says up to
 * which line (time, and how many lines of that very time) the file was complete, and how long it was then. What the
 * file has beyond that length is counted when it goes on.
 */
import { type FileHandle, open, rename, writeFile } from 'node:fs/promises';
import { waitFor } from '../../core/clock.ts';
import type { Docker, LogLine } from '../../host/docker/docker.ts';
import { errnoOf, readTextFile } from '../../host/files.ts';

export interface LogCopyParts {
  readonly docker: () => Promise<Docker>;
  readonly containerId: string;
  readonly logFile: string;
  readonly cursorFile: string;
  /** There is still more to come. */
  readonly onLines?: () => void;
}

interface Cursor {
  /** RFC 3339 with nanoseconds of the last line that was copied. */
  readonly at: string;
  /** Lines of that very time that were copied. */
  readonly lines: number;
  /** Bytes of the log file then. */
  readonly size: number;
}

const cursorEveryMs = 500;
/** After the stream broke: the engine is restarting, or hangs. */
const againMs = 1000;
/** More than that is not held in memory: the stream waits for the disk. */
const mostPendingBytes = 2 ** 20;

/** Goes on until the container has ended and its last line is in the file, or until `signal`. Never rejects. */
export async function copyLog(parts: LogCopyParts, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      if (await copyOnce(parts, signal)) return;
    } catch {
      // Docker does not answer, the disk is full, no descriptor left: from the cursor on again.
    }
    await waitFor(againMs, signal);
  }
}

/** True when the container has ended and everything was copied. */
async function copyOnce({ docker, containerId, logFile, cursorFile, onLines }: LogCopyParts, signal: AbortSignal): Promise<boolean> {
  const engine = await docker();
  // Removed by hand: its log went with it.
  if ((await engine.inspect(containerId)) === undefined) return true;
  const cursor = parseCursor(await readTextFile(cursorFile));
  const file = await open(logFile, 'a', 0o600);
  try {
    const beyond = await countBeyond(file, { logFile, size: cursor?.size ?? 0 });
    const writer = new LogWriter(file, cursorFile, cursor);
    const skip = new Skip(cursor, beyond);
    const options = { follow: true, signal, ...(cursor === undefined ? {} : { since: cursor.at }) };
    for await (const line of engine.logs(containerId, options)) {
      onLines?.();
      if (!skip.passes(line)) continue;
      if (writer.add(line)) await writer.flush();
    }
    await writer.end();
  } finally {
    await file.close();
  }
  if (signal.aborted) return true;
  const container = await engine.inspect(containerId);
  // It also ends when somebody restarts the container: then there is more to come.
  return container === undefined || container.state === 'exited' || container.state === 'dead';
}

/** Lines in the file after that length; what is left of a line that was cut is taken away, to be written whole. */
async function countBeyond(file: FileHandle, { logFile, size }: { readonly logFile: string; readonly size: number }): Promise<number> {
  const now = (await file.stat()).size;
  // Shorter: it was cut meanwhile, because it had grown too long.
  if (now <= size) return 0;
  const tail = await readFrom(logFile, size, now - size);
  const end = tail.lastIndexOf(0x0a) + 1;
  if (end < tail.length) await file.truncate(size + end);
  return tail.subarray(0, end).reduce((sum, byte) => sum + (byte === 0x0a ? 1 : 0), 0);
}

async function readFrom(path: string, position: number, length: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Lines that are in the file already come first. */
class Skip {
  private readonly at: string | undefined;
  private sameTime: number;
  private beyond: number;

  constructor(cursor: Cursor | undefined, beyond: number) {
    this.at = cursor?.at;
    this.sameTime = cursor?.lines ?? 0;
    this.beyond = beyond;
  }

  passes({ at }: LogLine): boolean {
    // Docker gives the lines from a time on, and an engine that knows no nanoseconds some from before.
    if (this.at !== undefined && at < this.at) return false;
    if (at === this.at && this.sameTime > 0) {
      this.sameTime -= 1;
      return false;
    }
    if (this.beyond === 0) return true;
    this.beyond -= 1;
    return false;
  }
}

/** Writes lines in lumps, and the cursor after them. */
class LogWriter {
  private readonly file: FileHandle;
  private readonly cursorFile: string;
  private readonly pending: string[] = [];
  private pendingBytes = 0;
  private at: string;
  private lines: number;
  private savedAt = 0;
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();
  private failure: unknown;

  constructor(file: FileHandle, cursorFile: string, cursor: Cursor | undefined) {
    this.file = file;
    this.cursorFile = cursorFile;
    this.at = cursor?.at ?? '';
    this.lines = cursor?.lines ?? 0;
  }

  /** True when so much is waiting that the next line has to wait too. */
  add({ at, text }: LogLine): boolean {
    this.pending.push(`${text}\n`);
    this.pendingBytes += text.length + 1;
    this.lines = at === this.at ? this.lines + 1 : 1;
    this.at = at;
    this.timer ??= setTimeout(() => void this.flush().catch(() => undefined), 20);
    return this.pendingBytes >= mostPendingBytes || this.failure !== undefined;
  }

  flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.writing = this.writing.then(() => this.write());
    return this.writing;
  }

  async end(): Promise<void> {
    await this.flush();
    if (this.at !== '') await this.save();
  }

  private async write(): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    const text = this.pending.splice(0).join('');
    this.pendingBytes = 0;
    if (text === '') return;
    try {
      await this.file.appendFile(text);
      if (performance.now() - this.savedAt >= cursorEveryMs) await this.save();
    } catch (error) {
      // What was half written is counted when it goes on from the cursor.
      this.failure = error;
      throw error;
    }
  }

  private async save(): Promise<void> {
    if (this.pending.length > 0) return;
    const cursor: Cursor = { at: this.at, lines: this.lines, size: (await this.file.stat()).size };
    // Not to the disk: after a crash of the machine there is no container to go on with.
    await writeFile(`${this.cursorFile}.new`, JSON.stringify(cursor), { mode: 0o600 });
    await rename(`${this.cursorFile}.new`, this.cursorFile);
    this.savedAt = performance.now();
  }
}

function parseCursor(text: string | undefined): Cursor | undefined {
  if (text === undefined) return undefined;
  try {
    const { at, lines, size } = JSON.parse(text) as Partial<Cursor>;
    return typeof at === 'string' && typeof lines === 'number' && typeof size === 'number' ? { at, lines, size } : undefined;
  } catch (error) {
    if (errnoOf(error) !== undefined) throw error;
    return undefined;
  }
}
