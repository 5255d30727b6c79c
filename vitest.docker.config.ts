import { defineConfig } from 'vitest/config';

/** Against engines of their own, which the tests start: that takes root, Debian's docker.io, iptables and podman. */
export default defineConfig({
  test: {
    include: ['test/docker/**/*.test.ts'],
    globalSetup: ['test/setup/build.ts'],
    pool: 'forks',
    // Each file has engines of its own, and waits for them most of the time.
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
