/** What src/runtime/runtime.ts promises, as cases that every runtime is put through unchanged. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from 'vitest';
import { adoptionCases } from './adoption-cases.ts';
import type { Case } from './case.ts';
import { endingCases } from './ending-cases.ts';
import { type Kit, openKit, patienceMs } from './kit.ts';
import { orderCases } from './order-cases.ts';
import { abilities, type Stage, type StageName } from './stage.ts';

export const cases: readonly Case[] = [...orderCases, ...endingCases, ...adoptionCases];

export function listCases(name: StageName): readonly Case[] {
  return cases.filter(({ needs }) => needs.every((ability) => abilities[name].includes(ability)));
}

export function describeRuntime(name: StageName, makeStage: () => Promise<Stage>): void {
  describe(`the runtime of ${name}`, () => {
    let stage: Stage | undefined;
    let kit: Kit | undefined;
    beforeAll(async () => {
      stage = await makeStage();
    }, 4 * patienceMs);
    afterAll(() => stage?.dispose(), 2 * patienceMs);
    beforeEach(() => {
      if (stage === undefined) throw new Error('the stage was not made');
      kit = openKit(stage);
    });
    afterEach(() => kit?.end(), 2 * patienceMs);

    for (const { promises, play } of listCases(name)) {
      it(promises, { timeout: 3 * patienceMs }, async () => {
        if (kit === undefined) throw new Error('the case was not prepared');
        await play(kit);
      });
    }
  });
}
