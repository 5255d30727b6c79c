import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { say } from '../../src/core/message.ts';
import { toPlaces } from '../../src/host/environment.ts';
import { parseCpuList } from '../../src/plan/cpu-list.ts';
import { type FactsContext, isCached, observeFacts } from '../../src/plan/facts.ts';
import { l4, load } from './stand-ins.ts';

let root = '';
let server: Server | undefined;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'facts-'));
});
afterEach(async () => {
  await new Promise<void>((done) => (server ? server.close(() => done()) : done()));
  server = undefined;
  await rm(root, { recursive: true, force: true });
});

async function listen(): Promise<number> {
  const opened = createServer();
  server = opened;
  await new Promise<void>((done) => opened.listen(0, '127.0.0.1', done));
  return (opened.address() as AddressInfo).port;
}

async function observe(name: string, ...sets: readonly string[]) {
  const profile = await load(name, ...sets);
  const backend = name === 'demo' ? 'simulator' : 'process';
  return observeFacts(profile, { places: toPlaces({ QWEN_DEPLOY_HOME: root }), env: { PATH: '/nowhere', HOME: root }, backend });
}

describe('observeFacts', () => {
  it('names the process that holds the port, and a port that is free', async () => {
    const port = await listen();
    const { port: found } = await observe('demo', `server.port=${port}`);
    expect(found).toMatchObject({ is: 'taken', owner: { pid: process.pid, command: expect.stringContaining('node') } });
    expect(found.is === 'taken' && found.free).not.toBe(port);
  });

  it('finds a free port free, and knows foreign addresses', async () => {
    const port = await listen();
    await new Promise<void>((done) => server?.close(() => done()));
    server = undefined;
    expect((await observe('demo', `server.port=${port}`)).port).toEqual({ is: 'free' });
    expect((await observe('demo', 'server.host=192.0.2.1')).port).toEqual({ is: 'bad-address' });
  });

  it('knows its CPUs and its memory', async () => {
    const { cpus, memoryTotalBytes } = await observe('demo');
    expect(cpus.length).toBeGreaterThan(0);
    expect(memoryTotalBytes).toBeGreaterThan(2 ** 28);
  });

  it('asks for GPUs only where a profile needs them', async () => {
    expect((await observe('tiny')).gpus).toBeUndefined();
    expect((await observe('demo')).gpus).toBeUndefined();
    expect((await observe('int4')).gpus).toBeDefined();
  });

  it('looks for the CPUs near the GPUs only where a profile wants them', async () => {
    const busId = '00000000:3B:00.0';
    const device = join(root, 'sys/bus/pci/devices/0000:3b:00.0');
    await mkdir(device, { recursive: true });
    await writeFile(join(device, 'numa_node'), '1\n');
    await writeFile(join(device, 'local_cpulist'), '8-15\n');
    const present = { is: 'present', gpus: [{ ...l4, busId }] } as const;
    const context = {
      places: toPlaces({ QWEN_DEPLOY_HOME: root }),
      env: { PATH: '/nowhere', HOME: root },
      backend: 'process',
      root,
    } as const;
    const ask = async (cpus: string, more: Pick<FactsContext, 'gpus' | 'assumed'>) =>
      (await observeFacts(await load('int4', `resources.cpus=${cpus}`), { ...context, ...more })).cpuPlaces;
    expect(await ask('auto', { gpus: async () => present })).toEqual({ gpus: [{ busId, node: 1, cpus: '8-15' }] });
    expect(await ask('all', { gpus: async () => present })).toBeUndefined();
    expect(await ask('0', { gpus: async () => present })).toBeUndefined();
    expect(await ask('auto', { assumed: present })).toBeUndefined();
    expect(await ask('auto', { gpus: async () => ({ is: 'absent', evidence: say('gpu.no-smi') }) })).toBeUndefined();
  });

  it.each([
    ['nothing', undefined, 'plan.does-not-exist'],
    ['a file', 'file', 'plan.not-a-directory'],
    ['a directory without a model', 'empty', 'plan.no-config-json'],
    ['a model', 'model', undefined],
  ])('looks at a local model: %s', async (_, what, problem) => {
    const path = join(root, 'm');
    if (what === 'file') await writeFile(path, '');
    if (what === 'empty' || what === 'model') await mkdir(path);
    if (what === 'model') await writeFile(join(path, 'config.json'), '{}');
    const { model } = await observe('tiny', `model=${path}`);
    expect(model.is === 'local' && model.problem?.id).toBe(problem);
  });

  it('reads the version of a named program from its environment, and whether Python may write there', async () => {
    const packages = join(root, 'venv/lib/python3.11/site-packages');
    await mkdir(join(packages, 'vllm-0.32.0+cpu.dist-info'), { recursive: true });
    await mkdir(join(root, 'venv/bin'));
    const program = join(root, 'venv/bin/vllm');
    await writeFile(join(root, 'venv/bin/python'), '#!/bin/sh\n');
    await writeFile(program, `#!${join(root, 'venv/bin/python')}\n`);
    for (const name of ['python', 'vllm']) await chmod(join(root, 'venv/bin', name), 0o755);
    const { executable } = await observe('tiny', `engine.executable=${program}`);
    expect(executable).toEqual({ asked: 'profile', path: program, version: '0.32.0', variant: 'cpu', writable: true });
  });

  it('says what is wrong with a named program', async () => {
    expect((await observe('tiny', 'engine.executable=/nowhere/vllm')).executable).toMatchObject({
      asked: 'profile',
      problem: { id: 'engine.program-absent' },
    });
    expect((await observe('tiny', 'engine.executable=vllm')).executable).toMatchObject({ problem: { id: 'plan.not-on-path' } });
    expect((await observe('tiny')).executable).toBeUndefined();
  });
});

describe('isCached', () => {
  it.each([
    ['HF_HUB_CACHE', (at: string) => ({ HF_HUB_CACHE: at }), ''],
    ['HF_HOME', (at: string) => ({ HF_HOME: at }), 'hub'],
    ['XDG_CACHE_HOME', (at: string) => ({ XDG_CACHE_HOME: at }), 'huggingface/hub'],
    ['HOME', (at: string) => ({ HOME: at }), '.cache/huggingface/hub'],
  ])('finds whole weights below %s', async (_, env, below) => {
    const snapshot = join(root, below, 'models--Qwen--Qwen3-0.6B/snapshots/abc');
    await mkdir(snapshot, { recursive: true });
    await writeFile(join(snapshot, 'config.json'), '{}');
    expect(await isCached('Qwen/Qwen3-0.6B', env(root))).toBe(false);
    await writeFile(join(snapshot, 'model.safetensors'), '');
    expect(await isCached('Qwen/Qwen3-0.6B', env(root))).toBe(true);
    expect(await isCached('Qwen/Qwen3-4B', env(root))).toBe(false);
  });
});

describe('parseCpuList', () => {
  it.each([
    ['0', [0]],
    ['0-3,6', [0, 1, 2, 3, 6]],
    ['5-2', []],
  ])('%s', (text, cpus) => {
    expect(parseCpuList(text)).toEqual(cpus);
  });
});
