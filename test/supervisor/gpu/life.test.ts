/** The GPUs of a deployment, asked through stand-ins of nvidia-smi and dmesg. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../../../src/core/clock.ts';
import type { Message } from '../../../src/core/message.ts';
import type { GpuBaseline } from '../../../src/gpu/baseline.ts';
import type { GpuDetails } from '../../../src/gpu/query.ts';
import { GpuAsker } from '../../../src/supervisor/gpu/asker.ts';
import { GpuLife } from '../../../src/supervisor/gpu/life.ts';
import { type MemoryQuestion, proveMemoryReturned } from '../../../src/supervisor/gpu/memory.ts';
import { l4 } from '../../faults/gpu-machine.ts';
import { createFakeClock, type FakeClock } from '../fake-clock.ts';
import { makeRecord, makeWanted } from '../make.ts';

const bin = new URL('../../faults/gpu-bin', import.meta.url).pathname;
let home: string;
let clock: FakeClock;
let notes: Message[];
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'qd-gpu-'));
  clock = createFakeClock();
  notes = [];
  await show();
  await writeFile(join(home, 'kernel-log'), '[ 0.0] Linux\n');
});
afterEach(() => rm(home, { recursive: true, force: true }));

const show = (change: object = {}, mode = 'answers') =>
  writeFile(join(home, 'gpus.json'), JSON.stringify({ mode, gpus: [{ ...l4, ...change }] }));
const parts = () => ({
  clock,
  note: (note: Message) => notes.push(note),
  env: { HOME: home, PATH: [bin, process.env.PATH].join(delimiter) },
});
const wanted = { ...makeWanted(), gpus: [l4.uuid] };

describe('GpuLife', () => {
  it.each([
    ['nobody', 200, [], false],
    ['a process that is there now', 200, [{ pid: 4711, name: 'python', usedMiB: 900 }], true],
    ['its own process', 200, [{ pid: 1001, name: 'vllm', usedMiB: 900 }], false],
    ['somebody who cannot be seen, from before its start', 4000, [], true],
  ])('says who else is on the GPU of a start that ended: %s', async (_, usedMiB, processes, others) => {
    const life = new GpuLife(parts());
    await show({ usedMiB, processes: [] });
    const start = await life.observeGpuBaseline(wanted);
    await show({ usedMiB, processes });
    const record = { ...makeRecord(1), ...(start.is === 'passed' ? start.record : {}) };
    expect(await life.observeEnd(record, [])).toEqual({ others });
    expect(await life.observeEnd(record, undefined)).toEqual({});
  });

  it('keeps what was there before a launch, and reads its end against that', async () => {
    const life = new GpuLife(parts());
    await writeFile(join(home, 'kernel-log'), '[ 1.0] NVRM: Xid (PCI:0000:01:00): 13, old\n');
    const start = await life.observeGpuBaseline(wanted);
    expect(start).toMatchObject({ is: 'passed', record: { gpuBaselines: [{ index: 0, uuid: l4.uuid, usedBytes: 200 * 2 ** 20 }] } });
    const record = { ...makeRecord(1), ...(start.is === 'passed' ? start.record : {}) };
    expect(await life.observeEnd(record, undefined)).toEqual({});
    await writeFile(join(home, 'kernel-log'), '[ 1.0] NVRM: Xid (PCI:0000:01:00): 13, old\n[ 2.0] NVRM: Xid (PCI:0000:01:00): 31, new\n');
    const line = '[ 2.0] NVRM: Xid (PCI:0000:01:00): 31, new';
    expect(await life.observeEnd(record, [])).toMatchObject({ fault: { xid: 31, remedy: 'program', line } });
    expect(await life.proveMemoryReturned(record, [])).toBeUndefined();
    expect(notes).toEqual([]);
  });

  it('says once that the kernel log cannot be read, and goes on without', async () => {
    const life = new GpuLife(parts());
    await writeFile(join(home, 'kernel-log'), '');
    const start = await life.observeGpuBaseline(wanted);
    await life.observeGpuBaseline(wanted);
    expect(start.is === 'passed' && start.record).not.toHaveProperty('lastXid');
    expect(notes.map(({ id }) => id)).toEqual(['life.gpu-xid-unread']);
    expect(await life.observeEnd({ ...makeRecord(1), ...(start.is === 'passed' ? start.record : {}) }, undefined)).toEqual({});
  });

  it('I9 notices that an index means another GPU than at the last launch', async () => {
    const life = new GpuLife(parts());
    const byIndex = { ...wanted, gpus: ['0'] };
    expect(await life.observeGpuBaseline(byIndex)).toMatchObject({ is: 'passed' });
    await show({ uuid: 'GPU-b' });
    expect(await life.observeGpuBaseline(byIndex)).toMatchObject({ is: 'failed', code: 'host/gpu-changed', permanent: true });
  });
});

describe('GpuAsker', () => {
  it('I3 rests for five minutes after a question that was not answered', async () => {
    const asker = new GpuAsker({ ...parts(), timeoutMs: 2500 });
    await show({}, 'hangs');
    expect(await asker.ask()).toMatchObject({ is: 'hangs' });
    await show();
    expect(await asker.ask()).toMatchObject({ is: 'hangs' });
    await clock.advance(5 * 60_000);
    expect(await asker.ask()).toMatchObject({ is: 'read' });
    expect(notes.map(({ id }) => id)).toEqual(['life.gpu-unseen']);
  });

  it('I4 says it again only after there was an answer in between', async () => {
    const asker = new GpuAsker(parts());
    for (const mode of ['garbage', 'garbage', 'answers', 'garbage']) {
      await show({}, mode);
      await asker.ask();
    }
    expect(notes).toHaveLength(2);
  });
});

describe('proveMemoryReturned', () => {
  const baseline: GpuBaseline = { index: 0, uuid: 'GPU-a', usedBytes: 0, owners: [] };
  const used = (mebibytes: number, pid?: number): GpuDetails => {
    const bytes = mebibytes * 2 ** 20;
    const processes = pid === undefined ? [] : [{ pid, memoryUsedBytes: bytes }];
    return { is: 'read', gpus: [{ index: 0, uuid: 'GPU-a', name: 'L4', memoryUsedBytes: bytes, processes }] };
  };

  /** Its answers one after another, the last one for ever; and how long it took by the clock. */
  async function prove(answers: readonly GpuDetails[], more: Partial<MemoryQuestion> = {}) {
    let asked = 0;
    const ask = async () => answers[Math.min(asked++, answers.length - 1)] ?? used(0);
    const began = clock.mono();
    let done = false;
    const proof = proveMemoryReturned({
      baselines: [baseline],
      ask,
      ours: new Set([50]),
      clock,
      apart: false,
      isGone: async () => true,
      ...more,
    });
    void proof.then(() => {
      done = true;
    });
    while (!done) {
      await clock.advance(50);
      await waitFor(0);
    }
    const [verdict] = await proof;
    return { is: verdict?.is, tookMs: clock.mono() - began };
  }

  it.each<[string, readonly GpuDetails[], Partial<MemoryQuestion>, string, number, number]>([
    ['back at once', [used(100)], {}, 'returned', 0, 100],
    ['back after a while', [used(9000, 50), used(4000, 50), used(100)], {}, 'returned', 700, 1500],
    ['D8 never', [used(9000, 50)], {}, 'held', 30_000, 32_500],
    ['D8 never, and nobody is named', [used(9000)], {}, 'held', 30_000, 32_500],
    ['D9 held by a stranger', [used(9000, 60)], { isGone: async () => false }, 'returned', 0, 100],
    ['in a container, by somebody who cannot be seen', [used(9000)], { apart: true }, 'unseen', 5000, 7500],
    ['I3 no answer', [{ is: 'hangs', evidence: { id: 'gpu.smi-hangs', params: {} } }], {}, 'unknown', 0, 100],
  ])('%s', async (_, answers, more, is, least, most) => {
    const proof = await prove(answers, more);
    expect(proof.is).toBe(is);
    expect(proof.tookMs).toBeGreaterThanOrEqual(least);
    expect(proof.tookMs).toBeLessThanOrEqual(most);
  });
});
