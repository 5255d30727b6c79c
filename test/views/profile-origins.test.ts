import { expect, test } from 'vitest';
import { say } from '../../src/core/message.ts';
import type { Profile } from '../../src/profile/profile.ts';
import { toExplained, toOriginDocuments } from '../../src/views/profile-origins.ts';

const place = (file: string, line: number) => ({ from: 'profile', file, line, column: 1 }) as const;
const profile = {
  source: 'mine.yaml',
  origins: {
    model: place('mine.yaml', 1),
    'resources.gpus': place('base.yaml', 2),
    'served-names': { ...place('mine.yaml', 3), onto: [place('base.yaml', 4), { from: 'set', text: 'x' } as const] },
  },
} as Pick<Profile, 'source' | 'origins'> as Profile;
const settings = [
  { path: 'model.id', value: 'a' },
  { path: 'served-names', value: '["a"]' },
  { path: 'resources.gpus', value: 'auto' },
  { path: 'server.port', value: '8000' },
  { path: 'thinking', value: 'request' },
];
const decisions = [
  { setting: 'model', value: 'a', from: 'profile', reason: say('plan.written') },
  { setting: 'resources.gpus', value: ['0: L4', '1: L4'], from: 'environment', reason: say('plan.gpus-environment') },
  { setting: 'server.port', value: 8000, from: 'default', reason: say('plan.default-port') },
  { setting: 'argv.program', value: '/bin/vllm', from: 'engine', reason: say('plan.engine-executable') },
  { setting: 'argv.max-num-seqs', value: 4, from: 'machine', reason: say('plan.written') },
  { setting: 'env.A', value: '1', from: 'model', reason: say('plan.offline') },
];

test('each value with where it comes from, and what a plan adds below', () => {
  expect(toExplained(profile, settings, decisions)).toEqual([
    { path: 'model.id', value: 'a', from: 'mine.yaml:1' },
    { path: 'served-names', value: '["a"]', from: 'base.yaml:4 (parent) + --set + mine.yaml:3' },
    { path: 'resources.gpus', value: 'auto → 0: L4, 1: L4', from: 'base.yaml:2 (parent); environment: allowed by CUDA_VISIBLE_DEVICES' },
    { path: 'server.port', value: '8000', from: "default: vLLM's usual port" },
    { path: 'thinking', value: 'request', from: 'default' },
    { path: 'engine.executable', value: '/bin/vllm', from: 'engine: named by engine.executable' },
    { path: 'vllm.max-num-seqs', value: '4', from: 'machine: as the profile says' },
    { path: 'engine.env.A', value: '1', from: 'model: everything is on this machine; the hub is not asked' },
  ]);
});

test('the same as data', () => {
  expect(toOriginDocuments(profile, settings, decisions)).toMatchObject({
    model: { from: 'profile', file: 'mine.yaml', line: 1 },
    'model.id': { from: 'profile', file: 'mine.yaml', line: 1 },
    'resources.gpus': { from: 'profile', file: 'base.yaml', inherited: true, decided: { from: 'environment', value: ['0: L4', '1: L4'] } },
    'server.port': { from: 'default', value: 8000, reason: "vLLM's usual port" },
    thinking: { from: 'default' },
    'vllm.max-num-seqs': { from: 'machine', value: 4 },
  });
});
