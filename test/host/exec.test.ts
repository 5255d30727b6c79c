/** Programs that do not end when they should. */
import { expect, it } from 'vitest';
import { runBriefly } from '../../src/host/exec.ts';

it('settles by its time, whoever still holds its output', async () => {
  const began = performance.now();
  // Its child lives on, with the same output: whoever waits for the end of that waits for the child.
  const result = await runBriefly('sh', ['-c', 'trap "" TERM; sleep 6 & wait; sleep 6'], { timeoutMs: 100 });
  expect(result).toMatchObject({ code: undefined, problem: 'ETIMEDOUT' });
  expect(performance.now() - began).toBeLessThan(3000);
});

it('gives the result of one that ends in time', async () => {
  expect(await runBriefly('sh', ['-c', 'echo well; exit 3'], { timeoutMs: 5000 })).toMatchObject({ code: 3, stdout: 'well' });
});
