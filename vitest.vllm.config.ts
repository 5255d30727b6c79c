import { defineConfig } from 'vitest/config';

/** The scenarios against the real vLLM: one after the other, because each start takes all the cores there are. */
export default defineConfig({
  test: {
    include: ['test/vllm/**/*.test.ts'],
    globalSetup: ['test/setup/build.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
