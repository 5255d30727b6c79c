import { defineConfig } from 'vitest/config';

/** Tests that run the built program; all others run the sources and need no build. */
const program = ['test/scenarios/**/*.test.ts', 'test/golden/**/*.test.ts'];
/** What needs a real engine or Docker, and the fault matrix, have configurations of their own. */
const elsewhere = ['test/vllm/**', 'test/docker/**', 'test/faults/**'];

const limits = { pool: 'forks', testTimeout: 20_000, hookTimeout: 20_000 } as const;

export default defineConfig({
  test: {
    // Most scenarios wait for processes: more of them than cores. vitest's own choice on two cores is one worker.
    maxWorkers: 3,
    projects: [
      { test: { ...limits, name: 'rooms', include: ['test/**/*.test.ts'], exclude: [...program, ...elsewhere] } },
      { test: { ...limits, name: 'program', include: program, globalSetup: ['test/setup/build.ts'] } },
    ],
  },
});
