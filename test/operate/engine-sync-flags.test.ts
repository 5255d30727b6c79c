import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeMarker } from '../../src/engine/installed.ts';
import { tryLock } from '../../src/host/lock.ts';
import { readEngineList } from '../../src/operate/engine-list.ts';
import { syncFlags } from '../../src/operate/engine-sync-flags.ts';
import { ensureFlags } from '../../src/operate/ensure-flags.ts';
import { prepareUp } from '../../src/operate/prepare-up.ts';
import { toErrorText } from '../../src/text/render.ts';
import { makeDump } from '../vllm-room/make-dump.ts';
import { createTestContext, type TestContext } from './context.ts';

let home: string;
let context: TestContext;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'qd-sync-'));
  await chmod(home, 0o700);
  context = createTestContext(home);
});
afterEach(() => rm(home, { recursive: true }));

/** An environment whose Python, given a script and a file, writes a dump there; and what an installer would have left. */
async function install(version: string, { answers = makeDump(version) as unknown, ends = 0, variant = 'cpu' as 'cpu' | 'gpu' } = {}) {
  const directory = join(home, 'data/engines', `${variant}-${version}`);
  const bin = join(directory, 'venv/bin');
  await mkdir(bin, { recursive: true });
  await mkdir(join(directory, `venv/lib/python3.11/site-packages/vllm-${version}.dist-info`), { recursive: true });
  const answer = join(directory, 'answer.json');
  await writeFile(answer, typeof answers === 'string' ? answers : JSON.stringify(answers));
  const lines = ['#!/bin/sh', `echo "$1" >> ${directory}/asked`, `cp ${answer} "$2"`, 'echo "ValueError: no parser" >&2', `exit ${ends}`];
  await writeFile(join(bin, 'python'), lines.join('\n'), { mode: 0o755 });
  await writeFile(join(bin, 'vllm'), `#!${bin}/python\n`, { mode: 0o755 });
  const about = { torch: '2', pythonVersion: '3.11.9', installedAt: '2026-01-02T03:04:05.678Z', sizeBytes: 1, bytecode: true };
  await writeMarker(directory, { variant, version, ...about });
  const asked = async () => (await readFile(join(directory, 'asked'), 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
  return { program: join(bin, 'vllm'), python: join(bin, 'python'), asked };
}

const readOwn = async (version: string) => JSON.parse(await readFile(join(home, `data/flags/${version}.json`), 'utf8'));

async function refusal(request: Parameters<typeof syncFlags>[0]) {
  const error = await syncFlags(request, context).catch((reason: unknown) => reason);
  return toErrorText(error as Parameters<typeof toErrorText>[0]).message;
}

describe('syncFlags', () => {
  it('reads every engine that nobody knows, once', async () => {
    const engine = await install('0.40.0');
    await install('0.32.0');
    const { catalogues } = await syncFlags({}, context);
    expect(catalogues).toMatchObject([
      {
        engineVersion: '0.40.0',
        flags: 6,
        path: join(home, 'data/flags/0.40.0.json'),
        before: { version: '0.33.0', added: ['enable-x', 'nested-config', 'odd', 'some-device'] },
      },
    ]);
    expect(await readOwn('0.40.0')).toMatchObject({ schema: 1, version: '0.40.0', flags: { 'max-num-seqs': { depends: true } } });
    expect(context.words()).toEqual(['engine.flags-reading']);
    expect((await engine.asked()).map((path) => path.split('/').slice(-2).join('/'))).toEqual(['scripts/dump-flags.py']);
    expect(await syncFlags({}, context)).toMatchObject({ catalogues: [] });
    expect((await readEngineList(context)).engines.map(({ id, flags }) => [id, flags])).toEqual([
      ['cpu-0.40.0', 'read'],
      ['cpu-0.32.0', 'shipped'],
    ]);
    expect((await readdir(join(home, 'data/flags'))).sort()).toEqual(['0.40.0.json', 'lock']);
  });

  it('reads both engines of a version once', async () => {
    const [cpu, gpu] = [await install('0.40.0'), await install('0.40.0', { variant: 'gpu' })];
    expect((await syncFlags({}, context)).catalogues).toHaveLength(1);
    expect([...(await cpu.asked()), ...(await gpu.asked())]).toHaveLength(1);
  });

  it('reads a known one again when it is named', async () => {
    const engine = await install('0.32.0');
    expect((await syncFlags({ version: '0.32.0' }, context)).catalogues).toMatchObject([{ engineVersion: '0.32.0', flags: 6 }]);
    await syncFlags({ version: '0.32.0' }, context);
    expect(await engine.asked()).toHaveLength(2);
  });

  it("takes somebody else's vllm, and a build for its release", async () => {
    const { program, python } = await install('0.40.0.post1', { answers: makeDump('0.40.0.post1') });
    expect((await syncFlags({ executable: program }, context)).catalogues).toMatchObject([{ engineVersion: '0.40.0', python }]);
    expect(await refusal({ executable: program, version: '0.41.0' })).toContain('is vLLM 0.40.0.post1, but the profile asks for 0.41.0');
    expect(await refusal({ executable: '/bin/true' })).toContain('/bin/true: it does not tell');
    expect(await refusal({ executable: join(home, 'nothing') })).toContain('does not exist');
  });

  it('says what there is nothing of', async () => {
    expect(await refusal({})).toBe('No engine is installed here, so there are no settings to read.');
    expect(await refusal({ version: '0.40.0' })).toBe('vLLM 0.40.0 is not installed here, so its settings cannot be read.');
  });

  it.each<[string, Parameters<typeof install>[1], string]>([
    ['fails', { ends: 1 }, 'ValueError: no parser'],
    ['answers nonsense', { answers: 'Hello' }, 'what it answered is no list of its settings'],
    ['is another version', { answers: makeDump('0.39.0') }, 'vLLM 0.39.0 was installed instead of 0.40.0'],
  ])('writes nothing when the engine %s', async (_, habits, problem) => {
    await install('0.40.0', habits);
    expect(await refusal({ version: '0.40.0' })).toContain(problem);
    expect(await readdir(join(home, 'data/flags'))).toEqual(['lock']);
  });

  it('waits for another one that reads', async () => {
    await install('0.40.0');
    await mkdir(join(home, 'data/flags'), { recursive: true, mode: 0o700 });
    const lock = await tryLock(join(home, 'data/flags/lock'));
    const synced = syncFlags({}, context);
    while (!context.words().includes('engine.flags-waiting')) await new Promise((resolve) => setTimeout(resolve, 5));
    await lock?.release();
    expect((await synced).catalogues).toHaveLength(1);
    expect(context.words()).toEqual(['engine.flags-waiting', 'engine.flags-reading']);
  });
});

describe('the first use of an engine', () => {
  const managed = (program: string, installed = true) => ({ kind: 'managed', variant: 'cpu', program, installed }) as const;

  it('reads what nobody knows, and only once', async () => {
    const engine = await install('0.40.0');
    expect(await ensureFlags({ version: '0.40.0', source: managed(engine.program) }, context)).toBe(true);
    expect(await ensureFlags({ version: '0.40.0', source: managed(engine.program) }, context)).toBe(false);
    expect(await engine.asked()).toHaveLength(1);
    expect(await readOwn('0.40.0')).toMatchObject({ version: '0.40.0' });
  });

  it('leaves alone what is known, not there, or no engine', async () => {
    const engine = await install('0.32.0');
    expect(await ensureFlags({ version: '0.32.0', source: managed(engine.program) }, context)).toBe(false);
    expect(await ensureFlags({ version: '0.40.0', source: managed('/nowhere/vllm', false) }, context)).toBe(false);
    expect(await ensureFlags({ version: 'simulated', source: { kind: 'simulator' } }, context)).toBe(false);
    expect(await engine.asked()).toEqual([]);
    expect(context.words()).toEqual([]);
  });

  it('goes on with an engine that does not tell', async () => {
    const { program } = await install('0.40.0', { ends: 1 });
    expect(await ensureFlags({ version: '0.40.0', source: { kind: 'executable', program } }, context)).toBe(false);
    expect(context.words()).toEqual(['engine.flags-reading', 'engine.flags-failed']);
  });

  it('happens on the way up: what an older catalogue could not know is refused then', async () => {
    const { program } = await install('0.40.0');
    const text = `model: Qwen/Qwen3-0.6B
engine: {variant: cpu, version: "0.40.0", executable: ${program}}
resources: {gpus: none}
server: {port: 8197}
vllm: {such-setting: 1}
`;
    await writeFile(join(home, 'mine.yaml'), text);
    const error: unknown = await prepareUp({ profile: './mine.yaml', sets: [], install: false }, context).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({
      code: 'profile/invalid',
      findings: expect.arrayContaining([
        expect.objectContaining({ code: 'profile/unknown-flag', path: 'vllm.such-setting', severity: 'error' }),
      ]),
    });
    expect(context.words()).toEqual(['engine.flags-reading']);
  });
});
