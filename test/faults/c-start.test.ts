/** Starts that stand still, and such that only take long. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { openHub } from '../host/fake-hub.ts';
import { eventually, untilNothingIsLeft } from '../scenarios/sandbox.ts';
import { findEvent, openKit, quick } from './kit.ts';

const kit = openKit();
const timeout = 60_000;

describe('a start without a sign of life', { timeout }, () => {
  const stalling = [...quick, 'health.start-stall-after=2s', 'restart.max-failures=2'];

  it('C1 silent while loading: ended long before the deadline, with the place, evidence and the setting that would wait longer', async () => {
    const began = performance.now();
    const result = await kit.tryUp('phase=loading:silent', ...stalling);
    expect(performance.now() - began).toBeLessThan(30_000);
    expect(result.code).toBe(5);
    expect(result.json()).toMatchObject({ code: 'engine/start-stalled' });
    expect(result.stdout).toContain('health.start-stall-after');
    const events = await kit.events();
    expect(findEvent(events, 'unhealthy')).toMatchObject({ cause: 'start-stall' });
    expect(findEvent(events, 'unhealthy')?.forMs).toBeGreaterThan(2000);
    expect(findEvent(events, 'bundle')).toBeDefined();
    expect(await kit.status()).toMatchObject({
      state: 'failed',
      lastExit: { cause: 'start-stall', line: expect.stringContaining('LLM engine') },
    });
    await untilNothingIsLeft(kit.box);
  });

  it('C1 silent while loading, and spinning: computing alone is a sign of life for four times as long only', async () => {
    const began = performance.now();
    const result = await kit.tryUp('spin=loading:forever', ...stalling, 'restart.max-failures=1');
    expect(result.code).toBe(5);
    const stalled = findEvent(await kit.events(), 'unhealthy');
    expect(stalled).toMatchObject({ cause: 'start-stall' });
    expect(stalled?.forMs).toBeGreaterThan(8000);
    expect(performance.now() - began).toBeGreaterThan(8000);
  });
});

describe('a start that takes long', { timeout }, () => {
  it('C2 slow but moving: past its deadline it gets more time, and becomes ready', async () => {
    const ready = await kit.up('drip=loading:4s', ...quick, 'health.start-deadline=2s', 'health.start-stall-after=4s');
    expect(ready).toMatchObject({ state: 'ready', run: 1, restarts: { total: 0 } });
    const events = await kit.events();
    expect(findEvent(events, 'ready')?.elapsedMs).toBeGreaterThan(4000);
    expect(findEvent(events, 'unhealthy')).toBeUndefined();
  });

  it('C2 slow but moving: not for ever, however lively', async () => {
    const sets = [...quick, 'health.start-deadline=1s', 'health.start-stall-after=10s', 'restart.max-failures=1'];
    const result = await kit.tryUp('drip=loading:30s', ...sets);
    expect(result.code).toBe(5);
    expect(await kit.status()).toMatchObject({ lastExit: { cause: 'start-timeout' } });
    expect((await kit.events()).filter(({ type }) => type === 'launching').length).toBeLessThanOrEqual(2);
  });

  it('C2 slow but moving: the next start of the same plan says how long that usually takes', async () => {
    await kit.up('drip=loading:2s', ...quick);
    expect((await kit.box.cli('down', 'tiny')).code).toBe(0);
    const again = kit.tryUp('drip=loading:2s', ...quick);
    const starting = await kit.until(({ state, startsIn }) => state === 'starting' && (startsIn?.elapsedSeconds ?? 0) >= 1);
    expect(starting.startsIn?.usuallySeconds).toBeGreaterThanOrEqual(2);
    const { code, stderr } = await again;
    expect(code).toBe(0);
    expect(stderr).toMatch(/usually .* \d/);
  });
});

describe('a model that comes from the hub', { timeout }, () => {
  const hub = ['model.source=hub', 'model.id=Qwen/Qwen3-4B', 'served-names=[Qwen3-0.6B]'];
  const blobs = () => join(kit.box.home, 'hf/hub/models--Qwen--Qwen3-4B/blobs');
  beforeEach(async () => {
    kit.box.env.HF_HOME = join(kit.box.home, 'hf');
    kit.box.env.HF_ENDPOINT = await openHub(200);
  });

  it('C10 download stalls: found by its bytes, ended, resumes at the next start', async () => {
    const sets = [...quick, ...hub, 'health.download-stall-after=1500ms'];
    const running = kit.tryUp('download=2s:stalls', ...sets);
    const seen = await kit.until(({ startsIn }) => (startsIn?.downloadedBytes ?? 0) > 0);
    expect(seen.phase).toBe('downloading');
    await eventually(
      () => kit.events(),
      (events) => findEvent(events, 'unhealthy') !== undefined,
    );
    const { size } = await stat(join(blobs(), 'f47ac10b.incomplete'));
    const result = await running;
    expect(result.code, result.stderr).toBe(0);
    const events = await kit.events();
    expect(findEvent(events, 'unhealthy')).toMatchObject({ cause: 'download-stall' });
    expect(findEvent(events, 'download')).toMatchObject({ bytesPerSecond: expect.any(Number) });
    expect(await kit.status()).toMatchObject({ state: 'ready', run: 2, lastExit: { cause: 'download-stall' } });
    expect((await stat(join(blobs(), 'f47ac10b'))).size).toBeGreaterThan(size);
  });
});
