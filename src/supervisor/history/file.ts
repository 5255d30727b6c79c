/**
 * History on disk: for each level a file of records of one size, written round and round, so that nothing is ever moved
 * or cut and a full disk stops nothing once the file is there. A record has its number and a checksum: one that a crash
 * cut in the middle is passed over, and the highest number is the newest, whatever became of the clock meanwhile.
 */
import { type FileHandle, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { errnoOf, writeFileAtomic } from '../../host/files.ts';
import { chooseLevel, type Level, levels, type Sample, type Series, seriesNames, toRolled, type Values } from './history.ts';

/** A divisor of every block size of disks: no record lies in two blocks, so that a crash cuts none by itself. */
const recordBytes = 64;
const valuesAt = 24;

export class HistoryFile {
  private readonly path: string;
  private readonly level: Level;
  private last: number;

  private constructor(path: string, level: Level, last: number) {
    this.path = path;
    this.level = level;
    this.last = last;
  }

  /** With what it holds. A damaged one is moved away, and its new name is told; nothing is written before the first sample. */
  static async open(directory: string, level: Level, wallMs: number): Promise<OpenHistory> {
    const path = join(directory, level.file);
    const found = parse(await readBytes(path), level);
    if (found.is === 'fine') return { file: new HistoryFile(path, level, found.last), samples: found.samples };
    const kept = path.replace(/\.bin$/, `.corrupt-${wallMs}.bin`);
    await rename(path, kept);
    return { file: new HistoryFile(path, level, 0), samples: [], kept };
  }

  /** Rejects with the error of the operating system; then the next one takes its place. */
  async append(sample: Sample): Promise<void> {
    const number = this.last + 1;
    const handle = await this.openForWriting();
    try {
      await handle.write(toRecord(number, sample), 0, recordBytes, toPlace(number, this.level));
    } finally {
      await handle.close();
    }
    this.last = number;
  }

  private async openForWriting(): Promise<FileHandle> {
    try {
      return await open(this.path, 'r+');
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      await writeFileAtomic(this.path, toEmpty(this.level));
      return open(this.path, 'r+');
    }
  }
}

export interface OpenHistory {
  readonly file: Pick<HistoryFile, 'append'>;
  readonly samples: readonly Sample[];
  readonly kept?: string;
}

/** What a file holds, oldest first; nothing when it is damaged or not there. Changes nothing. */
export async function readHistoryFile(directory: string, level: Level): Promise<readonly Sample[]> {
  const found = parse(await readBytes(join(directory, level.file)), level);
  return found.is === 'fine' ? found.samples : [];
}

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface FoundHistory {
  readonly stepMs: number;
  readonly samples: readonly Sample[];
}

/** Samples of a span, as fine as they are kept for so long; the newest coarse ones are made of fine ones. */
export async function readHistory(directory: string, { fromMs, toMs }: Span): Promise<FoundHistory> {
  const chosen = chooseLevel(toMs - fromMs);
  let samples: readonly Sample[] = [];
  for (const level of levels.slice(0, chosen + 1)) samples = continueWith(await readHistoryFile(directory, level), samples, level);
  return { stepMs: levels[chosen].stepMs, samples: samples.filter(({ atMs }) => atMs > fromMs && atMs <= toMs) };
}

/** Fine samples that are in no coarse one yet. */
export function toPending(coarse: readonly Sample[], fine: readonly Sample[]): readonly Sample[] {
  const last = coarse.at(-1);
  return last === undefined ? fine : fine.filter(({ atMs }) => atMs > last.atMs);
}

function continueWith(coarse: readonly Sample[], fine: readonly Sample[], level: Level): readonly Sample[] {
  const { whole, open: rest } = toRolled(toPending(coarse, fine), level.stepMs);
  const [newest] =
    rest.length === 0 ? [] : toRolled([...rest, { atMs: Number.POSITIVE_INFINITY, run: -1, values: {} }], level.stepMs).whole;
  return [...coarse, ...whole, ...(newest ? [newest] : [])];
}

type Parsed = { readonly is: 'fine'; readonly samples: readonly Sample[]; readonly last: number } | { readonly is: 'damaged' };

/** One bad record is one that is just being written, or was when the power went. */
const badMost = 1;

function parse(bytes: Buffer | undefined, level: Level): Parsed {
  if (bytes === undefined) return { is: 'fine', samples: [], last: 0 };
  if (!bytes.subarray(0, recordBytes).equals(toHead(level))) return { is: 'damaged' };
  const found: (readonly [number: number, sample: Sample])[] = [];
  let bad = 0;
  const end = Math.min(bytes.length, toPlace(level.count, level) + recordBytes);
  for (let at = recordBytes; at + recordBytes <= end; at += recordBytes) {
    const record = bytes.subarray(at, at + recordBytes);
    const number = record.readUInt32LE(4);
    if (crc32(record.subarray(4)) !== record.readUInt32LE(0)) bad += record.every((byte) => byte === 0) ? 0 : 1;
    else found.push([number, toSample(record)]);
  }
  if (bad > badMost) return { is: 'damaged' };
  found.sort(([a], [b]) => a - b);
  return { is: 'fine', samples: found.map(([, sample]) => sample), last: found.at(-1)?.[0] ?? 0 };
}

/** Record 1 comes right after the head. */
function toPlace(number: number, { count }: Level): number {
  return recordBytes * (1 + ((number - 1) % count));
}

function toHead({ stepMs, count }: Level): Buffer {
  return Buffer.from(`qwen-deploy history 1: ${count} x ${stepMs} ms\n`.padEnd(recordBytes), 'latin1');
}

function toEmpty(level: Level): Buffer {
  return Buffer.concat([toHead(level), Buffer.alloc(recordBytes * level.count)]);
}

/** Checksum, number, time, run, four bytes to spare, then the series in their order as 32-bit floats; NaN is none. */
function toRecord(number: number, { atMs, run, values }: Sample): Buffer {
  const record = Buffer.alloc(recordBytes);
  record.writeUInt32LE(number, 4);
  record.writeDoubleLE(atMs, 8);
  record.writeUInt32LE(run, 16);
  for (const [index, series] of seriesNames.entries()) record.writeFloatLE(values[series] ?? Number.NaN, valuesAt + 4 * index);
  record.writeUInt32LE(crc32(record.subarray(4)), 0);
  return record;
}

function toSample(record: Buffer): Sample {
  const entries = seriesNames.flatMap((series, index) => {
    const value = record.readFloatLE(valuesAt + 4 * index);
    return Number.isNaN(value) ? [] : [[series, toPlain(series, value)] as const];
  });
  const values: Values = Object.fromEntries(entries);
  return { atMs: record.readDoubleLE(8), run: record.readUInt32LE(16), values };
}

/** What a 32-bit float knows, and no digits beyond. */
function toPlain(series: Series, value: number): number {
  return series === 'rssBytes' ? Math.round(value) : Number(value.toPrecision(6));
}

async function readBytes(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
