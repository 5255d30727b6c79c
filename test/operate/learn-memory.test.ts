import { chmod, copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { learnMemory } from '../../src/operate/learn-memory.ts';
import { type MadePlan, makePlans } from '../../src/operate/plan.ts';
import { toCalibrationDirectory } from '../../src/plan/memory/calibration.ts';
import type { State } from '../../src/supervisor/state.ts';
import { makeRecord, makeState } from '../supervisor/make.ts';
import { createTestContext, type TestContext } from './context.ts';

/** Of an L4: the fields that are asked for, and those that came later. */
const smi = `#!/bin/bash
case "$1" in
  *compute_cap*) printf 'index, uuid, compute_cap, memory.reserved [MiB]\\n0, GPU-1, 8.9, 444 MiB\\n' ;;
  *index,uuid,name*) printf '%s\\n' "\${1#--query-gpu=}" | sed 's/,/, /g'
    fields=$(tr ',' ' ' <<< "\${1#--query-gpu=}"); row=''
    for field in $fields; do
      case "$field" in
        index) value=0 ;; uuid) value=GPU-1 ;; name) value='NVIDIA L4' ;; driver_version) value=580.95.05 ;;
        memory.total) value='23034 MiB' ;; memory.used) value='200 MiB' ;; memory.free) value='22390 MiB' ;;
        *) value='[N/A]' ;;
      esac
      row="\${row:+$row, }$value"
    done
    printf '%s\\n' "$row" ;;
  *) exit 1 ;;
esac
`;

let home: string;
let context: TestContext;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'qd-learn-'));
  await mkdir(join(home, 'bin'));
  await writeFile(join(home, 'bin/nvidia-smi'), smi);
  await chmod(join(home, 'bin/nvidia-smi'), 0o755);
  await copyFile(new URL('../fixtures/memory/start-0.32-gpu.log', import.meta.url), join(home, 'engine.log'));
  const env = { PATH: `${join(home, 'bin')}:${process.env.PATH}`, HOME: home, QWEN_DEPLOY_HOME: home };
  context = createTestContext(home, { env });
});
afterEach(async () => rm(home, { recursive: true, force: true }));

async function plan(profileRef: string, ...sets: readonly string[]): Promise<MadePlan> {
  return (await makePlans({ profileRef, sets }, context)).first;
}

async function makeReady(profileRef: string, sets: readonly string[] = [], learned: readonly string[] = sets): Promise<State> {
  const { spec } = await plan(profileRef, ...sets);
  const wanted = { profile: profileRef, spec, source: { ref: profileRef, sets: learned } };
  return makeState({ name: profileRef, life: 'ready', wanted, launch: { ...makeRecord(1), logFile: join(home, 'engine.log') } });
}

it('keeps what a start said, and the next plan says so', async () => {
  expect((await plan('int4')).plan.memory).toMatchObject({ gpu: 'GPU 0 (NVIDIA L4)', source: 'formula', fits: 'yes' });
  expect(await learnMemory(await makeReady('int4'), context)).toBeDefined();
  expect(await readdir(toCalibrationDirectory(context.places))).toHaveLength(1);

  const { memory } = (await plan('int4')).plan;
  expect(memory).toMatchObject({ source: 'calibrated', fits: 'yes' });
  expect(Math.round(((memory?.kvBytes ?? 0) / 2 ** 30) * 100)).toBe(1542);
  expect((await plan('int4', 'vllm.max-num-seqs=64')).plan.memory?.source).toBe('formula');
  expect((await plan('int4', 'engine.version="0.31.0"')).plan.memory?.source).toBe('formula');
  expect((await plan('int8')).plan.memory?.source).toBe('formula');
});

it('goes on without a file that is damaged', async () => {
  await learnMemory(await makeReady('int4'), context);
  const directory = toCalibrationDirectory(context.places);
  const [file = ''] = await readdir(directory);
  await writeFile(join(directory, file), '{"key": "cut');
  await mkdir(join(directory, 'strange.json'));
  expect((await plan('int4')).plan.memory?.source).toBe('formula');
  await learnMemory(await makeReady('int4'), context);
  expect((await plan('int4')).plan.memory?.source).toBe('calibrated');
});

it.each<[string, () => Promise<State>]>([
  ['a simulated engine', () => makeReady('demo')],
  ['an engine on the CPU', () => makeReady('tiny')],
  ['a profile that has changed since', () => makeReady('int4', [], ['vllm.max-num-seqs=64'])],
  [
    'a profile that is gone',
    async () => ({
      ...(await makeReady('int4')),
      wanted: { ...(await makeReady('int4')).wanted, source: { ref: './gone.yaml', sets: [] } },
    }),
  ],
  [
    'a log that is gone',
    async () => {
      const state = await makeReady('int4');
      await rm(join(home, 'engine.log'));
      return state;
    },
  ],
])('keeps nothing of %s', async (_, make) => {
  expect(await learnMemory(await make(), context)).toBeUndefined();
  await expect(readdir(toCalibrationDirectory(context.places))).rejects.toThrow('ENOENT');
});
