import { type ChildProcess, spawn } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { systemClock, waitFor } from '../../../src/core/clock.ts';
import type { StartPhase } from '../../../src/core/event.ts';
import { readProcess } from '../../../src/host/proc.ts';
import { DownloadMeter, observeModelFolder, readIndexBytes, toModelDirectory } from '../../../src/supervisor/start/download.ts';
import { watchLife } from '../../../src/supervisor/start/life.ts';
import { StartLog } from '../../../src/supervisor/start/log-reader.ts';
import { StartSigns } from '../../../src/supervisor/start/signs.ts';
import { makeRecord, makeSpec } from '../make.ts';

let directory: string;
let logFile: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'qd-life-'));
  logFile = join(directory, 'engine.log');
  await writeFile(logFile, '');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

function run(script: string, env: NodeJS.ProcessEnv = {}): ChildProcess {
  const child = spawn(process.execPath, ['-e', script], { stdio: 'ignore', env });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

const sleep = 'setInterval(() => undefined, 60_000)';
const line = (text: string, second = 1) => `(EngineCore pid=7) INFO 11-21 05:55:0${second} [core.py:1] ${text}\n`;

describe('the eyes', () => {
  const open = (pids: readonly number[] = []) => {
    const log = new StartLog(logFile, () => undefined);
    const signs = new StartSigns({ logFile, log, members: async () => pids.map((pid) => ({ pid })) });
    return async () => {
      await log.read();
      return signs.look();
    };
  };

  it('see a new line, and a line that grows; not one that is said again', async () => {
    const look = open();
    const moves = async () => (await look()).logMoves;
    expect(await moves()).toBe(0);
    await appendFile(logFile, line('No available shared memory broadcast block found in 60 seconds.'));
    expect(await moves()).toBe(1);
    await appendFile(logFile, line('No available shared memory broadcast block found in 60 seconds.', 2));
    expect(await moves()).toBe(1);
    for (let percent = 1; percent <= 3; percent += 1) {
      await appendFile(logFile, `\rFetching 4 files: ${percent}%|`);
      expect(await moves()).toBe(1 + percent);
    }
    expect(await moves()).toBe(4);
  });

  it('see the CPU time and the processes of the launch, also of those that came and went', async () => {
    const [idle, busy] = [run(sleep), run('for (;;);')];
    const pids = [idle.pid ?? 0];
    const look = open(pids);
    await waitFor(150);
    const first = await look();
    expect(first.processes).toBe(1);
    pids.push(busy.pid ?? 0);
    await expect.poll(look, { timeout: 5000 }).toMatchObject({ processes: 2 });
    const before = await look();
    await expect.poll(async () => (await look()).cpuMs - before.cpuMs, { timeout: 5000 }).toBeGreaterThan(100);
    pids.length = 0;
    const gone = await look();
    expect((await look()).cpuMs).toBe(gone.cpuMs);
    expect(gone.cpuMs).toBeGreaterThan(before.cpuMs);
  });
});

describe('the folder of a model', () => {
  const hub = { HF_HOME: '/data/hf' };

  it.each<[string, Parameters<typeof makeSpec>[0], Record<string, string>, string | undefined]>([
    ['in the cache of the launch', { model: 'Qwen/Qwen3-0.6B' }, hub, '/data/hf/hub/models--Qwen--Qwen3-0.6B'],
    ['in a cache of its own', { model: 'Qwen/Qwen3-0.6B' }, { ...hub, HF_HUB_CACHE: '/c' }, '/c/models--Qwen--Qwen3-0.6B'],
    ['in the home directory', { model: 'a/b' }, { HOME: '/home/x' }, '/home/x/.cache/huggingface/hub/models--a--b'],
    ['where vLLM was told', { model: 'a/b', args: ['serve', 'a/b', '--download-dir', '/w'] }, hub, '/w/models--a--b'],
    ['none of a path', { model: '/models/tiny' }, hub, undefined],
    ['none where the hub may not be asked', { model: 'a/b' }, { ...hub, HF_HUB_OFFLINE: '1' }, undefined],
    ['none of a simulator', { model: 'a/b', simulated: true }, hub, undefined],
    ['none of a process that does not tell', { model: 'a/b' }, {}, undefined],
  ])('is %s', async (_, spec, env, expected) => {
    expect(await toModelDirectory(makeSpec(spec), env)).toBe(expected);
  });

  it('counts what was written, not what was set aside, and knows what is being fetched', async () => {
    expect(await observeModelFolder(directory, 0)).toEqual({ doneBytes: 0, fetching: false });
    const blobs = join(directory, 'blobs');
    await mkdir(blobs);
    await writeFile(join(blobs, 'aa'), Buffer.alloc(100_000, 1));
    expect(await observeModelFolder(directory, 0)).toEqual({ doneBytes: 100_000, fetching: false });
    const incomplete = join(blobs, 'bb.incomplete');
    await writeFile(incomplete, 'x');
    await truncate(incomplete, 1e9);
    const { doneBytes, fetching } = await observeModelFolder(directory, Date.now() - 10_000);
    expect(doneBytes).toBeLessThan(2_000_000);
    expect(fetching).toBe(true);
    // Left by a launch before this one.
    expect((await observeModelFolder(directory, Date.now() + 60_000)).fetching).toBe(false);
  });

  it('tells its size where the model has an index', async () => {
    expect(await readIndexBytes(directory)).toBeUndefined();
    await mkdir(join(directory, 'snapshots/abc'), { recursive: true });
    await writeFile(
      join(directory, 'snapshots/abc/model.safetensors.index.json'),
      '{"metadata": {"total_size": 8044936192}, "weight_map": {}}',
    );
    expect(await readIndexBytes(directory)).toBe(8_044_936_192);
  });

  it('becomes news only when bytes come, with the rate of the last seconds and a total that can be believed', () => {
    const meter = new DownloadMeter();
    const take = (doneBytes: number, atMs: number, totalBytes?: number) => meter.take({ doneBytes, fetching: true }, { atMs, totalBytes });
    expect(take(1000, 0)).toBeUndefined();
    expect(take(1000, 1000)).toBeUndefined();
    expect(take(5000, 2000, 10_000)).toEqual({ doneBytes: 5000, totalBytes: 10_000, bytesPerSecond: 2000 });
    expect(take(9000, 3000, 10_000)).toEqual({ doneBytes: 9000, totalBytes: 10_000, bytesPerSecond: 2667 });
    // The tokenizer lies there, too; twice as much is something else.
    expect(take(10_100, 4000, 10_000)).toMatchObject({ doneBytes: 10_100, totalBytes: 10_100 });
    expect(take(20_000, 60_000, 10_000)).toEqual({ doneBytes: 20_000, bytesPerSecond: 177 });
    // Begun anew.
    expect(take(2000, 61_000, 10_000)).toBeUndefined();
    expect(take(3000, 62_000, 10_000)).toEqual({ doneBytes: 3000, totalBytes: 10_000, bytesPerSecond: 1000 });
  });
});

describe('watching', () => {
  /** The log is read as often as the test says so; everything else is real. */
  function watch({ spec = {}, child, health = {} }: { spec?: object; child: ChildProcess; health?: object }) {
    const told: string[] = [];
    const news: { doneBytes: number; totalBytes?: number }[] = [];
    const made = makeSpec(spec);
    const full = {
      ...made,
      health: { ...made.health, startStallAfterMs: 600, downloadStallAfterMs: 600, startDeadlineMs: 1200, ...health },
    };
    const log = new StartLog(logFile, ({ phase }) => told.push(phase));
    const pid = child.pid ?? 0;
    const record = { ...makeRecord(1), logFile, createdAt: new Date(Date.now() - 1000).toISOString(), process: { pid, startTicks: 1 } };
    const members = async () => [{ pid, state: (await readProcess(pid))?.state ?? 'X' }];
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    const ended = watchLife(
      { spec: full, record, log, members, weightsOf: async () => 1e6, clock: systemClock },
      {
        onLife: () => told.push('life'),
        onDownload: (one) => news.push(one),
        onStall: ({ cause, forMs, detail }) => told.push(`${cause} ${forMs >= 600} ${detail}`),
      },
      stop.signal,
    );
    return { told, news, log, ended, stop };
  }

  it('ends with a verdict once nothing moves any more, and says that it lived before', async () => {
    const { told, log, ended } = watch({ child: run(sleep) });
    for (const second of [1, 2, 3, 4, 5]) {
      await appendFile(logFile, line(`step ${second}`, second));
      await log.read();
      await waitFor(200);
    }
    expect(told.join()).not.toContain('stall');
    expect(told).toContain('life');
    await ended;
    expect(told.at(-1)).toBe('start-stall true step 5');
  });

  it('waits for one that somebody has paused', async () => {
    const child = run(sleep);
    child.kill('SIGSTOP');
    const { told, ended } = watch({ child });
    await waitFor(1500);
    expect(told).toEqual([]);
    child.kill('SIGCONT');
    await ended;
    expect(told.at(-1)).toBe('start-stall true spawned');
  });

  it('ends silently with its signal', async () => {
    const { told, ended, stop } = watch({ child: run('for (;;);') });
    stop.abort();
    await ended;
    expect(told).toEqual([]);
  });

  it('finds a download by its bytes, and that it stands still', async () => {
    const blobs = join(directory, 'hub/models--Qwen--Qwen3-0.6B/blobs');
    await mkdir(blobs, { recursive: true });
    await writeFile(join(blobs, 'old'), Buffer.alloc(50_000, 1));
    const child = run(sleep, { HF_HOME: directory });
    // Until it is what was started, its environment is ours.
    await waitFor(100);
    const { told, news, log, ended } = watch({ spec: { model: 'Qwen/Qwen3-0.6B' }, child, health: { startStallAfterMs: 60_000 } });
    await appendFile(logFile, line("Initializing a V1 LLM engine (v0.32.0) with config: model='Qwen/Qwen3-0.6B'"));
    await log.read();
    await waitFor(200);
    expect(told.filter((one): one is StartPhase => one !== 'life')).toEqual(['engine']);
    for (let part = 1; part <= 5; part += 1) {
      await appendFile(join(blobs, 'new.incomplete'), Buffer.alloc(100_000, 1));
      await waitFor(150);
    }
    await ended;
    expect(told.filter((one) => one !== 'life')).toEqual(['engine', 'downloading', 'download-stall true Qwen/Qwen3-0.6B 537 KiB']);
    expect(news.length).toBeGreaterThan(1);
    expect(news.at(-1)).toMatchObject({ doneBytes: 550_000, totalBytes: 1e6 });
  });
});
