/** Plays scenarios one after the other on one stage; what each took goes into its report (scripts/proof-supervisor.mjs). */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { untilNothingIsLeft } from '../scenarios/sandbox.ts';
import { ensureStopped, findLeftovers, openStage, type Stage, startMs } from './stage.ts';
import type { Scenario } from './supervision.ts';

export function playAll(scenarios: readonly Scenario[], sets: readonly string[]): void {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage(sets);
  });
  afterAll(() => stage.box.dispose());

  for (const { name, play } of scenarios) {
    // A start before it, a fault, and a start after it.
    it(name, { timeout: 2 * startMs + 60_000 }, async ({ task }) => {
      const { times, leftovers } = await play(stage);
      Object.assign(task.meta, { times, leftovers });
      const figures = Object.entries(times).map(([what, ms]) => `${what} ${(ms / 1000).toFixed(1)} s`);
      process.stdout.write(`${name}: ${figures.join(', ')}\n`);
      expect(leftovers).toEqual([]);
    });
  }

  it('nothing is left of any launch, supervisors included', { timeout: 120_000 }, async ({ task }) => {
    await ensureStopped(stage);
    await untilNothingIsLeft(stage.box);
    const leftovers = await Promise.all([...stage.launches.values()].map((launch) => findLeftovers(stage, launch)));
    Object.assign(task.meta, { leftovers: leftovers.flat() });
    expect(leftovers.flat()).toEqual([]);
  });
}
