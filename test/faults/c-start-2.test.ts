/** Starts that fail: what is tried again, what is not, and what is said. */
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DeploymentEvent } from '../../src/core/event.ts';
import { eventually, isPortOpen, toUpArgs, untilNothingIsLeft } from '../scenarios/sandbox.ts';
import { findEvent, openKit, quick } from './kit.ts';

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
    expect(findEvent(events, 'exited')).toMatchObject({ exit: { diagnosis: 'port_in_use' } });
    expect(count(events, 'backoff')).toBeGreaterThan(0);
    expect(findEvent(events, 'preflight-failed')).toMatchObject({ code: 'runtime/port-taken' });
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
    expect(count(await kit.events(), 'preflight-failed')).toBeGreaterThanOrEqual(2);
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

  it('C13 with a weight file that was cut: failed at once, and nothing is deleted', async () => {
    const result = await kit.tryUp(
      dying('safetensors_rust.SafetensorError: Error while deserializing header: incomplete metadata, file not fully covered'),
      ...quick,
    );
    expect(result.code).toBe(5);
    expect(await kit.status()).toMatchObject({ state: 'failed', lastExit: { diagnosis: 'corrupted_checkpoint' } });
    expect(count(await kit.events(), 'launched')).toBe(1);
    expect(result.stdout + result.stderr).toContain('SafetensorError');
  });
});

async function makeDirectory(name: string): Promise<string> {
  const path = join(kit.box.home, name);
  await mkdir(path);
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

  it('C9 that refuses (401, 403): failed at once, and the token is printed nowhere', async () => {
    const token = 'hf_aVerySecretToken0123456789abcdef';
    kit.box.env.HF_TOKEN = token;
    const faults = JSON.stringify({ exit: 'loading:1', stderr: `${gated}\n`, printSecrets: true });
    const result = await kit.tryUp(faults, 'engine.env.HF_TOKEN=env:HF_TOKEN', ...quick);
    const events = await kit.events();
    expect(result.code, result.stderr + result.stdout).toBe(5);
    expect(count(events, 'launched')).toBe(1);
    expect(await kit.status()).toMatchObject({ state: 'failed', lastExit: { diagnosis: 'model_gated_or_auth' } });
    const shown = [result.stdout, result.stderr, JSON.stringify(events), (await kit.box.cli('logs', 'tiny')).stdout].join('\n');
    expect(shown).not.toContain(token);
  });

  it('C9 that cannot be reached or is busy: tried again', async () => {
    const sets = [...quick, 'restart.max-failures=5'].flatMap((set) => ['--set', set]);
    expect((await kit.box.cli(...toUpArgs(kit.port, dying(away), '--no-wait', ...sets))).code).toBe(0);
    const seen = await kit.until(({ restarts }) => restarts.total >= 2);
    expect(seen.state).not.toBe('failed');
    expect(seen.lastExit).toMatchObject({ diagnosis: 'hub_unreachable' });
  });
});

describe('what is short', { timeout }, () => {
  it('C11 disk while the model is fetched: failed with the disk as cause, what was fetched stays', async () => {
    const cache = await makeDirectory('models');
    await writeFile(join(cache, 'part.incomplete'), 'half');
    const result = await kit.tryUp(dying('OSError: [Errno 28] No space left on device'), ...quick);
    expect(result.code).toBe(5);
    expect(await kit.status()).toMatchObject({ state: 'failed', lastExit: { diagnosis: 'disk_full' } });
    expect(count(await kit.events(), 'launched')).toBe(1);
  });

  it('C12 memory for the KV cache: failed by the second time, with the figures', async () => {
    const line =
      'ValueError: To serve at least one request with the model’s max seq len (40960), 4.38 GiB KV cache is needed, which is larger than the available KV cache memory (1.20 GiB).';
    const result = await kit.tryUp(dying(line, 'kv-cache'), ...quick);
    expect(result.code).toBe(5);
    expect(await kit.status()).toMatchObject({ state: 'failed', lastExit: { diagnosis: 'kv_cache_too_small' } });
    expect(count(await kit.events(), 'launched')).toBeLessThanOrEqual(2);
    expect(result.stdout + result.stderr).toContain('4.38 GiB');
  });

  it.each([
    ['C16 /dev/shm', 'RuntimeError: unable to write to file </torch_1_2>: No space left on device (28)'],
    ['C17 a whole compile cache', 'RuntimeError: cannot load the compiled graph: pickle data was truncated'],
  ])('%s: the same twice is enough, and its line is shown', async (_, line) => {
    const result = await kit.tryUp(dying(line, 'compiling'), ...quick, 'vllm.enforce-eager=false');
    expect(result.code).toBe(5);
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
  it.each(['configuring', 'engine', 'loading', 'kv-cache', 'warming'])('C15 at %s: stopped in time, nothing left', async (phase) => {
    const silent = JSON.stringify({ phase: `${phase}:silent` });
    await kit.box.cli(...toUpArgs(kit.port, silent, '--no-wait'));
    await eventually(kit.events, (events) => findEvent(events, 'launched') !== undefined);
    const startedAt = performance.now();
    expect((await kit.box.cli('down')).code).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(20_000);
    await untilNothingIsLeft(kit.box);
    expect(await kit.status()).toMatchObject({ state: 'stopped' });
  });
});
