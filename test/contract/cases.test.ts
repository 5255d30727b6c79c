import { expect, it } from 'vitest';
import { cases, listCases } from './runtime-contract.ts';
import { abilities } from './stage.ts';

const stages = ['simulator', 'process', 'docker', 'podman'] as const;

it('has no case that no runtime is put through', () => {
  const played = new Set(stages.flatMap(listCases));
  expect(cases.filter((one) => !played.has(one)).map(({ promises }) => promises)).toEqual([]);
});

it('has no ability that no case asks for, and no case twice', () => {
  const needed = new Set(cases.flatMap(({ needs }) => needs));
  expect(
    Object.values(abilities)
      .flat()
      .filter((ability) => !needed.has(ability)),
  ).toEqual([]);
  expect(new Set(cases.map(({ promises }) => promises)).size).toBe(cases.length);
});

it('asks most of what it asks of every runtime', () => {
  for (const stage of stages) expect([stage, listCases(stage).length > cases.length / 2]).toEqual([stage, true]);
});
