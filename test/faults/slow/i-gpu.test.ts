/** GPUs that fail, as far as it takes half a minute to see what comes of it. */
import { describe, expect, it } from 'vitest';
import { killQuietly } from '../../scenarios/sandbox.ts';
import { deployment, holding, l4, openGpuMachine } from '../gpu-machine.ts';
import { findEvent } from '../kit.ts';

const machine = openGpuMachine();

describe('a GPU that takes its time', { timeout: 120_000 }, () => {
  it('I3 hangs: ended after ten seconds, one at a time, and neither start nor stop fail for it', async () => {
    await machine.show([l4]);
    const first = await machine.up();
    await machine.show([l4], 'hangs');
    killQuietly(first.pid ?? 0);
    const after = await machine.until(({ state, launchId }) => state === 'ready' && launchId !== first.launchId, 40_000);
    expect(after.restarts.total).toBe(1);
    expect((await machine.box.cli('down', deployment)).code).toBe(0);
    // Others ask too: whoever makes a plan.
    const calls = (await machine.calls()).filter(({ args }) => args === '-q -x');
    const hanging = calls.filter(({ beganAt, endedAt = Number.POSITIVE_INFINITY }) => endedAt - beganAt > 3000);
    expect(hanging).toHaveLength(1);
    expect((hanging[0]?.endedAt ?? 0) - (hanging[0]?.beganAt ?? 0)).toBeLessThan(11_500);
    const overlaps = calls.filter(({ beganAt }, at) => at > 0 && beganAt < (calls[at - 1]?.endedAt ?? Number.POSITIVE_INFINITY));
    expect(overlaps).toEqual([]);
    expect((await machine.notes()).filter((note) => note.startsWith('the GPU is not looked at'))).toHaveLength(1);
  });

  it('D8 not given back after a crash: waited for, then failed with its owner', async () => {
    await machine.show([l4]);
    const first = await machine.up();
    await machine.show([holding(first.pid ?? 0, 'VLLM::EngineCore')]);
    killQuietly(first.pid ?? 0);
    const after = await machine.until(({ state }) => state === 'failed', 60_000);
    expect(after).toMatchObject({
      restarts: { total: 0 },
      lastExit: { cause: 'vram-held', line: `GPU 0: 11.7 GiB, ${first.pid} (VLLM::EngineCore)` },
    });
    const events = await machine.events();
    const [exited, failed] = ['exited', 'failed'].map((type) => Date.parse(findEvent(events, type as 'exited')?.at ?? ''));
    expect((failed ?? 0) - (exited ?? 0)).toBeGreaterThanOrEqual(29_000);
  });

  it('D8 not given back after a stop: stopped, and what is held is said', async () => {
    await machine.show([l4]);
    const { pid = 0 } = await machine.up();
    await machine.show([holding(pid, 'VLLM::EngineCore')]);
    expect((await machine.box.cli('down', deployment)).code).toBe(0);
    expect(await machine.status()).toMatchObject({ state: 'stopped', lastExit: { cause: 'vram-held' } });
    expect(await machine.notes()).toContainEqual(expect.stringMatching(/^11\.7 GiB of GPU 0 did not come back within 30 s \(process \d+ /));
  });

  it('I10 too hot: degraded, and ready again when it is cool', async () => {
    await machine.show([l4]);
    const first = await machine.up();
    await machine.show([{ ...l4, throttle: ['hw_slowdown', 'hw_thermal_slowdown'] }]);
    const hot = await machine.until(({ state }) => state === 'degraded', 30_000);
    expect(hot).toMatchObject({ launchId: first.launchId, health: { ready: true, reason: 'throttle-heat' } });
    await machine.show([l4]);
    expect(await machine.until(({ state }) => state === 'ready', 30_000)).toMatchObject({ launchId: first.launchId });
  });
});
