import { expect, it } from 'vitest';
import { runUnoptimized } from '../../src/host/optimizer.ts';

it('hands on what the work gives, or throws', async () => {
  expect(await runUnoptimized(async () => 42)).toBe(42);
  await expect(runUnoptimized(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
});
