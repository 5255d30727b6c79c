/** R1: the supervisor is killed, again and again, while the engine answers a stream and writes its log. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Deployment } from '../../src/supervisor/deployment.ts';
import { type Asked, type Bar, shorten, type Verdict } from './lib/bar.ts';
import { toMost, toSpread } from './lib/numbers.ts';
import { keepStreaming, type Streaming } from './lib/requests.ts';
import { openStand, type Stand, type StandOptions } from './lib/stand.ts';

const adoptedWithinMs = 5000;

export const readoption: Bar = {
  id: 'R1',
  bar: 'supervisor SIGKILL: 0 engine deaths, 0 log lines lost, adopted ≤ 5 s, 100/100',
  prove: (asked) => proveReadoption(asked, openStand),
};

/** Wherever the engine runs. */
export async function proveReadoption(asked: Asked, open: (options: StandOptions) => Promise<Stand>): Promise<Verdict> {
  const rounds = asked.rounds(100);
  const stand = await open({ faults: 'flood=300', sets: ['logs.max-size=2GB'] });
  try {
    const first = await stand.up();
    const stream = keepStreaming(stand.port);
    const times: number[] = [];
    const problems: string[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const seen = await killAndHeal(stand, first, stream);
      times.push(seen.adoptedMs);
      if (seen.problem !== undefined) problems.push(`round ${round}: ${seen.problem}`);
    }
    await stream.end();
    const log = await readFlood(toLogFile(stand, first));
    const met = problems.length === 0 && stream.broken() === 0 && log.lost === 0 && toMost(times) <= adoptedWithinMs;
    return {
      met,
      figure: `${rounds - problems.length}/${rounds} adopted with the same pid, ${toSpread(times)} after SIGKILL; ${log.lost} of ${log.lines} log lines lost; ${stream.broken()} streams broken`,
      lines: [`${stream.pieces()} pieces of streamed answers came meanwhile`, ...shorten(problems)],
    };
  } finally {
    await stand.dispose();
  }
}

interface Healed {
  readonly adoptedMs: number;
  readonly problem?: string;
}

/** From the SIGKILL to the new supervisor's word that it has adopted the engine; `up` is what heals. */
async function killAndHeal(stand: Stand, first: Deployment, stream: Streaming): Promise<Healed> {
  const seq = stand.events().at(-1)?.seq ?? 0;
  const pieces = stream.pieces();
  const killedAt = Date.now();
  if (stand.killSupervisor() === undefined) return { adoptedMs: 0, problem: 'there was no supervisor to kill' };
  const now = await stand.up();
  const adopted = await stand.untilEvent(seq, ({ type }) => type === 'adopted', 10_000);
  const adoptedMs = Date.parse(adopted.at) - killedAt;
  if (now.pid !== first.pid || now.launchId !== first.launchId) return { adoptedMs, problem: `pid ${first.pid} became ${now.pid}` };
  if (now.restarts.total > 0) return { adoptedMs, problem: `${now.restarts.total} restarts` };
  if (stream.pieces() === pieces) return { adoptedMs, problem: 'the stream stood still' };
  return adoptedMs <= adoptedWithinMs ? { adoptedMs } : { adoptedMs, problem: `adopted after ${adoptedMs} ms` };
}

function toLogFile(stand: Stand, { launchId = '' }: Deployment): string {
  return stand.place('state/deployments/tiny/launches', launchId, `engine-${launchId}.log`);
}

/** The engine numbers its lines from 1: numbers that are missing, or come twice, and lines that are torn. */
async function readFlood(path: string): Promise<{ readonly lines: number; readonly lost: number }> {
  let [lines, lost] = [0, 0];
  for await (const line of createInterface(createReadStream(path))) {
    const match = / flood (\d+)( x{80}$)?/.exec(line);
    if (match === null) continue;
    const number = Number(match[1]);
    lost += Math.abs(number - lines - 1) + (match[2] === undefined ? 1 : 0);
    lines = number;
  }
  if (lines === 0) throw new Error(`no numbered line in ${path}`);
  return { lines, lost };
}
