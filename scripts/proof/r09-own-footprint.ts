/**
 * R9: what the supervisor itself costs while the engine floods its log with 1 GB an hour. Thirty minutes in real time,
 * with probes at 48 times the default's pace: as many of them as in 24 hours.
 */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '../../src/core/clock.ts';
import { type Bar, shorten } from './lib/bar.ts';
import { delaySampler } from './lib/delay-sampler.ts';
import { toMost, toPercentile, toSlope } from './lib/numbers.ts';
import { openStand, readQuietly, type Stand } from './lib/stand.ts';

/** 150 MB. */
const rssMostMiB = 143;
const fdsMost = 5;
const delayMostMs = 50;
/** The flood's lines have 143 bytes or so: 1 GB an hour. */
const linesPerSecond = 1950;
const sampleMs = 2000;
/** Of the run: what the first probes and cuts load is there by then. */
const warmShare = 0.1;

export const ownFootprint: Bar = {
  id: 'R9',
  bar: 'supervisor with 1 GB/h of log: RSS < 150 MB, fds ± 5, loop delay p99 < 50 ms',
  async prove(asked) {
    const minutes = asked.rounds(30);
    const sets = ['health.interval=104ms', 'health.stall-after=3s', 'health.canary-interval=1250ms'];
    const stand = await openStand({ faults: `flood=${linesPerSecond}`, sets });
    try {
      const delays = stand.place('../delays');
      mkdirSync(delays);
      writeFileSync(join(delays, 'sampler.mjs'), delaySampler);
      stand.box.env['NODE_OPTIONS'] = `--import=${join(delays, 'sampler.mjs')}`;
      stand.box.env['PROOF_DELAYS'] = join(delays, 'figures.json');
      const first = await stand.up();
      const samples = await watchFootprint(first.supervisor?.pid ?? 0, minutes * 60_000);
      const delay = JSON.parse(readQuietly(join(delays, 'figures.json'))) as Delay;
      const last = await stand.status();
      const problems = last.supervisor?.pid === first.supervisor?.pid ? [] : ['the supervisor is not the one of the beginning'];
      if (last.restarts.total > 0) problems.push(`${last.restarts.total} restarts`);
      return judge({ minutes, samples, delay, problems: [...problems, ...checkLog(stand, minutes)] });
    } finally {
      await stand.dispose();
    }
  },
};

interface Sample {
  readonly atHours: number;
  readonly rssMiB: number;
  readonly fds: number;
  readonly cpuSeconds: number;
}

interface Delay {
  readonly p99Ms: number;
  readonly mostMs: number;
  readonly samples: number;
}

async function watchFootprint(pid: number, forMs: number): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  const beganAt = performance.now();
  while (performance.now() - beganAt < forMs) {
    await waitFor(sampleMs);
    const rssKib = Number(/VmRSS:\s+(\d+)/.exec(readQuietly(`/proc/${pid}/status`))?.[1] ?? Number.NaN);
    const stat = readQuietly(`/proc/${pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / 100;
    const atHours = (performance.now() - beganAt) / 3_600_000;
    samples.push({ atHours, rssMiB: rssKib / 1024, fds: readdirSync(`/proc/${pid}/fd`).length, cpuSeconds });
  }
  return samples;
}

interface Seen {
  readonly minutes: number;
  readonly samples: readonly Sample[];
  readonly delay: Delay;
  readonly problems: readonly string[];
}

function judge({ minutes, samples, delay, problems }: Seen) {
  const warm = samples.slice(Math.floor(samples.length * warmShare));
  const rss = toMost(samples.map(({ rssMiB }) => rssMiB));
  const usual = toPercentile(
    warm.map(({ fds }) => fds),
    0.5,
  );
  const astray = toMost(warm.map(({ fds }) => Math.abs(fds - usual)));
  const slope = toSlope(thin(warm).map(({ atHours, rssMiB }) => ({ x: atHours, y: rssMiB })));
  const [first, last] = [warm[0], warm.at(-1)];
  const cpu = ((last?.cpuSeconds ?? 0) - (first?.cpuSeconds ?? 0)) / (36 * ((last?.atHours ?? 1) - (first?.atHours ?? 0)));
  const met = problems.length === 0 && rss < rssMostMiB && astray <= fdsMost && delay.p99Ms < delayMostMs && delay.samples > 0;
  return {
    met,
    figure: `RSS ≤ ${rss.toFixed(0)} MiB, slope ${slope.toFixed(1)} MiB/h at 48 times the probes, ${usual} fds ± ${astray}, loop delay p99 ${delay.p99Ms.toFixed(1)} ms (most ${delay.mostMs.toFixed(0)} ms), ${minutes} min`,
    lines: [`${samples.length} samples, ${delay.samples} of the loop; ${cpu.toFixed(1)} % of a core`, ...shorten(problems)],
  };
}

/** All pairs of a slope: some hundred points say as much as thousands. */
function thin(samples: readonly Sample[]): readonly Sample[] {
  const every = Math.ceil(samples.length / 200);
  return samples.filter((_, at) => at % every === 0);
}

/** The flood must have been one: numbered lines, the last number says how many. */
function checkLog(stand: Stand, minutes: number): readonly string[] {
  const directory = stand.place('state/deployments/tiny/launches');
  const [launch = ''] = readdirSync(directory);
  const text = readQuietly(join(directory, launch, `engine-${launch}.log`)).slice(-100_000);
  const last = Number([...text.matchAll(/ flood (\d+) /g)].at(-1)?.[1] ?? 0);
  const wanted = linesPerSecond * 60 * minutes;
  return last > 0.8 * wanted ? [] : [`the engine wrote ${last} of about ${wanted} lines`];
}
