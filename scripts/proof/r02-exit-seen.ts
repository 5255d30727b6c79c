/** R2: an engine that ends is noticed, whether its keeper is the supervisor's child or was adopted. */
import { killQuietly } from '../../test/scenarios/sandbox.ts';
import { type Asked, type Bar, shorten, type Verdict } from './lib/bar.ts';
import { toPercentile, toSpread } from './lib/numbers.ts';
import { openStand, type Stand, type StandOptions } from './lib/stand.ts';

const seenWithinMs = 2000;

export const exitSeen: Bar = {
  id: 'R2',
  bar: 'exit of the engine seen: p99 ≤ 2 s over 100',
  prove: (asked) => proveExitSeen(asked, openStand),
};

/** Wherever the engine runs. */
export async function proveExitSeen(asked: Asked, open: (options: StandOptions) => Promise<Stand>): Promise<Verdict> {
  const rounds = asked.rounds(100);
  const stand = await open({ sets: ['restart.first-delay=100ms', 'restart.max-failures=20'] });
  try {
    const times = { own: [] as number[], adopted: [] as number[] };
    const problems: string[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const adopted = round % 2 === 0;
      const ms = await killOnce(stand, adopted);
      times[adopted ? 'adopted' : 'own'].push(ms);
      if (ms > seenWithinMs) problems.push(`round ${round}: ${ms} ms${adopted ? ', adopted' : ''}`);
    }
    const all = [...times.own, ...times.adopted];
    return {
      met: toPercentile(all, 0.99) <= seenWithinMs,
      figure: `${toSpread(all)} over ${rounds}`,
      lines: [`started by this supervisor: ${toSpread(times.own)}`, `adopted: ${toSpread(times.adopted)}`, ...shorten(problems)],
    };
  } finally {
    await stand.dispose();
  }
}

async function killOnce(stand: Stand, adopted: boolean): Promise<number> {
  // From a back-off or a crash loop too, `up` starts at once.
  const first = await stand.up();
  if (adopted) {
    stand.killSupervisor();
    await stand.up();
  }
  const seq = stand.events().at(-1)?.seq ?? 0;
  const endedAt = Date.now();
  killQuietly(first.pid ?? 0);
  const exited = await stand.untilEvent(seq, ({ type }) => type === 'exited');
  return Date.parse(exited.at) - endedAt;
}
