/** Starts that fail: what is tried again, what is not, and what is said. */
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DeploymentEvent } from '../../src/core/event.ts';
import { openHub } from '../host/fake-hub.ts';
import { eventually, isPortOpen, toUpArgs, untilNothingIsLeft } from '../scenarios/sandbox.ts';
import { findEvent, openKit, quick } from './kit.ts';
import { runApart } from './machine.ts';

const kit = openKit();
const timeout = 60_000;

const count = (events: readonly DeploymentEvent[], type: DeploymentEvent['type']) => events.filter((event) => event.type === type).length;
/** An engine that says this in its log and exits while it loads. */
const dying = (stderr: string, phase = 'loading') => JSON.stringify({ exit: `${phase}:1`, stderr: `${stderr}\n` });

describe('a port', { timeout }, () => {
  it('C6 that is taken between the check and the bind: tried again, then failed with its name; the stranger is not touched', async () => {
    const starting = kit.tryUp('startDelay=4s', ...quick);
    await eventually(kit.events, (events) => findEvent(events, 'launched') !== undefined);
    const stranger = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve, reject) => stranger.once('error', reject).listen(kit.port, '127.0.0.1', resolve));
    const result = await starting;
    expect(result.code).toBe(4);
    const events = await kit.events();
    expect(findEvent(events, 'exited')).toMatchObject({ exit: { reason: 'port_in_use' } });
    expect(count(events, 'backoff')).toBeGreaterThan(0);
    expect(findEvent(events, 'preflight-failed')).toMatchObject({ code: 'runtime/port-taken' });
    expect(JSON.stringify(findEvent(events, 'preflight-failed'))).toContain(String(process.pid));
    expect((await kit.status()).state).toBe('failed');
    expect(result.stderr + result.stdout).toContain(String(kit.port));
    expect(await isPortOpen(kit.port)).toBe(true);
    await new Promise((resolve) => stranger.close(resolve));
  });

  it('C5 held by a stranger when it is to start again: tried again, then failed; nothing of the stranger’s is touched', async () => {
    const first = await kit.up('startDelay=2s', 'restart.first-delay=1s', 'stop.drain=1s');
    await kit.setFaults({ exitNow: 1 });
    const stranger = createServer((socket) => socket.destroy());
    const take = () =>
      new Promise<boolean>((resolve) => {
        stranger.once('error', () => resolve(false));
        stranger.listen(kit.port, '127.0.0.1', () => resolve(true));
      });
    await eventually(take, (taken) => taken, 10_000);
    const failed = await kit.until(({ state }) => state === 'failed', 30_000);
    expect(failed.run).toBeGreaterThan(first.run);
    // The death before counts as a failure too, so that two or three tries are left.
    const events = await kit.events();
    expect(count(events, 'preflight-failed')).toBeGreaterThanOrEqual(2);
    expect(JSON.stringify(findEvent(events, 'preflight-failed'))).toContain(String(process.pid));
    expect(await isPortOpen(kit.port)).toBe(true);
    await new Promise((resolve) => stranger.close(resolve));
  });
});

describe('a model', { timeout }, () => {
  it.each([
    ['that is not there', async () => join(kit.box.home, 'nowhere')],
    ['whose directory is empty', () => makeDirectory('empty')],
    ['whose path is a file', () => makeFile('model')],
  ])('C8 %s: refused before anything starts', async (_, make) => {
    const path = await make();
    const result = await kit.tryUp('', `model=${path}`);
    expect([3, 4]).toContain(result.code);
    expect(result.stdout + result.stderr).toContain(path);
    expect((await kit.box.cli('status', 'tiny')).code).toBe(6);
    await untilNothingIsLeft(kit.box);
  });

  it('C8 that may not be read: refused before anything starts', async () => {
    const path = await makeDirectory('locked');
    await writeFile(join(path, 'config.json'), '{}');
    await chmod(path, 0o000);
    // Root reads everything, unless it may not.
    const prefix = ['setpriv', '--bounding-set', '-dac_override,-dac_read_search', '--inh-caps', '-dac_override,-dac_read_search'];
    const result = await runApart(kit.box, { prepare: ':', prefix }, ...toUpArgs(kit.port, '', '--set', `model=${path}`));
    await chmod(path, 0o700);
    expect([3, 4], result.stdout + result.stderr).toContain(result.code);
    expect(result.stdout + result.stderr).toContain(path);
    expect((await kit.box.cli('status', 'tiny')).code).toBe(6);
    await untilNothingIsLeft(kit.box);
  });

  it('C13 with a weight file that was cut: failed at once, and nothing is deleted', async () => {
    const result = await kit.tryUp(
      dying('safetensors_rust.SafetensorError: Error while deserializing header: incomplete metadata, file not fully covered'),
      ...quick,
    );
    expect(result.code).toBe(5);
    expect(await kit.status()).toMatchObject({ state: 'failed', lastExit: { reason: 'corrupted_checkpoint' } });
    expect(count(await kit.events(), 'launched')).toBe(1);
    expect(result.stdout + result.stderr).toContain('SafetensorError');
  });
});

async function makeDirectory(name: string): Promise<string> {
  const path = join(kit.box.home, name);
  await mkdir(path, { recursive: true });
  return path;
}

async function makeFile(name: string): Promise<string> {
  const path = join(kit.box.home, name);
  await writeFile(path, '');
  return path;
}

describe('the model hub', { timeout }, () => {
  const gated = 'huggingface_hub.errors.GatedRepoError: 401 Client Error. Cannot access gated repo for url https://hub/api/models/x.';
  const away = "OSError: We couldn't connect to 'https://hub' to load the files, and couldn't find them in the cached files.";
  const unknown = "OSError: Qwen/None is not a local folder and is not a valid model identifier listed on 'https://hub/models'";
  const toHttpError = (text: string) => `huggingface_hub.errors.HfHubHTTPError: ${text} for url: https://hub/api/models/x`;

  it('C9 that refuses (401, 403): failed at once, and the token is printed nowhere', async () => {
    const token = 'hf_aVerySecretToken0123456789abcdef';
    kit.box.env.HF_TOKEN = token;
    const faults = JSON.stringify({ exit: 'loading:1', stderr: `${gated}\n`, printSecrets: true });
    const result = await kit.tryUp(faults, 'engine.env.HF_TOKEN=env:HF_TOKEN', ...quick);
    const events = await kit.events();
    expect(result.code, result.stderr + result.stdout).toBe(5);
    expect(count(events, 'launched')).toBe(1);
    expect(await kit.status()).toMatchObject({ state: 'failed', lastExit: { reason: 'model_gated_or_auth' } });
    const shown = [result.stdout, result.stderr, JSON.stringify(events), (await kit.box.cli('logs', 'tiny')).stdout].join('\n');
    expect(shown).not.toContain(token);
  });

  it('C9 that knows no such model (404): failed at once', async () => {
    const result = await kit.tryUp(dying(unknown), ...quick);
    expect(result.code, result.stderr + result.stdout).toBe(5);
    expect(count(await kit.events(), 'launched')).toBe(1);
    expect(await kit.status()).toMatchObject({ state: 'failed', lastExit: { reason: 'model_not_found' } });
  });

  it.each([
    ['cannot be reached', away],
    ['is asked too often (429)', toHttpError('429 Client Error: Too Many Requests')],
    ['is down (503)', toHttpError('503 Server Error: Service Unavailable')],
  ])('C9 that %s: tried again', async (_, line) => {
    const sets = [...quick, 'restart.max-failures=5'].flatMap((set) => ['--set', set]);
    expect((await kit.box.cli(...toUpArgs(kit.port, dying(line), '--no-wait', ...sets))).code).toBe(0);
    const seen = await kit.until(({ restarts }) => restarts.total >= 2);
    expect(seen.state).not.toBe('failed');
    expect(seen.lastExit).toMatchObject({ reason: 'hub_unreachable' });
  });
});

describe('what is short', { timeout }, () => {
  it('C11 disk while the model is fetched: failed with the disk as cause, what was fetched stays', async () => {
    kit.box.env.HF_HOME = join(kit.box.home, 'hf');
    kit.box.env.HF_ENDPOINT = await openHub(200);
    const blobs = await makeDirectory('hf/hub/models--Qwen--Qwen3-4B/blobs');
    await writeFile(join(blobs, '0815.incomplete'), 'half');
    const hub = ['model.source=hub', 'model.id=Qwen/Qwen3-4B', 'served-names=[Qwen3-0.6B]'];
    const full = JSON.stringify({ download: '200ms', exit: 'loading:1', stderr: 'OSError: [Errno 28] No space left on device\n' });
    const result = await kit.tryUp(full, ...quick, ...hub);
    expect(result.code, result.stderr + result.stdout).toBe(5);
    expect(await kit.status()).toMatchObject({ state: 'failed', lastExit: { reason: 'disk_full' } });
    expect(count(await kit.events(), 'launched')).toBe(1);
    expect(await readFile(join(blobs, '0815.incomplete'), 'utf8')).toBe('half');
    expect((await readdir(blobs)).length).toBeGreaterThan(1);
  });

  it('C12 memory for the KV cache: failed by the second time, with the figures', async () => {
    const line =
      'ValueError: To serve at least one request with the model’s max seq len (40960), 4.38 GiB KV cache is needed, which is larger than the available KV cache memory (1.20 GiB).';
    const result = await kit.tryUp(dying(line, 'kv-cache'), ...quick);
    expect(result.code).toBe(5);
    expect(await kit.status()).toMatchObject({ state: 'failed', lastExit: { reason: 'kv_cache_too_small' } });
    expect(count(await kit.events(), 'launched')).toBeLessThanOrEqual(2);
    expect(result.stdout + result.stderr).toContain('4.38 GiB');
  });

  it.each([
    [
      'C16 /dev/shm',
      'engine/shared-memory',
      'RuntimeError: unable to write to file </torch_1_2>: No space left on device (28)',
      '--shm-size',
    ],
    ['C17 a whole compile cache', 'engine/compile-cache', '_pickle.UnpicklingError: pickle data was truncated', 'torch_compile_cache'],
  ])('%s: the same twice is enough; its line is shown, and what helps (%s)', async (_, code, line, help) => {
    const result = await kit.tryUp(dying(line, 'kv-cache'), ...quick, 'vllm.enforce-eager=false');
    expect(result.code).toBe(5);
    expect(result.json()).toMatchObject({ code, hint: expect.stringContaining(help) });
    expect((await kit.status()).state).toBe('failed');
    expect(count(await kit.events(), 'launched')).toBeLessThanOrEqual(2);
    expect(result.stdout + result.stderr).toContain(line.slice(0, 40));
  });
});

describe('many at once', { timeout }, () => {
  it('C14 ten starts of one deployment: one launch, all end ready', async () => {
    const args = toUpArgs(kit.port, 'phase=loading:1s', '-o', 'json');
    const results = await Promise.all(Array.from({ length: 10 }, () => kit.box.cli(...args)));
    expect(results.map(({ code }) => code)).toEqual(results.map(() => 0));
    expect(count(await kit.events(), 'launched')).toBe(1);
    expect(await kit.find('VLLM::EngineCore')).toHaveLength(1);
  });
});

describe('a stop while it starts', { timeout }, () => {
  // It stands still before it speaks of the phase: the one before it is what is seen.
  it.each([
    ['configuring', undefined],
    ['engine', 'configuring'],
    ['loading', 'engine'],
    ['kv-cache', 'loading'],
    ['warming', 'kv-cache'],
  ])('C15 at %s: stopped in time, nothing left', async (phase, last) => {
    const silent = JSON.stringify({ phase: `${phase}:silent` });
    await kit.box.cli(...toUpArgs(kit.port, silent, '--no-wait'));
    await eventually(kit.events, (events) =>
      events.some((event) => (last === undefined ? event.type === 'launched' : event.type === 'phase' && event.phase === last)),
    );
    const startedAt = performance.now();
    expect((await kit.box.cli('down')).code).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(20_000);
    await untilNothingIsLeft(kit.box);
    expect(await kit.status()).toMatchObject({ state: 'stopped' });
  });
});
