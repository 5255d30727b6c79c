import { defineConfig } from 'vitest/config';

/**
 * The fault matrix (docs/faults.md) against the built program: the quick half, and with FAULTS=all what takes minutes.
 * What a real engine is needed for is in vitest.vllm.config.ts.
 */
const everything = process.env['FAULTS'] === 'all';

export default defineConfig({
  test: {
    include: ['test/faults/**/*.test.ts'],
    exclude: everything ? [] : ['test/faults/slow/**'],
    globalSetup: ['test/setup/build.ts'],
    pool: 'forks',
    maxWorkers: 5,
    testTimeout: everything ? 600_000 : 20_000,
    hookTimeout: 60_000,
  },
});
