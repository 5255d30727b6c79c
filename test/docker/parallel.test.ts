import { afterAll, beforeAll, expect, it } from 'vitest';
import { startNetworkedEngine, type TestEngine } from './engine.ts';
import { importStandIn } from './images.ts';
import { playPairs } from './pairs.ts';

const image = 'qwen-deploy-stand-in:v0.32.0';
const pairs = 20;
let engine: TestEngine;

beforeAll(async () => {
  engine = await startNetworkedEngine();
  await importStandIn(engine, image);
});
afterAll(() => engine?.stop());

it(`${pairs} pairs of up and down at once leave no container, no volume and no network`, { timeout: 240_000 }, async () => {
  const { problems, ran } = await playPairs(engine, image, pairs);
  expect(problems).toEqual([]);
  expect(ran).toBe(pairs);
});
