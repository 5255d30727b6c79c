/**
 * R8: an engine that crashes minutes after each start. On a clock of its own, by the reducer, for 24 hours; and the
 * built program in real time at a hundredth of the scale.
 */
import { waitFor } from '../../src/core/clock.ts';
import { type Bar, shorten } from './lib/bar.ts';
import { toMost } from './lib/numbers.ts';
import { type CrashPlan, countStarts } from './lib/slow-crashes.ts';
import { openStand } from './lib/stand.ts';

const firstMost = 7;
const laterMost = 2;
const scale = 100;
const firstMs = (30 * 60_000) / scale;
const slowRetryMs = 25 * 60_000;

export const slowCrash: Bar = {
  id: 'R8',
  bar: 'slow-crash engine: ≤ 7 starts in the first 30 min, then ≤ 2/h',
  async prove(asked) {
    const plans = makePlans();
    const counts = plans.map(countStarts);
    const first = toMost(counts.map((count) => count.first));
    const later = toMost(counts.map((count) => count.later));
    const real: number[] = [];
    const problems: string[] = [];
    const rounds = asked.rounds(3);
    for (let round = 0; round < rounds; round += 1) {
      const { starts, problem } = await crashForReal();
      real.push(starts);
      if (problem !== undefined) problems.push(problem);
    }
    return {
      met: first <= firstMost && later <= laterMost && toMost(real) <= firstMost && problems.length === 0,
      figure: `24 h on the fake clock, ${plans.length} engines: ≤ ${first} starts in the first 30 min, then ≤ ${later}/h; real at 1/${scale}: ${real.join(', ')} starts in ${firstMs / 1000} s`,
      lines: [
        ...counts.map(
          ({ total, first: early, later: late }, at) => `${describe(plans[at])}: ${early} starts, then ≤ ${late}/h, ${total} in 24 h`,
        ),
        ...shorten(problems),
      ],
    };
  },
};

/** Dies while it loads, or some time after it was ready: never long enough to be called stable (10 min). */
function makePlans(): readonly CrashPlan[] {
  const times = [5_000, 20_000, 60_000, 120_000, 300_000];
  return times.flatMap((livesMs) => [
    { livesMs, readyAfterMs: undefined },
    { livesMs: livesMs + 20_000, readyAfterMs: 20_000 },
  ]);
}

function describe(plan: CrashPlan | undefined): string {
  if (plan === undefined) return '';
  return `dies ${plan.livesMs / 1000} s after its start, ${plan.readyAfterMs === undefined ? 'never ready' : `ready after ${plan.readyAfterMs / 1000} s`}`;
}

/** Delays and life at the scale; the half hour between slow retries is no setting, and stays. */
async function crashForReal(): Promise<{ readonly starts: number; readonly problem?: string }> {
  const stand = await openStand({ faults: 'exitAfter=600ms:1', sets: ['restart.first-delay=20ms', 'restart.max-delay=3s'] });
  try {
    await stand.startUp().result;
    await waitFor(firstMs);
    const { state, run, nextStartAt } = await stand.status();
    const leftMs = Date.parse(nextStartAt ?? '') - Date.now();
    if (state !== 'crashloop') return { starts: run, problem: `after ${firstMs / 1000} s it is ${state}` };
    return leftMs > slowRetryMs ? { starts: run } : { starts: run, problem: `the next start comes in ${leftMs} ms` };
  } finally {
    await stand.dispose();
  }
}
