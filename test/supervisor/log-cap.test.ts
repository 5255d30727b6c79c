import { appendFile, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Message } from '../../src/core/message.ts';
import { readLastLines } from '../../src/host/tail.ts';
import { type CappedLog, watchLogs } from '../../src/supervisor/log-cap.ts';
import { createFakeClock, type FakeClock } from './fake-clock.ts';

let directory: string;
let path: string;
let clock: FakeClock;
let notes: Message[];
let stop: AbortController;
let watching: Promise<void>;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'qd-log-cap-'));
  path = join(directory, 'engine.log');
  clock = createFakeClock();
  notes = [];
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await watching;
  await rm(directory, { recursive: true, force: true });
});

const line = `${'x'.repeat(99)}\n`;
const write = (bytes: number) => appendFile(path, line.repeat(bytes / 100));
const names = async () => (await readdir(directory)).sort();
const size = async () => (await stat(path)).size;

function watch(logs: () => readonly CappedLog[] = () => [{ path, maxBytes: 100_000, keep: 2 }]): void {
  watching = watchLogs({ logs, onNote: (note) => notes.push(note), clock }, stop.signal);
}

/** Looks come by the clock, and each takes what its files take. */
async function until(check: () => Promise<boolean>, stepMs = 10_000): Promise<void> {
  await expect
    .poll(
      async () => {
        await clock.advance(stepMs);
        return check();
      },
      { interval: 10, timeout: 5000 },
    )
    .toBe(true);
}

describe('watchLogs', () => {
  it('cuts what is above its cap, and only that', async () => {
    await write(90_000);
    watch();
    await until(async () => true);
    await write(20_000);
    await until(async () => (await names()).includes('engine.log.1'));
    expect(await names()).toEqual(['engine.log', 'engine.log.1']);
    expect(await size()).toBeLessThan(100_000);
    expect(await readLastLines(path, 5000)).toHaveLength(1100);
    expect(notes).toEqual([]);
  });

  it('looks sooner at one that grows fast', async () => {
    await write(100);
    watch();
    let most = 0;
    // 8 kB/s: looked at every ten seconds alone, it would be 160 kB long before it is cut.
    await until(async () => {
      const before = await size();
      if (before >= most) await write(4000);
      most = Math.max(most, before);
      return before < most;
    }, 500);
    expect(most).toBeLessThan(125_000);
  });

  it('follows the limits and the log of each launch, and does not wait for one that is not there yet', async () => {
    const next = join(directory, 'next.log');
    let logs: readonly CappedLog[] = [{ path: next, maxBytes: 100_000, keep: 2 }];
    watch(() => logs);
    await until(async () => true);
    expect(notes).toEqual([]);
    await write(90_000);
    logs = [{ path, maxBytes: 70_000, keep: 2 }];
    await until(async () => (await size()) < 70_000);
  });

  it('K5 says once what goes wrong, tries again, and says it again when it comes back', async () => {
    await write(110_000);
    await mkdir(`${path}.copy`);
    await writeFile(join(`${path}.copy`, 'in-the-way'), '');
    watch();
    await until(async () => notes.length > 0);
    await until(async () => true);
    await until(async () => true);
    expect(notes.map(({ id }) => id)).toEqual(['life.log-uncut']);
    expect(await size()).toBe(110_000);
    await rm(`${path}.copy`, { recursive: true });
    await until(async () => (await size()) < 100_000);
    await rm(path);
    await until(async () => notes.length > 1);
    expect(notes.map(({ id }) => id)).toEqual(['life.log-uncut', 'life.log-missing']);
  });
});
