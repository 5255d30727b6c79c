/** One bar: its proof, what it found, and a row for docs/proofs.md. */
import { diagnosis } from './diagnosis.ts';
import { dockerBackend } from './docker.ts';
import type { Asked, Bar } from './lib/bar.ts';
import { toSeconds } from './lib/numbers.ts';
import { readoption } from './r01-readoption.ts';
import { exitSeen } from './r02-exit-seen.ts';
import { frozenEngine } from './r03-frozen-engine.ts';
import { falseRestarts } from './r04-false-restarts.ts';
import { oneIncarnation } from './r05-one-incarnation.ts';
import { nothingLeft } from './r06-nothing-left.ts';
import { stateReadable } from './r07-state-readable.ts';
import { slowCrash } from './r08-slow-crash.ts';
import { ownFootprint } from './r09-own-footprint.ts';
import { canarySecret } from './r10-canary-secret.ts';
import { pidReuse, provePidReuseInside } from './r11-pid-reuse.ts';

const bars: readonly Bar[] = [
  readoption,
  exitSeen,
  frozenEngine,
  falseRestarts,
  oneIncarnation,
  nothingLeft,
  stateReadable,
  slowCrash,
  ownFootprint,
  canarySecret,
  pidReuse,
  dockerBackend,
  diagnosis,
];

/** The exit status: 0 met, 1 missed, 2 no such bar. */
export async function proveBar(id: string, bundle: string): Promise<number> {
  const bar = bars.find((one) => one.id === id.toUpperCase());
  if (bar === undefined) {
    console.error(`no such bar: ${id}; there are ${bars.map((one) => one.id).join(', ')}`);
    return 2;
  }
  const startedAt = performance.now();
  const turns = { asked: 0, full: 0 };
  const { on = 'the stand-in engine' } = bar;
  console.log(`${bar.id}  ${bar.bar}`);
  const { met, figure, lines } = await bar.prove(toAsked(bundle, turns)).catch((error: unknown) => ({
    met: false,
    figure: 'the proof itself failed',
    lines: [error instanceof Error ? (error.stack ?? error.message) : String(error)],
  }));
  for (const line of lines) console.log(`    ${line}`);
  const short = turns.asked < turns.full ? ` (${turns.asked} of ${turns.full} asked)` : '';
  const about = `${figure}${short}; ${on}`;
  console.log(`${met ? 'met   ' : 'MISSED'}  ${about}, in ${toSeconds(performance.now() - startedAt, 0)}`);
  console.log(`| ${bar.id} | ${bar.bar} | ${about} | ${met ? 'met' : 'missed'} |`);
  return met ? 0 : 1;
}

function toAsked(bundle: string, turns: { asked: number; full: number }): Asked {
  const most = Number(process.env['ROUNDS'] ?? Number.POSITIVE_INFINITY);
  if (!(most >= 1)) throw new Error(`ROUNDS=${process.env['ROUNDS']} is no number of rounds`);
  return {
    bundle,
    standInOnly: process.argv.includes('--stand-in-only'),
    say: (line) => console.log(`    ${line}`),
    rounds(full) {
      const asked = Math.min(full, Math.floor(most));
      turns.asked += asked;
      turns.full += full;
      return asked;
    },
  };
}

/** The part of R11 that runs in a pid namespace. */
export const proveInside = provePidReuseInside;
