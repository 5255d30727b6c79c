/** What a step would start, and why it may not: against profiles in a home of their own, without an engine. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Remedy } from '../../src/core/finding.ts';
import type { Message } from '../../src/core/message.ts';
import { planFallback } from '../../src/operate/fallback.ts';
import { prepareUp } from '../../src/operate/prepare-up.ts';
import { fallBack } from '../../src/supervisor/reduce/fallback.ts';
import type { Deployable, State } from '../../src/supervisor/state.ts';
import { makeState } from '../supervisor/make.ts';
import { createTestContext, type TestContext } from './context.ts';

let home: string;
let context: TestContext;
let notes: Message[];
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'qd-fallback-'));
  context = createTestContext(home);
  notes = [];
});
afterEach(() => rm(home, { recursive: true, force: true }));

async function prepare(text: string, sets: readonly string[] = []): Promise<Deployable> {
  await writeFile(join(home, 'mine.yaml'), `extends: demo\n${text}`);
  const { first } = await prepareUp(
    { profile: './mine.yaml', name: 'mine', sets: ['server.port=18123', ...sets], install: false },
    context,
  );
  return first.wanted;
}

/** As it waits for the plan of its first step. */
function toPlanning(wanted: Deployable, cause = 'kv_cache_too_small', remedies: readonly Remedy[] = []): State {
  const diagnosis = {
    cause,
    title: { id: 'cause.unknown', params: {} },
    permanent: true,
    confidence: 'sure',
    evidence: [],
    remedies,
  } as const;
  const exit = { cause: 'exit', at: '', diagnosis };
  const state = makeState({ name: 'mine', desired: 'up', life: 'reclaiming', wanted });
  return fallBack(state, { exit, moment: { wallMs: 0, random: 0 } })?.[0] ?? state;
}

const plan = (state: State) => planFallback(state, { ...context, onNote: (note) => notes.push(note) });
const toLength = (length: number): Remedy => ({ text: { id: 'cure.length', params: { length } }, set: { 'vllm.max-model-len': length } });

it('has the length that the diagnosis gives, in whole blocks, on top of what was set, and says so', async () => {
  const wanted = await prepare('vllm: {max-model-len: 32768}\nfallback: [{vllm: {max-model-len: estimated}}]\n', ['vllm.max-num-seqs=3']);
  const next = await plan(toPlanning(wanted, 'kv_cache_too_small', [toLength(8199)]));
  expect(next?.spec.args.join(' ')).toMatch(/--max-model-len[ =]8192/);
  expect(next?.spec.args.join(' ')).toMatch(/--max-num-seqs[ =]3/);
  expect(next).toMatchObject({
    profile: 'mine',
    fallback: wanted.fallback,
    source: {
      asked: ['server.port=18123', 'vllm.max-num-seqs=3'],
      sets: ['server.port=18123', 'vllm.max-num-seqs=3', 'vllm.max-model-len=8192'],
      fixes: [
        {
          set: { 'vllm.max-model-len': 8192 },
          cause: 'kv_cache_too_small',
          by: 'fallback',
          step: 'vllm.max-model-len=estimated',
          changes: [{ path: 'vllm.max-model-len', from: '32768', to: '8192' }],
        },
      ],
    },
  });
  expect(notes).toEqual([]);
});

it.each<[string, string, string]>([
  ['without a length in the diagnosis', 'fallback: [{vllm: {max-model-len: estimated}}]', 'the log does not say'],
  ['what is so already', 'vllm: {max-num-seqs: 8}\nfallback: [{vllm: {max-num-seqs: 8}}]', 'changes nothing'],
  ['an engine that is not installed', 'fallback: [{engine: {backend: process}, vllm: {max-num-seqs: 8}}]', 'is not installed'],
])('is refused %s, with a note', async (_, text, why) => {
  const { toText } = await import('../../src/text/render.ts');
  expect(await plan(toPlanning(await prepare(`${text}\n`)))).toBeUndefined();
  expect(notes.map((note) => toText(note))).toEqual([expect.stringContaining(why)]);
});

it('is refused when the profile is broken by then', async () => {
  const state = toPlanning(await prepare('fallback: [{vllm: {max-num-seqs: 3}}]\n'));
  await writeFile(join(home, 'mine.yaml'), 'extends: demo\nvllm: {max-model-len: many}\n');
  expect(await plan(state)).toBeUndefined();
  expect(notes).toMatchObject([{ id: 'life.fallback-refused', params: { step: 'vllm.max-num-seqs=3' } }]);
});

it('goes by the same names with another model', async () => {
  const wanted = await prepare('model: Qwen/Qwen3-8B\nserved-names: null\nfallback: [{model: Qwen/Qwen3-0.6B}]\n');
  const next = await plan(toPlanning(wanted, 'cuda_oom_weights'));
  expect(next?.spec.servedNames).toEqual(['Qwen/Qwen3-8B']);
  expect(next?.spec.args).toContain('Qwen/Qwen3-0.6B');
});

it('is that of the replica whose engine failed', async () => {
  const text = 'replicas: 2\nfallback: [{vllm: {max-num-seqs: 3}}]\n';
  await writeFile(join(home, 'mine.yaml'), `extends: demo\n${text}`);
  const { members } = await prepareUp({ profile: './mine.yaml', name: 'mine', sets: ['server.port=18123'], install: false }, context);
  const [, second] = members;
  if (second === undefined) throw new Error('there are two');
  const next = await plan({ ...toPlanning(second.wanted), name: second.name });
  expect(next).toMatchObject({ spec: { endpoint: { port: 18_124 } }, source: { member: { group: 'mine', replica: 2 } } });
});

it('is nothing when none is asked for', async () => {
  expect(await plan(makeState({ wanted: await prepare('fallback: [{vllm: {max-num-seqs: 3}}]\n') }))).toBeUndefined();
});
