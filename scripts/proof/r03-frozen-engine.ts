/**
 * R3: an EngineCore that is stopped (SIGSTOP) behind a `/health` of 200 is found, with work to do and without.
 * The times follow from `health.stall-after` (2 min) and `health.canary-interval` (1 min): both are set to a quarter
 * here, and what is measured is shown at the scale of the defaults.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Deployment } from '../../src/supervisor/deployment.ts';
import { eventually, killQuietly } from '../../test/scenarios/sandbox.ts';
import { type Asked, type Bar, shorten, type Verdict } from './lib/bar.ts';
import { toMost, toSeconds } from './lib/numbers.ts';
import { keepAsking } from './lib/requests.ts';
import { openStand, type Stand, type StandOptions } from './lib/stand.ts';

const scale = 4;
const sets = ['health.stall-after=30s', 'health.canary-interval=15s', 'restart.first-delay=100ms', 'stop.drain=1s'];
const busyMs = 160_000;
const idleMs = 300_000;
/** Frozen engines cost nothing while they are waited for. */
const atOnce = 6;

export const frozenEngine: Bar = {
  id: 'R3',
  bar: 'frozen engine found: busy ≤ 160 s, idle ≤ 5 min; stand-in 50/50, real vLLM 10/10',
  on: 'measured at a quarter of the default limits and shown times four',
  async prove(asked) {
    const rounds = asked.rounds(50);
    const standIn = await freezeAll(rounds, { stand: {}, atOnce, say: asked.say });
    const { found, lines } = toFound('stand-in', standIn);
    if (asked.standInOnly) return { met: found.all, figure: `${found.figure}; real vLLM left out (--stand-in-only)`, lines };
    const real = await freezeReal(asked);
    return { met: found.all && real.met, figure: `${found.figure}; ${real.figure}`, lines: [...lines, ...real.lines] };
  },
};

async function freezeReal(asked: Asked): Promise<Verdict> {
  const engines = join(process.env['QWEN_DEPLOY_TEST_ENGINE_HOME'] ?? '', 'data/engines');
  if (!existsSync(join(engines, 'cpu-0.32.0/venv/bin/python'))) {
    const line = 'QWEN_DEPLOY_TEST_ENGINE_HOME names no home with an engine: QWEN_DEPLOY_HOME=DIR qwen-deploy engine install cpu';
    return { met: false, figure: 'real vLLM not tried', lines: [line, 'without it: -- --stand-in-only'] };
  }
  const frozen = await freezeAll(asked.rounds(10), { stand: { real: true, sandbox: { engines } }, atOnce: 1, say: asked.say });
  const { found, lines } = toFound('real vLLM', frozen);
  return { met: found.all, figure: found.figure, lines };
}

interface Frozen {
  readonly busy: boolean;
  /** Undefined: never. */
  readonly foundMs?: number;
  readonly problem?: string;
}

interface Freezing {
  readonly stand: StandOptions;
  readonly atOnce: number;
  readonly say: Asked['say'];
}

async function freezeAll(rounds: number, { stand, atOnce: most, say }: Freezing): Promise<readonly Frozen[]> {
  const results: Frozen[] = [];
  let next = 0;
  const work = async () => {
    const made = await openStand({ ...stand, sets });
    try {
      while (next < rounds) {
        next += 1;
        const round = next;
        const busy = round % 2 === 1;
        const frozen = await freezeOnce(made, busy).catch((error: unknown): Frozen => ({ busy, problem: String(error) }));
        results.push(frozen);
        say(`${round}: ${busy ? 'busy' : 'idle'} ${frozen.foundMs === undefined ? frozen.problem : toSeconds(frozen.foundMs)}`);
      }
    } finally {
      await made.dispose();
    }
  };
  await Promise.all(Array.from({ length: Math.min(most, rounds) }, work));
  return results;
}

async function freezeOnce(stand: Stand, busy: boolean): Promise<Frozen> {
  await stand.up();
  const asking = busy ? keepAsking(stand.port, 2) : undefined;
  try {
    if (busy) await eventually(stand.status, ({ load }: Deployment) => (load?.running ?? 0) > 0, 30_000);
    const core = (await stand.box.processes()).find(({ command }) => command.startsWith('VLLM::EngineCore'));
    const seq = stand.events().at(-1)?.seq ?? 0;
    killQuietly(core?.pid ?? 0, 'SIGSTOP');
    const frozenAt = Date.now();
    const { status } = await fetch(`http://127.0.0.1:${stand.port}/health`);
    if (status !== 200) return { busy, problem: `/health ${status} while it is frozen` };
    const found = await stand.untilEvent(seq, ({ type }) => type === 'unhealthy', (2 * idleMs) / scale);
    return { busy, foundMs: Date.parse(found.at) - frozenAt };
  } finally {
    asking?.end();
    await stand.down('--force');
  }
}

function toFound(what: string, frozen: readonly Frozen[]) {
  const missed = frozen.filter(({ busy, foundMs }) => foundMs === undefined || foundMs * scale > (busy ? busyMs : idleMs));
  const most = (busy: boolean) => toMost(frozen.filter((one) => one.busy === busy).map(({ foundMs }) => foundMs ?? 0));
  const figure = `${what} ${frozen.length - missed.length}/${frozen.length}, at the defaults' scale busy ≤ ${toSeconds(most(true) * scale, 0)}, idle ≤ ${toSeconds(most(false) * scale, 0)}`;
  const problems = missed.map(
    ({ busy, foundMs, problem }) => `${what}, ${busy ? 'busy' : 'idle'}: ${problem ?? toSeconds(scale * (foundMs ?? 0))}`,
  );
  const measured = `${what}: measured at 1/${scale}: busy ≤ ${toSeconds(most(true))}, idle ≤ ${toSeconds(most(false))}`;
  return { found: { all: missed.length === 0 && frozen.length > 0, figure }, lines: [measured, ...shorten(problems)] };
}
