/** H13: the disk of a Docker engine is full. Its data lie on a small file system of the test's own. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { installImage } from '../../src/operate/install-image.ts';
import { toErrorText } from '../../src/text/render.ts';
import { createTestContext } from '../operate/context.ts';
import { eventually } from '../scenarios/sandbox.ts';
import { startEngine, startNetworkedEngine, type TestEngine } from './engine.ts';
import { image, openRow, type Row } from './h-rows.ts';
import { importStandIn } from './images.ts';
import { toError } from './refusal.ts';
import { startRegistry, type TestRegistry, toConfig, toDigest, toTar } from './registry.ts';

const run = promisify(execFile);
const mebibyte = 2 ** 20;
let home: string;
let engine: TestEngine | undefined;
let registry: TestRegistry | undefined;
let row: Row | undefined;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'qd-disk-'));
});
afterEach(async () => {
  await row?.box.dispose();
  await registry?.stop();
  await engine?.stop();
  [engine, registry, row] = [undefined, undefined, undefined];
  await rm(home, { recursive: true, force: true });
});

const toData = ({ socket }: TestEngine) => join(dirname(socket), 'data');

/** Below the directory of the engine, whose guard unmounts what is there, however a test ends. */
async function limitDisk(started: TestEngine, sizeBytes: number): Promise<TestEngine> {
  engine = started;
  await started.halt();
  await run('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes}`, 'tmpfs', toData(started)]);
  await started.resume();
  return started;
}

const growDisk = (started: TestEngine, sizeBytes: number) => run('mount', ['-o', `remount,size=${sizeBytes}`, toData(started)]);

async function readFree(started: TestEngine): Promise<number> {
  const { bavail, bsize } = await statfs(toData(started));
  return bavail * bsize;
}

const contextOf = ({ env }: TestEngine) => createTestContext(home, { env: { ...env, HOME: home } });

describe('a Docker engine whose disk is full', () => {
  it('H13: says how much an archive has and how much is free, keeps nothing of it, and takes it when there is room', async () => {
    const small = await limitDisk(await startEngine(), 64 * mebibyte);
    const file = join(home, 'image.tar');
    await saveImage(file, 80 * mebibyte);
    const free = await readFree(small);
    const error = await toError(installImage({ from: file }, contextOf(small)));
    expect(error).toMatchObject({ code: 'docker/no-room', exitStatus: 4 });
    expect(toErrorText(error).message).toMatch(/free; .*image\.tar has 80\.\d MiB/);
    expect(toErrorText(error).message).toContain(toData(small));
    expect(toErrorText(error).hint).toMatch(/docker system df.*docker image prune/);
    expect((await small.docker('images', '--all', '--quiet')).trim()).toBe('');
    await eventually(
      () => readFree(small),
      (now) => free - now < mebibyte,
    );
    await growDisk(small, 400 * mebibyte);
    expect(await installImage({ from: file }, contextOf(small))).toMatchObject({ how: 'loaded', images: [{ reference: 'qd-big:v1' }] });
  });

  it('H13: says the same of what a registry sends', async () => {
    const small = await limitDisk(await startEngine(), 64 * mebibyte);
    registry = await startRegistry();
    const { reference } = registry.put('qwen/big', { layers: [randomBytes(48 * mebibyte)] });
    const free = await readFree(small);
    const error = await toError(installImage({ reference }, contextOf(small)));
    expect(error).toMatchObject({ code: 'docker/no-room', params: { what: reference, needed: expect.stringMatching(/^48\.\d MiB$/) } });
    expect((await small.docker('images', '--all', '--quiet')).trim()).toBe('');
    await eventually(
      () => readFree(small),
      (now) => free - now < mebibyte,
    );
    await growDisk(small, 400 * mebibyte);
    expect(await installImage({ reference }, contextOf(small))).toMatchObject({ how: 'pulled' });
  });

  it('H13: starts no container; up says why, leaves nothing, and it is served when there is room', async () => {
    const small = await limitDisk(await startNetworkedEngine(), 400 * mebibyte);
    await importStandIn(small, image);
    row = await openRow(small);
    const fill = join(toData(small), 'fill');
    await run('fallocate', ['-l', String(await readFree(small)), fill]);
    const refused = await row.up();
    expect(refused.code).toBe(4);
    expect(refused.stderr).toMatch(/no space left on device \(docker\/disk-full\)\n.*docker system df.*docker image prune/);
    expect(await row.status()).toMatchObject({ desired: 'up', lastExit: { cause: 'launch', reason: 'docker/disk-full' } });
    expect((await row.box.cli('events')).stdout).toContain('could not be launched (docker/disk-full)');
    expect(await row.list()).toEqual([]);
    await rm(fill);
    expect((await row.up()).code).toBe(0);
    expect((await row.list()).length).toBe(1);
  });
});

/** As `docker save` writes one: a layer of random bytes. */
async function saveImage(file: string, sizeBytes: number): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'qd-archive-'));
  try {
    const layer = toTar('weights', randomBytes(sizeBytes));
    const config = JSON.stringify(toConfig(process.arch === 'arm64' ? 'arm64' : 'amd64', [toDigest(layer)]));
    await writeFile(join(work, 'layer.tar'), layer);
    await writeFile(join(work, 'config.json'), config);
    await writeFile(
      join(work, 'manifest.json'),
      JSON.stringify([{ Config: 'config.json', RepoTags: ['qd-big:v1'], Layers: ['layer.tar'] }]),
    );
    await run('tar', ['-C', work, '-cf', file, 'manifest.json', 'config.json', 'layer.tar']);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
