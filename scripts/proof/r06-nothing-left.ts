/** R6: a stop leaves nothing, in bounded time, whatever the engine's manners are. */
import { waitFor } from '../../src/core/clock.ts';
import { isPortOpen } from '../../test/scenarios/sandbox.ts';
import { type Bar, shorten } from './lib/bar.ts';
import { toPercentile, toSpread } from './lib/numbers.ts';
import { findEngines } from './lib/outside.ts';
import { keepAsking } from './lib/requests.ts';
import { isThere, openStand } from './lib/stand.ts';

const drainMs = 2000;
const allowedMs = drainMs + 50_000;

interface Manner {
  readonly title: string;
  readonly faults: string;
  /** Clients that are served when the stop begins. */
  readonly clients?: number;
  /** Stopped while it starts. */
  readonly early?: boolean;
  readonly args?: readonly string[];
}

const manners: readonly Manner[] = [
  { title: 'idle', faults: '' },
  { title: 'with streams that outlast the drain', faults: '', clients: 4 },
  { title: 'ignores SIGTERM', faults: 'ignoreSigterm' },
  { title: 'with a grandchild in a session of its own', faults: 'orphan' },
  { title: 'with a grandchild that holds the port', faults: 'keepPort' },
  { title: 'waits for clients that never hang up', faults: 'hangOnClients', clients: 2 },
  { title: 'ignores SIGTERM, with grandchildren and clients', faults: 'ignoreSigterm,orphan,keepPort', clients: 2 },
  { title: 'while it loads', faults: 'phase=loading:20s', early: true },
  { title: 'while it loads, the first SIGTERM lost', faults: 'phase=loading:20s,swallowSigterm', early: true },
  { title: 'at once (--force)', faults: 'orphan', clients: 2, args: ['--force'] },
];

export const nothingLeft: Bar = {
  id: 'R6',
  bar: 'a stop leaves 0 processes, 0 ports; p99 ≤ drain + 50 s over 50',
  async prove(asked) {
    const rounds = asked.rounds(50);
    const times: number[] = [];
    const problems: string[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const manner = manners[round % manners.length];
      if (manner === undefined) break;
      const { ms, problem } = await stopOnce(manner);
      times.push(ms);
      if (problem !== undefined) problems.push(`${manner.title}: ${problem}`);
      asked.say(`${round + 1}: ${manner.title}: ${(ms / 1000).toFixed(1)} s`);
    }
    return {
      met: problems.length === 0 && toPercentile(times, 0.99) <= allowedMs,
      figure: `${rounds - problems.length}/${rounds} left nothing, ${toSpread(times)} with a drain of ${drainMs / 1000} s`,
      lines: ['processes, port and temporary files; no GPU here, whose memory would be looked at', ...shorten(problems)],
    };
  },
};

async function stopOnce(manner: Manner): Promise<{ readonly ms: number; readonly problem?: string }> {
  const stand = await openStand({ faults: manner.faults, sets: [`stop.drain=${drainMs}ms`] });
  try {
    const starting = stand.startUp();
    if (manner.early) await stand.untilEvent(0, ({ type }) => type === 'phase');
    else await starting.result;
    const asking = keepAsking(stand.port, manner.clients ?? 0);
    await waitFor(300);
    const { tmpDir } = readLaunch(await stand.box.cli('status', 'tiny', '-o', 'json'));
    const hadFiles = isThere(tmpDir);
    const engines = findEngines(stand.box.home).length;
    const beganAt = performance.now();
    const down = await stand.down(...(manner.args ?? []));
    const ms = performance.now() - beganAt;
    asking.end();
    const left = findEngines(stand.box.home).length;
    if (engines === 0) return { ms, problem: 'there was nothing to stop' };
    if (!hadFiles) return { ms, problem: `${tmpDir} was not there before: the proof is blind` };
    if (down.code !== 0) return { ms, problem: `exit ${down.code}: ${down.stderr.trim()}` };
    if (left > 0) return { ms, problem: `${left} processes left` };
    if (await isPortOpen(stand.port)) return { ms, problem: 'the port is taken' };
    if (isThere(tmpDir)) return { ms, problem: `${tmpDir} is left` };
    await starting.result;
    return { ms };
  } finally {
    await stand.dispose();
  }
}

/** Where its temporary files are: see `toLaunchPaths`. */
function readLaunch(status: { readonly json: <T>() => T }): { readonly tmpDir: string } {
  const { launchId = '' } = status.json<{ readonly launchId?: string }>();
  return { tmpDir: `/tmp/qd-${launchId.slice(-12)}` };
}
