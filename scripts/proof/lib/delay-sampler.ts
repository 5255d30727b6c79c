/**
 * Loaded into the supervisor by NODE_OPTIONS: how late its event loop is, written down every two seconds. Node's own
 * histogram counts its resolution as delay, so that is taken off.
 */
export const delaySampler = `
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { writeFileSync } from 'node:fs';
if (process.argv.includes('supervise')) {
  const resolution = 10;
  const delay = monitorEventLoopDelay({ resolution });
  delay.enable();
  const toMs = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - resolution);
  const write = () => {
    const figures = { p99Ms: toMs(delay.percentile(99)), mostMs: toMs(delay.max), samples: delay.count };
    writeFileSync(process.env.PROOF_DELAYS, JSON.stringify(figures));
  };
  write();
  setInterval(write, 2000).unref();
}
`;
