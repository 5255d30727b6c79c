import { defineConfig } from 'vitest/config';

/** Tests that run the built program; all others run the sources and need no build. */
const program = ['test/scenarios/**/*.test.ts', 'test/golden/**/*.test.ts'];
/** What needs a real engine or Docker, and the fault matrix, have configurations of their own. */
const elsewhere = ['test/vllm/**', 'test/docker/**', 'test/faults/**'];
/** With a module put in another's place (`vi.mock`), which only a process that has not loaded it yet can do. */
const mocks = ['test/**/*.mocks.test.ts'];

const limits = { pool: 'forks', testTimeout: 20_000, hookTimeout: 20_000 } as const;

export default defineConfig({
  test: {
    // Most scenarios wait for processes: more of them than cores. vitest's own choice on two cores is one worker.
    maxWorkers: 5,
    projects: [
      // One process for many files: starting one for each and loading the sources anew takes as long as the tests.
      { test: { ...limits, isolate: false, name: 'rooms', include: ['test/**/*.test.ts'], exclude: [...program, ...elsewhere, ...mocks] } },
      { test: { ...limits, name: 'mocks', include: mocks } },
      { test: { ...limits, isolate: false, name: 'program', include: program, globalSetup: ['test/setup/build.ts'] } },
    ],
  },
});
