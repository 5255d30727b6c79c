/**
 * R4: an engine that is only slow is left alone. In real time: a full queue, `/health` eight seconds late, and two busy
 * loops per core against a supervisor at the lowest priority. On the fake clock: 24 hours of looks.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { constants, cpus, setPriority } from 'node:os';
import { waitFor } from '../../src/core/clock.ts';
import type { Deployment } from '../../src/supervisor/deployment.ts';
import type { Bar } from './lib/bar.ts';
import { keepAsking } from './lib/requests.ts';
import { type Day, watchDay } from './lib/saturated-day.ts';
import { openStand, type Stand } from './lib/stand.ts';

const minuteMs = 60_000;
/** vLLM is told to take 8 at a time. */
const clients = 24;

export const falseRestarts: Bar = {
  id: 'R4',
  bar: '0 false restarts: 30 min of saturation and CPU starvation, and 24 h on the fake clock',
  async prove(asked) {
    const minutes = asked.rounds(30);
    const days = [1, 2, 3, 4, 5].map(watchDay);
    const blind = days.filter(({ frozenFound }) => !frozenFound).length;
    const real = await saturate(minutes);
    // Three late answers of /health take half a minute and more to be said.
    const wasSlow = real.degraded > 0 || minutes < 3;
    const restarts = days.reduce((sum, day) => sum + day.verdicts, 0);
    return {
      met: real.restarts === 0 && real.sameLaunch && real.answered > 0 && wasSlow && restarts === 0 && blind === 0,
      figure: `${real.restarts} restarts in ${minutes} min, ${restarts} in ${days.length} × 24 h on the fake clock`,
      lines: [
        `real: ${real.answered} tokens were generated meanwhile, load average ${real.loadAverage}, ${real.degraded} times said to be slow or not ready`,
        ...days.map(describeDay),
        ...(blind > 0 ? [`${blind} days ended with a frozen engine that was not found: the proof is blind`] : []),
        ...(wasSlow ? [] : ['nothing was ever said to be slow: the proof is blind']),
        ...(real.sameLaunch ? [] : ['the engine at the end is not the one of the beginning']),
      ],
    };
  },
};

function describeDay({ seed, looks, starved, pageless, tokens, unanswered, verdicts, frozenFound }: Day): string {
  const end = frozenFound ? 'then frozen and found' : 'then frozen and NOT found';
  return `day ${seed}: ${looks} looks, ${starved} void, ${pageless} without a page, ${tokens} tokens asked for, ${unanswered} unanswered, ${verdicts} verdicts; ${end}`;
}

interface Saturated {
  readonly restarts: number;
  readonly sameLaunch: boolean;
  readonly answered: number;
  readonly degraded: number;
  readonly loadAverage: string;
}

async function saturate(minutes: number): Promise<Saturated> {
  const stand = await openStand({ tokenMs: 50 });
  const loops: ChildProcess[] = [];
  process.once('exit', () => loops.map((loop) => loop.kill('SIGKILL')));
  try {
    const first = await stand.up();
    const asking = keepAsking(stand.port, clients);
    await stand.setFaults({ healthDelay: '8s' });
    renice(first.supervisor?.pid ?? 0);
    loops.push(...startLoops(2 * cpus().length));
    const before = await readTokens(stand);
    await waitFor(minutes * minuteMs);
    const answered = (await readTokens(stand)) - before;
    const loadAverage = (await import('node:os')).loadavg()[0]?.toFixed(1) ?? '?';
    for (const loop of loops) loop.kill('SIGKILL');
    asking.end();
    const last: Deployment = await stand.status();
    const events = stand.events();
    return {
      restarts: last.restarts.total + events.filter(({ type }) => type === 'unhealthy').length,
      sameLaunch: last.launchId === first.launchId && last.pid === first.pid,
      answered,
      degraded: events.filter((event) => event.type === 'degraded' || (event.type === 'health' && !event.ready)).length,
      loadAverage,
    };
  } finally {
    for (const loop of loops) loop.kill('SIGKILL');
    await stand.dispose();
  }
}

function startLoops(count: number): readonly ChildProcess[] {
  return Array.from({ length: count }, () => spawn('sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' }));
}

/** The kernel keeps a priority for each thread. */
function renice(pid: number): void {
  for (const thread of readdirSync(`/proc/${pid}/task`)) setPriority(Number(thread), constants.priority.PRIORITY_LOW);
}

async function readTokens({ port }: Stand): Promise<number> {
  const page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const counts = [...page.matchAll(/^vllm:generation_tokens_total(?:\{[^}]*\})? ([\d.e+]+)$/gm)].map(([, value]) => Number(value));
  return counts.reduce((sum, count) => sum + count, 0);
}
