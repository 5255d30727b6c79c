import { expect, it } from 'vitest';
import { checkReturn } from '../../src/plan/adapt.ts';
import { checkPlanRules } from '../../src/plan/rules/index.ts';
import { makeSpec } from '../supervisor/make.ts';
import { l4, load, machine } from './stand-ins.ts';

const adapt = (when: string) => `adapt={when: {${when}}, steps: [low-memory]}`;
const codesOf = (findings: readonly { readonly code: string }[]) =>
  findings.map(({ code }) => code).filter((code) => code.includes('adapt'));

it('a limit that is measured on GPUs needs one', async () => {
  const profile = await load('int4', adapt('gpu-memory: 97%, gpu-temperature: 88, cpu: 95%'));
  const none = { ...machine, gpus: { is: 'absent', evidence: { id: 'gpu.no-smi', params: {} } } } as const;
  const found = checkPlanRules(profile, none).filter(({ code }) => code === 'plan/adapt-no-gpu');
  expect(found.map(({ path }) => path)).toEqual(['adapt.when.gpu-memory', 'adapt.when.gpu-temperature']);
  expect(codesOf(checkPlanRules(profile, { ...machine, gpus: { is: 'present', gpus: [l4] } }))).toEqual([]);
  // Signs of one that does not answer now are no proof that there is none.
  const silent = { ...machine, gpus: { is: 'silent', signs: [], evidence: { id: 'gpu.no-smi', params: {} } } } as const;
  expect(codesOf(checkPlanRules(profile, silent))).toEqual([]);
  const cpu = { ...profile, engine: { ...profile.engine, variant: 'cpu' as const } };
  expect(codesOf(checkPlanRules(cpu, machine))).toEqual(['plan/adapt-no-gpu', 'plan/adapt-no-gpu']);
});

it.each([
  ['gpu-memory: 97%', '0.92', ['plan/adapt-hardly-back']],
  ['gpu-memory: 97%', '0.7', []],
  ['host-memory: 92%', '0.92', []],
])('the way back of %s from a step with a share of %s', async (when, share, expected) => {
  const base = await load('int4', adapt(when));
  const profile = await load('low-memory');
  const spec = makeSpec({ args: ['serve', 'm', '--gpu-memory-utilization', share] });
  expect(codesOf(checkReturn(base, [{ profile, spec }]))).toEqual(expected);
});
