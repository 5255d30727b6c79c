import { defineConfig } from 'vitest/config';

/**
 * The scenarios against the real vLLM, two files at a time: most of a start is one process that imports, and what is
 * waited for takes no core at all. More engines than that would make each other's starts slower for nothing.
 */
export default defineConfig({
  test: {
    include: ['test/vllm/**/*.test.ts'],
    globalSetup: ['test/setup/build.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
