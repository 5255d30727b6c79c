/** Engines that die, each in its own way. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { killQuietly } from '../scenarios/sandbox.ts';
import { findEvent, openKit, quick } from './kit.ts';

const kit = openKit();
const timeout = 60_000;

describe('an engine that is killed', { timeout }, () => {
  it('A1 seen within 2 s, its rest ended before the next start, the cause kept', async () => {
    const first = await kit.up('', ...quick);
    const killedAt = Date.now();
    killQuietly(first.pid ?? 0);
    const after = await kit.untilReplaced(first);
    const events = await kit.events();
    const exited = findEvent(events, 'exited');
    expect(Date.parse(exited?.at ?? '') - killedAt).toBeLessThan(2000);
    expect(exited).toMatchObject({ expected: false, exit: { cause: 'exit', signal: 'SIGKILL' } });
    expect(after).toMatchObject({ restarts: { total: 1 }, lastExit: { signal: 'SIGKILL' } });
    expect(await kit.find('VLLM::EngineCore')).toHaveLength(1);
  });

  it('A2 the API server alone: the orphan is named and ended before the next start', async () => {
    const first = await kit.up('', ...quick);
    const [orphan] = await kit.find('VLLM::EngineCore');
    killQuietly(first.pid ?? 0);
    await kit.untilReplaced(first);
    const events = await kit.events();
    const survivors = findEvent(events, 'survivors');
    expect(survivors?.survivors).toContainEqual(expect.objectContaining({ pid: orphan?.pid }));
    const second = events.filter(({ type }) => type === 'launching')[1];
    expect(second?.seq).toBeGreaterThan(survivors?.seq ?? Number.POSITIVE_INFINITY);
    expect((await kit.find('VLLM::EngineCore')).map(({ pid }) => pid)).not.toContain(orphan?.pid);
  });

  it.each([
    ['A3', 'VLLM::EngineCore'],
    ['A4', 'VLLM::Worker'],
  ])('%s %s alone: exit 0 of the API server is no success', async (_, title) => {
    const first = await kit.up('', ...quick);
    const [child] = await kit.find(title);
    const killedAt = Date.now();
    killQuietly(child?.pid ?? 0);
    const after = await kit.untilReplaced(first);
    expect(after).toMatchObject({ restarts: { total: 1 }, lastExit: { cause: 'exit', code: 0, reason: 'engine_dead_runtime' } });
    expect(Date.parse(findEvent(await kit.events(), 'exited')?.at ?? '') - killedAt).toBeLessThan(15_000);
  });

  it('A5 exit 0 by itself is a failure', async () => {
    const first = await kit.up('', ...quick);
    await kit.setFaults({ exitNow: 0 });
    const after = await kit.untilReplaced(first);
    expect(after).toMatchObject({ lastExit: { cause: 'exit', code: 0 } });
    expect(findEvent(await kit.events(), 'exited')).toMatchObject({ expected: false });
  });

  it('A8 by a segmentation fault: no core file, and the signal is kept', async () => {
    const first = await kit.up('', ...quick);
    const limits = await Promise.all(
      [...(await kit.find('VLLM::')).map(({ pid }) => pid), first.pid].map((pid) => readFile(`/proc/${pid}/limits`, 'utf8')),
    );
    expect(limits).toHaveLength(3);
    for (const text of limits) expect(text).toMatch(/^Max core file size +0 +0 /m);
    killQuietly(first.pid ?? 0, 'SIGSEGV');
    expect(await kit.untilReplaced(first)).toMatchObject({ lastExit: { cause: 'exit', signal: 'SIGSEGV' } });
  });
});

describe('an engine that runs out of memory', { timeout }, () => {
  it.each([
    ['A9', 'api', { signal: 'SIGKILL' }],
    ['A10', 'engine', { code: 0 }],
  ])('%s in its cap, the kernel kills %s: the cause says so', async (_, who, exit) => {
    const first = await kit.up('', ...quick, 'resources.memory=1600MiB');
    const uncapped = (await kit.events()).some((event) => event.type === 'note' && event.note.id === 'life.memory-cap');
    // Without control groups of ours there is no cap, and nothing to see.
    if (uncapped) return expect(process.getuid?.()).not.toBe(0);
    await kit.setFaults({ eat: who });
    const after = await kit.untilReplaced(first, 40_000);
    expect(after.lastExit).toMatchObject({ cause: 'oom', reason: 'host_oom_killed', ...exit });
    expect((await kit.box.cli('events', 'tiny')).stdout).toContain('--set resources.memory=');
    expect(after.lastExit?.line).toMatch(/^oom_kill [1-9]\d*, limit 1.6 GiB, peak 1.6 GiB$/);
  });
});

describe('a start that fails', { timeout }, () => {
  // It ends before it says anything of the phase that it ends at: the last one that it spoke of is what is known.
  it.each([
    ['loading', 'engine'],
    ['kv-cache', 'loading'],
    ['warming', 'kv-cache'],
  ])('A11 at %s: the phase and the telling line are said', async (end, phase) => {
    const faults = JSON.stringify({ exit: `${end}:1`, stderr: 'ValueError: the moon is full\n' });
    const result = await kit.tryUp(faults, 'restart.first-delay=100ms');
    expect(result.code).toBe(5);
    expect(result.stderr + result.stdout).toContain('the moon is full');
    const events = await kit.events();
    const exited = findEvent(events, 'exited');
    expect(exited).toMatchObject({ exit: { code: 1, phase, line: expect.stringContaining('the moon is full') } });
  });
});
