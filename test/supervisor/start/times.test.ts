import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  readStartTimes,
  type StartTime,
  StartTimes,
  toFingerprint,
  toUsualSeconds,
  writeStartTime,
} from '../../../src/supervisor/start/times.ts';
import { type State, toFirstState } from '../../../src/supervisor/state.ts';
import { makeRecord, makeSpec, makeWanted } from '../make.ts';

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'qd-times-'));
  file = join(directory, 'start-times.json');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const time = (totalMs: number, launchId = String(totalMs)): StartTime => ({ launchId, totalMs, phases: {} });

describe('the file', () => {
  it('keeps the last ten starts of a plan, each once', async () => {
    for (let start = 1; start <= 12; start += 1) await writeStartTime(file, 'a', time(start * 1000));
    await writeStartTime(file, 'a', time(5000, '12000'));
    expect(readStartTimes(file).a?.map(({ totalMs }) => totalMs / 1000)).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(await readdir(directory)).toEqual(['start-times.json']);
  });

  it('forgets the plans that were not started for the longest time', async () => {
    for (let plan = 0; plan < 45; plan += 1) await writeStartTime(file, `plan-${plan}`, time(1000));
    await writeStartTime(file, 'plan-5', time(2000));
    await writeStartTime(file, 'new', time(1000));
    const plans = Object.keys(readStartTimes(file));
    expect(plans).toHaveLength(40);
    expect(plans.slice(-2)).toEqual(['plan-5', 'new']);
    expect(plans).not.toContain('plan-6');
    expect((await readFile(file)).length).toBeLessThan(100_000);
  });

  it.each([
    ['nothing', undefined],
    ['no JSON', '{"schema":1,'],
    ['of another version', '{"schema":2,"plans":{"a":[{"launchId":"x","totalMs":1}]}}'],
    ['something else', '{"schema":1,"plans":{"a":[7,{"launchId":"x"},{"launchId":"x","totalMs":-1}]}}'],
    ['null', 'null'],
  ])('holds nothing when it is %s, and is written anew', async (_, text) => {
    if (text !== undefined) await writeFile(file, text);
    expect(readStartTimes(file).a ?? []).toEqual([]);
    await writeStartTime(file, 'a', time(1000));
    expect(readStartTimes(file).a).toEqual([time(1000)]);
  });
});

it('a plan is the same on another port, and in nothing else', () => {
  const spec = makeSpec({ args: ['serve', 'm', '--port', '8000', '--max-num-seqs', '8'] });
  const print = toFingerprint(spec);
  const moved = {
    ...spec,
    hash: 'b',
    endpoint: { host: '127.0.0.1', port: 9 },
    args: ['serve', 'm', '--port', '9', '--max-num-seqs', '8'],
  };
  expect(toFingerprint(moved)).toBe(print);
  expect(toFingerprint({ ...spec, args: ['serve', 'm', '--port', '8000', '--max-num-seqs', '9'] })).not.toBe(print);
  expect(toFingerprint({ ...spec, engineVersion: '0.31.0' })).not.toBe(print);
  expect(toFingerprint({ ...spec, env: { A: '1' } })).not.toBe(print);
});

it.each([
  [[], undefined],
  [[41_000], 41],
  [[41_000, 200_000, 40_000], 41],
  [[40_000, 42_000], 41],
  [[80], 1],
])('the usual time of %j is %j', (times, seconds) => {
  expect(toUsualSeconds(times.map((ms, index) => time(ms, String(index))))).toBe(seconds);
});

describe('learning', () => {
  const at = (seconds: number) => new Date(1_000_000_000_000 + seconds * 1000).toISOString();
  const start = (run: number): State => ({ ...toFirstState('tiny', makeWanted()), run, launch: makeRecord(run) });

  /** A start of 41 s that is observed as its supervisor does. */
  function observe(times: StartTimes, wall: { now: number }, run = 1): void {
    const base = { ...start(run), startedAt: at(0) };
    times.observe({ ...start(run), life: 'preflight' });
    for (const [phase, seconds] of [
      ['spawned', 0],
      ['configuring', 14],
      ['configuring', 15],
      ['loading', 20],
    ] as const) {
      wall.now = Date.parse(at(seconds));
      times.observe({ ...base, life: 'starting', phase });
    }
    times.observe({ ...base, life: 'ready', readyAt: at(41) });
    times.observe({ ...base, life: 'degraded', readyAt: at(41) });
    times.observe({ ...base, life: 'ready', readyAt: at(41) });
  }

  function open(problems: unknown[] = [], path = file) {
    const wall = { now: 0 };
    const clock = { wall: () => wall.now, mono: () => 0, after: () => ({ cancel: () => undefined }) };
    return { wall, times: new StartTimes(path, { onProblem: (error) => problems.push(error), clock }) };
  }

  it('keeps the time of a start and of its phases, once, and knows it the next time', async () => {
    const { wall, times } = open();
    observe(times, wall);
    expect(times.usuallySeconds).toBeUndefined();
    const kept = () => readStartTimes(file)[toFingerprint(makeSpec())] ?? [];
    await expect
      .poll(kept)
      .toEqual([{ launchId: makeRecord(1).launchId, totalMs: 41_000, phases: { spawned: 14_000, configuring: 6000, loading: 21_000 } }]);
    times.observe({ ...start(2), life: 'preflight' });
    expect(times.usuallySeconds).toBe(41);
    expect(kept()).toHaveLength(1);
  });

  it('learns nothing from a clock that was set back, and says what cannot be written', async () => {
    const back = open();
    back.times.observe({ ...start(1), life: 'ready', startedAt: at(10), readyAt: at(5) });
    expect(readStartTimes(file)).toEqual({});
    const problems: unknown[] = [];
    const { wall, times } = open(problems, join(directory, 'none/start-times.json'));
    observe(times, wall);
    await expect.poll(() => problems).toEqual([expect.objectContaining({ code: 'ENOENT' })]);
  });
});
