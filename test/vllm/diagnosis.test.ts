/**
 * Recorded failures of vLLM played again by vLLM itself, those that come early in a start: the cause is named, and two of
 * them go on, by `up --fix`, to an engine that answers. All of them: `npm run proof:diagnosis`.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cases } from '../../scripts/proof/diagnosis/cases.ts';
import type { Change } from '../../scripts/proof/diagnosis/cures.ts';
import { type Expected, mendCase, playCase } from '../../scripts/proof/diagnosis/play.ts';
import { openStage, type Scene, type Stage } from '../../scripts/proof/diagnosis/stage.ts';
import recorded from '../fixtures/failures/captures.json' with { type: 'json' };
import { engineHome } from './engine-home.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage(engineHome);
});
afterAll(() => stage.box.dispose());

interface Played {
  readonly name: string;
  readonly cured?: Change;
}

const played: readonly Played[] = [
  // A change names a switch without its `no-`.
  { name: 'bad-unknown-flag', cured: { because: 'unknown_argument', changed: ['vllm.such-flag'] } },
  { name: 'bad-max-model-len-too-large', cured: { because: 'max_model_len_exceeds_model', changed: ['vllm.max-model-len'] } },
  { name: 'bad-tool-call-parser' },
  { name: 'bad-port-in-use' },
];

it.each(played)('$name', async ({ name, cured }) => {
  const one = cases.find((known) => known.name === name);
  const expected: Expected | undefined = recorded.find(({ log }) => log === name);
  if (one === undefined || expected === undefined) throw new Error(`${name} is not known`);
  const then = cured && ((scene: Scene) => mendCase(stage, scene, cured));
  expect(await playCase(stage, one, { expected, ...(then ? { then } : {}) })).toMatchObject({ problems: [] });
});
