import { expect, it } from 'vitest';
import { reduce } from '../../src/supervisor/reduce/reduce.ts';
import { toDeployment } from '../../src/supervisor/state.ts';
import { toText } from '../../src/text/render.ts';
import { makeRecord, makeState } from './make.ts';

const moment = { wallMs: Date.parse('2026-01-01T00:00:00Z'), random: 0 };
const problems = {
  memoryCapProblem: 'unlimited',
  swapProblem: '4.0 GiB',
  pidsCapProblem: '601',
  nofileProblem: '1024',
  cpusProblem: '0-6',
  gpusProblem: 'GPU-1',
};
const codes = ['memory', 'swap', 'pids', 'nofile', 'cpus', 'gpus'].map((what) => `launch/${what}-not-held`);

it('what does not hold of a launch is told once, as it happens, and by status for as long as it runs', () => {
  const starting = makeState({ life: 'starting', desired: 'up', run: 1, launch: makeRecord(1) });
  const launched = { type: 'launched', run: 1, record: { ...makeRecord(1), ...problems } } as const;
  const [state, effects] = reduce(starting, launched, moment);
  const notes = effects.flatMap((effect) => (effect.do === 'emit' && effect.event.type === 'note' ? [toText(effect.event.note)] : []));
  expect(notes.map((note) => Object.values(problems).filter((problem) => note.includes(problem)))).toEqual(
    Object.values(problems).map((problem) => [problem]),
  );
  const findings = (life: typeof state.life) => toDeployment({ ...state, life }, moment).findings?.map(({ code }) => code);
  expect([findings('starting'), findings('ready')]).toEqual([codes, codes]);
  expect(findings('stopped')).toBeUndefined();
});
