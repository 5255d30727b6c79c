/** The invariants of the reducer in seeded random walks: what is checked, and how, is in world.ts. */
import { expect, it } from 'vitest';
import { walk } from './world.ts';

const steps = 400;
const seeds = Number(process.env.WALK_SEEDS ?? 150);

it(`${seeds} walks of ${steps} steps break no invariant and always drain`, () => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= seeds; seed += 1) {
    for (const life of walk(seed, steps)) seen.add(life);
  }
  expect([...seen].sort()).toEqual([
    'backoff',
    'crashloop',
    'degraded',
    'draining',
    'failed',
    'killing',
    'planning a step',
    'preflight',
    'ready',
    'reclaiming',
    'recovering',
    'starting',
    'stopped',
    'stopping',
    'unhealthy',
    'unkillable',
    'unknown',
  ]);
});
