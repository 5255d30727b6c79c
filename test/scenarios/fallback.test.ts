/**
 * Steps of `fallback` against an engine that says no as vLLM does: `up` ends ready with what the ladder made of it,
 * `status` and `events` name the change and its cause, nothing is taken that cannot cure, and commands win meanwhile.
 */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { DeploymentEvent } from '../../src/core/event.ts';
import type { Deployment } from '../../src/supervisor/deployment.ts';
import { eachInSandbox, eventually, fakeVllm, type Sandbox, untilNothingIsLeft } from './sandbox.ts';

let box: Sandbox;
let port: number;
eachInSandbox((made) => {
  ({ box, port } = made);
});

const timeout = 60_000;

interface Case {
  /** What the stand-in does not start with. */
  readonly refuse: string;
  readonly vllm: string;
  readonly fallback: string;
}

async function put({ refuse, vllm, fallback }: Case): Promise<string> {
  const faults = JSON.stringify({ refuse: refuse.split('+') });
  const lines = [
    'extends: tiny',
    `server: { port: ${port} }`,
    'restart: { first-delay: 100ms }',
    `engine: { executable: ${fakeVllm}, env: { FAKE_VLLM: '${faults}' } }`,
    `vllm: { ${vllm} }`,
    `fallback: ${fallback}`,
  ];
  const file = join(box.home, 'mine.yaml');
  await writeFile(file, `${lines.join('\n')}\n`);
  return file;
}

const up = (file: string, ...more: string[]) => box.cli('up', '-p', file, ...more, '-o', 'json');
const status = async () => (await box.cli('status', 'mine', '-o', 'json')).json<Deployment>();
const events = async () => (await box.cli('events', 'mine', '-o', 'json')).json<{ events: readonly DeploymentEvent[] }>().events;
const steps = async () => (await events()).flatMap((event) => (event.type === 'fell-back' ? [[event.step, event.because]] : []));

const tooLong = { refuse: 'kv-cache:8192', vllm: 'max-model-len: 32768' };
const toEstimate = '{ vllm: { max-model-len: estimated } }';

describe('a start that fails for a cause that a step may cure', () => {
  it('goes on with the length that vLLM says there is room for; up waits for it, and reset undoes it', { timeout }, async () => {
    const file = await put({ ...tooLong, fallback: `[${toEstimate}]` });
    const result = await up(file);
    expect(result.code, result.stderr).toBe(0);
    const running = [{ path: 'vllm.max-model-len', from: '32768', to: '8192', because: 'kv_cache_too_small' }];
    expect(result.json()).toMatchObject({ state: 'ready', run: 2, running });
    const [fell] = (await events()).filter(({ type }) => type === 'fell-back');
    expect(fell).toMatchObject({
      step: 'vllm.max-model-len=estimated',
      changes: [{ path: 'vllm.max-model-len', from: '32768', to: '8192' }],
      because: 'kv_cache_too_small',
    });
    expect((await events()).map(({ type }) => type)).not.toContain('failed');
    const shown = await box.cli('status', 'mine');
    expect(shown.stdout).toMatch(/vllm\.max-model-len 8192 instead of 32768, because kv_cache_too_small/);
    expect((await box.cli('events', 'mine')).stdout).toMatch(
      /falls back to vllm\.max-model-len=estimated \(vllm\.max-model-len 8192 instead/,
    );
    expect((await status()).configDrift).toBe(false);
    // The same again, asked for by name and by restart.
    expect((await up(file)).json()).toMatchObject({ run: 2, running });
    expect((await box.cli('restart', 'mine', '-o', 'json')).json()).toMatchObject({ state: 'ready', run: 3, running });
    const reset = await box.cli('restart', 'mine', '--reset', '--no-wait', '-o', 'json');
    expect(reset.code, reset.stderr).toBe(0);
    expect(reset.json<Deployment>().running).toBeUndefined();
    expect((await box.cli('down', 'mine', '--force')).code).toBe(0);
    expect(await untilNothingIsLeft(box)).toEqual([]);
  });

  it('goes on to the next step when one does not help, and leaves out what cannot cure it', { timeout }, async () => {
    const fallback = `[{ vllm: { kv-cache-dtype: fp8 } }, { vllm: { dtype: float32 } }, ${toEstimate}]`;
    const result = await up(await put({ ...tooLong, fallback }));
    expect(result.code, result.stderr).toBe(0);
    expect(await steps()).toEqual([
      ['vllm.kv-cache-dtype=fp8', 'kv_cache_too_small'],
      ['vllm.max-model-len=estimated', 'kv_cache_too_small'],
    ]);
    const paths = (result.json<Deployment>().running ?? []).map(({ path }) => path);
    expect(paths.toSorted()).toEqual(['vllm.kv-cache-dtype', 'vllm.max-model-len']);
  });

  it('takes another profile in its place, at the same address and by the same names', { timeout }, async () => {
    await writeFile(join(box.home, 'small.yaml'), `extends: tiny\nengine: { executable: ${fakeVllm} }\nvllm: { max-model-len: 2048 }\n`);
    const file = await put({ ...tooLong, fallback: '[{ profile: ./small.yaml }]' });
    const result = await up(file);
    expect(result.code, result.stderr).toBe(0);
    expect(result.json()).toMatchObject({ state: 'ready', profile: 'mine', port, running: expect.any(Array) });
    expect(result.json<Deployment>().running).toContainEqual({
      path: 'vllm.max-model-len',
      from: '32768',
      to: '2048',
      because: 'kv_cache_too_small',
    });
    expect((await status()).configDrift).toBe(false);
  });
});

describe('it fails as it would have', () => {
  it('when no step can cure the cause', { timeout }, async () => {
    const result = await up(
      await put({ refuse: 'model-length:4096', vllm: 'max-model-len: 8192', fallback: '[{ vllm: { max-num-seqs: 8 } }]' }),
    );
    expect(result.code).toBe(5);
    expect(result.json()).toMatchObject({ diagnosis: { cause: 'max_model_len_exceeds_model' } });
    expect(await steps()).toEqual([]);
    expect((await status()).state).toBe('failed');
  });

  it('when every step was taken, each once; and another up does not begin anew', { timeout }, async () => {
    const file = await put({ ...tooLong, fallback: '[{ vllm: { max-num-seqs: 3 } }, { vllm: { kv-cache-dtype: fp8 } }]' });
    const result = await up(file);
    expect(result.code).toBe(5);
    expect(result.json()).toMatchObject({ diagnosis: { cause: 'kv_cache_too_small', remedies: expect.any(Array) } });
    expect((await steps()).map(([step]) => step)).toEqual(['vllm.max-num-seqs=3', 'vllm.kv-cache-dtype=fp8']);
    const failed = (await events()).findLast(({ type }) => type === 'failed');
    expect(failed).toMatchObject({ exit: { diagnosis: { cause: 'kv_cache_too_small', remedies: expect.any(Array) } } });
    expect((await up(file)).code).toBe(5);
    expect(await steps()).toHaveLength(2);
  });

  it('when a step would be refused here: that is said, and the next one is taken', { timeout }, async () => {
    const file = await put({
      ...tooLong,
      fallback: `[{ engine: { version: 0.31.0 } , vllm: { max-num-seqs: 8 } }, { profile: ./gone.yaml }, ${toEstimate}]`,
    });
    await writeFile(join(box.home, 'gone.yaml'), `extends: tiny\nengine: { executable: ${box.home}/no-such-program }\n`);
    const result = await up(file, '--no-wait');
    expect(result.code, result.stderr).toBe(0);
    const ready = await eventually(status, ({ state }) => state === 'ready', 40_000);
    expect(ready.running).toContainEqual(expect.objectContaining({ path: 'vllm.max-model-len', to: '8192' }));
    expect((await box.cli('events', 'mine')).stdout).toContain('cannot fall back to');
    expect((await steps()).map(([step]) => step)).not.toContain(join(box.home, 'gone.yaml'));
  });
});

describe('while a step is planned', () => {
  beforeEach(async () => {
    // A machine that takes its time to tell of its GPUs.
    const bin = join(box.home, 'bin');
    await mkdir(bin);
    await writeFile(join(bin, 'nvidia-smi'), '#!/bin/sh\nsleep 4\nexit 1\n');
    await chmod(join(bin, 'nvidia-smi'), 0o755);
    box.env.PATH = `${bin}:${box.env.PATH}`;
    await writeFile(
      join(box.home, 'gpu.yaml'),
      `extends: tiny\nengine: { variant: gpu, executable: ${fakeVllm} }\nresources: { gpus: auto }\n`,
    );
  });
  const slowly = () => put({ ...tooLong, fallback: `[{ profile: ./gpu.yaml }, ${toEstimate}]` });
  const untilPlanning = () => eventually(status, ({ state, lastExit }) => state === 'backoff' && lastExit !== undefined, 20_000);

  it('down wins', { timeout }, async () => {
    expect((await up(await slowly(), '--no-wait')).code).toBe(0);
    await untilPlanning();
    const result = await box.cli('down', 'mine', '-o', 'json');
    expect(result.code, result.stderr).toBe(0);
    expect(result.json()).toMatchObject({ state: 'stopped' });
    expect(await untilNothingIsLeft(box)).toEqual([]);
    expect(await steps()).toEqual([]);
  });

  it('so does up with something else', { timeout }, async () => {
    const file = await slowly();
    expect((await up(file, '--no-wait')).code).toBe(0);
    await untilPlanning();
    const result = await up(file, '--set', 'vllm.max-model-len=1024', '--yes');
    expect(result.code, result.stderr).toBe(0);
    expect(result.json()).toMatchObject({ state: 'ready', run: 2 });
    expect(result.json<Deployment>().running).toBeUndefined();
    expect(await steps()).toEqual([]);
  });
});

it('a supervisor that is killed while it plans is followed by one that plans again', { timeout }, async () => {
  const file = await put({ ...tooLong, fallback: `[${toEstimate}]` });
  box.env.QD_CRASH_AT = 'after:plan-fallback#1';
  expect((await up(file, '--no-wait')).code).toBe(0);
  await eventually(status, ({ state, supervised }) => state === 'backoff' && !supervised, 20_000);
  delete box.env.QD_CRASH_AT;
  const next = box.start('supervise', 'mine');
  const ready = await eventually(status, ({ state }) => state === 'ready', 30_000);
  expect(ready).toMatchObject({ run: 2, running: [{ path: 'vllm.max-model-len', to: '8192' }] });
  expect(await steps()).toEqual([['vllm.max-model-len=estimated', 'kv_cache_too_small']]);
  expect((await box.cli('down', 'mine')).code).toBe(0);
  await next.result;
});
