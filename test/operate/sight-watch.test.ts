import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isUnseen, toUnseenError, watchSight } from '../../src/operate/sight-watch.ts';
import { toDeployment } from '../../src/supervisor/state.ts';
import { makeRecord, makeState } from '../supervisor/make.ts';

describe('patience with a Docker that cannot be asked', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('ends when it still cannot be asked, not before a restart of it might be over', async () => {
    const watch = watchSight(async () => true);
    watch.note();
    await vi.advanceTimersByTimeAsync(11_000);
    expect(watch.lost.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(2000);
    expect(watch.lost.aborted).toBe(true);
  });

  it('goes on when it can be asked again, and begins anew when it cannot', async () => {
    let lost = false;
    const watch = watchSight(async () => lost);
    watch.note();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(watch.lost.aborted).toBe(false);
    lost = true;
    watch.note();
    await vi.advanceTimersByTimeAsync(4000);
    expect(watch.lost.aborted).toBe(true);
  });

  it('is not needed where it is never noted, and leaves no timer behind', async () => {
    const watch = watchSight(async () => true);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(watch.lost.aborted).toBe(false);
    watch.note();
    watch.end();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('what is said when patience is over', () => {
  const containerId = `0123456789ab${'c'.repeat(52)}`;
  const blind = makeState({
    life: 'unknown',
    before: 'killing',
    desired: 'down',
    run: 1,
    launch: { ...makeRecord(1), containerId },
    health: { ready: false, misses: 0, reason: 'docker/silent: /run/docker.sock: 10 s' },
  });
  const around = { wallMs: 0 };

  it('is nothing where Docker has no part in it', () => {
    expect(isUnseen(toDeployment(blind, around))).toBe(true);
    expect(isUnseen(toDeployment({ ...blind, life: 'killing' }, around))).toBe(false);
    expect(isUnseen(toDeployment({ ...blind, launch: makeRecord(1) }, around))).toBe(false);
  });

  it('is that only the container is left, where that is proven', () => {
    const error = toUnseenError(toDeployment({ ...blind, owed: containerId }, around));
    expect(error).toMatchObject({ code: 'down/removal-owed', exitStatus: 7, params: { name: 'tiny', container: '0123456789ab' } });
  });

  it('is that nobody knows, and Docker is named, where it is not', () => {
    const error = toUnseenError(toDeployment(blind, around));
    expect(error).toMatchObject({ code: 'down/out-of-sight', exitStatus: 9, params: { container: '0123456789ab' } });
    expect(error.params.problem).toContain('docker/silent');
  });
});
