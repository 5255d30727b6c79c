import { defineConfig } from 'vitest/config';

/** What needs a real engine or Docker has its own configuration. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/vllm/**', 'test/docker/**'],
    pool: 'forks',
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
});
