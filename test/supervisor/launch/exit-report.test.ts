/** What is said of an end, and how each thing that is known besides the log changes it. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readKnownFlags } from '../../../src/operate/known-flags.ts';
import type { Exit, LaunchRecord } from '../../../src/runtime/runtime.ts';
import type { GpuEnd } from '../../../src/supervisor/gpu/end.ts';
import { type ExitContext, explainExit } from '../../../src/supervisor/launch/explain-exit.ts';
import type { State } from '../../../src/supervisor/state.ts';
import { createTestContext } from '../../operate/context.ts';
import { createFakeClock } from '../fake-clock.ts';
import { makeRecord, makeSpec, makeState } from '../make.ts';

let directory = '';

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'qd-exit-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

interface Known extends Partial<Pick<ExitContext, 'flagsOf' | 'given'>> {
  readonly args?: readonly string[];
  readonly state?: Partial<State>;
  readonly gpu?: GpuEnd;
  readonly record?: Partial<LaunchRecord>;
  readonly kernel?: string;
}

async function observe(text: string, exit: Exit, known: Known = {}) {
  const logFile = join(directory, 'engine.log');
  await writeFile(logFile, text);
  const bin = join(directory, 'bin');
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, 'dmesg'), `#!/bin/sh\nprintf '%s\\n' '${known.kernel ?? '[ 0.0] Linux'}'\n`, { mode: 0o755 });
  const record = { ...makeRecord(1), tmpDir: directory, ...known.record, logFile };
  const problems: unknown[] = [];
  const told = await explainExit(exit, record, {
    clock: createFakeClock(),
    spec: makeSpec({ args: ['serve', '/models/tiny', ...(known.args ?? [])] }),
    given: known.given ?? {},
    gpus: { observeEnd: async () => known.gpu ?? {} },
    env: { PATH: `${bin}:${process.env.PATH ?? ''}`, HOME: directory },
    ...(known.state ? { state: makeState({ run: 1, life: 'starting', ...known.state }) } : {}),
    ...(known.flagsOf ? { flagsOf: known.flagsOf } : {}),
    onProblem: (error) => problems.push(error),
  });
  expect(problems).toEqual([]);
  return told;
}

const setsOf = ({ exit }: Awaited<ReturnType<typeof observe>>) => exit.diagnosis?.remedies?.flatMap(({ set }) => set ?? []);

describe('the log', () => {
  it('of a lasting failure comes with the change that would mend it', async () => {
    const line =
      "ValueError: The model's max seq len (40960) is larger than the maximum number of tokens that can be stored in KV cache (9000).";
    const told = await observe(`${line}\n`, { code: 1 });
    expect(told).toMatchObject({ permanent: true, exit: { line, reason: 'kv_cache_too_small' } });
    expect(setsOf(told)).toContainEqual({ 'vllm.max-model-len': 8992 });
    expect(told.signature).toContain('max seq len (<n>)');
  });

  it('of what passes by itself has no signature, so that it is tried again', async () => {
    const { permanent, signature, exit } = await observe('OSError: [Errno 98] Address already in use\n', { code: 1 });
    expect({ permanent, signature, reason: exit.reason }).toEqual({ permanent: false, signature: undefined, reason: 'port_in_use' });
  });

  it('of what is not known has a line and no name', async () => {
    const given = { KEY: 'sesame-open' };
    const { permanent, exit, signature } = await observe('RuntimeError: the key sesame-open does not fit\n', { code: 1 }, { given });
    expect({ permanent, reason: exit.reason, cause: exit.diagnosis?.cause }).toEqual({
      permanent: false,
      reason: undefined,
      cause: 'unknown',
    });
    expect(JSON.stringify({ exit, signature })).not.toContain('sesame-open');
    expect(exit.line).toContain('does not fit');
  });

  it('that is empty, of an end with status 0, has nothing to tell', async () => {
    const { exit, permanent, signature } = await observe('', { code: 0 });
    expect({ exit, permanent, signature }).toEqual({
      exit: { cause: 'exit', at: '2026-01-01T00:00:00.000Z', code: 0 },
      permanent: false,
      signature: undefined,
    });
  });

  it('repeats no secret that a refused setting was given, its remedies included', async () => {
    const given = { KEY: 'sesame-open' };
    const { exit } = await observe('vllm: error: unrecognized arguments: --sesame-open\n', { code: 2 }, { given });
    expect(exit.diagnosis).toMatchObject({ cause: 'unknown_argument', remedies: expect.arrayContaining([expect.anything()]) });
    expect(JSON.stringify(exit)).not.toContain('sesame-open');
  });
});

const cudaLine = 'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has 1.00 GiB free.\n';
const dead = '(EngineCore pid=4711) ERROR EngineDeadError: EngineCore encountered an issue.\n';

describe('what stands in no log', () => {
  it('settings: numbers of a remedy are those of the launch', async () => {
    const loose = await observe(cudaLine, { code: 1 }, { state: { readyAt: 'then' } });
    const set = await observe(
      cudaLine,
      { code: 1 },
      { state: { readyAt: 'then' }, args: ['--gpu-memory-utilization', '0.7', '--max-num-seqs', '12'] },
    );
    expect(setsOf(loose)).toContainEqual({ 'vllm.gpu-memory-utilization': 0.87 });
    expect(setsOf(set)).toContainEqual({ 'vllm.gpu-memory-utilization': 0.65 });
    expect(setsOf(set)).toContainEqual({ 'vllm.max-num-seqs': 6 });
  });

  it('the phase, and whether it had served: the same words mean another thing', async () => {
    const causes = await Promise.all(
      [{ phase: 'loading' as const }, { phase: 'capturing' as const }, { readyAt: '2026-01-01T00:00:00.000Z' }].map(async (state) => {
        const { exit } = await observe(cudaLine, { code: 1 }, { state });
        return exit.reason;
      }),
    );
    expect(causes).toEqual(['cuda_oom_weights', 'cuda_oom_warmup', 'cuda_oom_runtime']);
  });

  it('who else was on the GPU decides whether another start can help', async () => {
    const at = async (gpu: GpuEnd) => (await observe(cudaLine, { code: 1 }, { state: { phase: 'loading' }, gpu })).permanent;
    expect([await at({ others: true }), await at({ others: false })]).toEqual([false, true]);
  });

  it('memory that ran out takes the place of what the log says', async () => {
    const told = await observe(dead, { code: 1, outOfMemory: true, memory: { limitBytes: 2 ** 31, peakBytes: 2 ** 31 } });
    expect(told).toMatchObject({
      exit: { cause: 'oom', reason: 'host_oom_killed', line: 'OOMKilled, limit 2.0 GiB, peak 2.0 GiB', neededBytes: 2.5 * 2 ** 30 },
      permanent: false,
    });
    expect(setsOf(told)).toEqual([{ 'resources.memory': '2560MiB' }]);
  });

  it.each([
    ['counted', 'oom_kill 1\n', 'sure'],
    ['at the limit and not counted', 'oom_kill 0\n', 'likely'],
  ])('the control group of a process that was killed: %s', async (_, events, confidence) => {
    await writeFile(join(directory, 'memory.events'), events);
    await writeFile(join(directory, 'memory.max'), `${2 ** 31}\n`);
    await writeFile(join(directory, 'memory.peak'), `${2 ** 31 - 4096}\n`);
    const { exit } = await observe('', { signal: 'SIGKILL' }, { record: { memoryGroup: directory } });
    expect(exit).toMatchObject({ cause: 'oom', diagnosis: { cause: 'host_oom_killed', confidence } });
  });

  it.each([
    ['its main process', 'Out of memory: Killed process 1001 (vllm) total-vm:1kB', 'host_oom_killed'],
    ['a process that its log names', 'Memory cgroup out of memory: Killed process 4711 (VLLM::EngineCor)', 'host_oom_killed'],
    ['somebody else', 'Out of memory: Killed process 99 (firefox)', 'engine_dead_runtime'],
  ])('the log of the kernel, which has ended %s', async (_, kernel, cause) => {
    const text = `INFO: Application startup complete.\n${dead}`;
    const { exit } = await observe(text, { code: 1 }, { kernel, state: { readyAt: 'then' } });
    expect(exit.diagnosis?.cause).toBe(cause);
  });

  it('a fault of the GPU: one that needs a hand wins over any line, another one only over what follows from it', async () => {
    const fault = (xid: number, remedy: 'program' | 'reboot') => ({ fault: { xid, remedy, busId: '', line: `NVRM: Xid (…): ${xid}` } });
    const served = { state: { readyAt: 'then' } };
    const gone = await observe(cudaLine, { code: 1 }, { ...served, gpu: fault(79, 'reboot') });
    expect(gone).toMatchObject({
      exit: { cause: 'gpu', reason: 'xid-79', line: 'NVRM: Xid (…): 79', diagnosis: { cause: 'gpu_lost_xid', permanent: true } },
      permanent: true,
    });
    const [known, symptom] = [
      await observe(cudaLine, { code: 1 }, { ...served, gpu: fault(31, 'program') }),
      await observe(dead, { code: 1 }, { ...served, gpu: fault(31, 'program') }),
    ];
    expect(known.exit.reason).toBe('cuda_oom_runtime');
    expect(symptom).toMatchObject({ exit: { cause: 'gpu', reason: 'xid-31' }, permanent: false });
    expect((await observe(dead, { code: 1 }, { ...served, gpu: { gone: true } })).exit.diagnosis).toMatchObject({ cause: 'gpu_lost_xid' });
  });

  it('what became of a flag that its version does not know any more', async () => {
    const text = 'vllm: error: unrecognized arguments: --cuda-graph-sizes 4\n';
    const args = ['--cuda-graph-sizes', '4'];
    const without = await observe(text, { code: 2 }, { args });
    const flagsOf = () => readKnownFlags('0.32.0', createTestContext(directory).places);
    const told = await observe(text, { code: 2 }, { args, flagsOf });
    expect(JSON.stringify(without.exit)).not.toContain('cudagraph-capture-sizes');
    expect(JSON.stringify(told.exit.diagnosis?.remedies?.[0])).toContain('cudagraph-capture-sizes');
  });
});

describe('a launch that we ended', () => {
  const ended = (cause: string): Partial<State> => ({
    ending: { is: 'failure', exit: { cause, at: '' }, permanent: false },
    phaseAt: '2025-12-31T23:50:00.000Z',
  });

  it.each([
    ['hung while it served', { ...ended('stall'), readyAt: 'then' }, [], 'request_timeout_hang'],
    [
      'hung while its GPUs looked for each other',
      { ...ended('start-stall'), phase: 'engine' as const },
      ['--tensor-parallel-size', '2'],
      'nccl_failure',
    ],
    ['hung in the same phase alone', { ...ended('start-stall'), phase: 'engine' as const }, [], 'request_timeout_hang'],
    ['got no byte of its model', { ...ended('download-stall'), phase: 'downloading' as const }, [], 'hub_unreachable'],
    ['was not ready in time, and tells nothing', ended('gate'), [], undefined],
  ])('because it %s', async (_, state, args, reason) => {
    const { exit, permanent } = await observe('', { signal: 'SIGKILL' }, { state, args });
    expect({ reason: exit.reason, permanent }).toEqual({ reason, permanent: false });
  });

  it('because somebody asked for it is no failure', async () => {
    const { exit } = await observe(dead, { signal: 'SIGKILL' }, { state: { ending: { is: 'down' } } });
    expect(exit.diagnosis).toBeUndefined();
  });
});
