/** R5: never two live incarnations. The reducer in 10,000 random schedules, and the built program in 200. */
import { waitFor } from '../../src/core/clock.ts';
import { killQuietly } from '../../test/scenarios/sandbox.ts';
import { seeded, walk } from '../../test/supervisor/reduce/world.ts';
import { type Asked, type Bar, shorten } from './lib/bar.ts';
import { findEngines, watchIncarnations } from './lib/outside.ts';
import { openStand, type Stand } from './lib/stand.ts';

const modelSteps = 400;
/** ROUNDS speaks of the real ones; the model goes this many times as far. */
const modelPerReal = 50;
const realSteps = 6;
const longestPauseMs = 700;

export const oneIncarnation: Bar = {
  id: 'R5',
  bar: 'never two live incarnations: 10,000 model schedules (I1 to I6 at each step), 200 real ones',
  async prove(asked) {
    const real = asked.rounds(200);
    const model = walkAll(real * modelPerReal);
    asked.say(`model: ${model.figure}`);
    const played = await playAll(real, asked.say);
    return {
      met: model.problems.length === 0 && played.problems.length === 0,
      figure: `${model.figure}; ${played.figure}`,
      lines: [...shorten(model.problems), ...shorten(played.problems)],
    };
  },
};

function walkAll(schedules: number) {
  const problems: string[] = [];
  const states = new Set<string>();
  for (let seed = 1; seed <= schedules; seed += 1) {
    try {
      for (const life of walk(seed, modelSteps)) states.add(life);
    } catch (error) {
      problems.push(`seed ${seed}: ${error instanceof Error ? error.message : error}`);
    }
  }
  const figure = `${schedules} model schedules of ${modelSteps} steps through ${states.size} states, ${problems.length} broke an invariant`;
  return { problems, figure };
}

/** Two sandboxes at a time: each mostly waits. */
async function playAll(schedules: number, say: Asked['say']) {
  const problems: string[] = [];
  const seen = { looks: 0, launches: 0, doubles: 0 };
  let next = 0;
  const work = async () => {
    const stand = await openStand({ sets: ['restart.first-delay=100ms', 'restart.max-failures=20', 'stop.drain=1s'] });
    const watch = watchIncarnations(stand.box.home);
    try {
      while (next < schedules) {
        next += 1;
        const seed = next;
        const told = await play(stand, seed);
        if (told !== undefined) problems.push(`schedule ${seed}: ${told}`);
        if (seed % 20 === 0) say(`${seed} of ${schedules} real schedules`);
      }
    } finally {
      watch.end();
      problems.push(...watch.doubles.map((double) => `two incarnations: ${double}`));
      seen.looks += watch.looks();
      seen.launches += watch.launches();
      seen.doubles += watch.doubles.length;
      await stand.dispose();
    }
  };
  await Promise.all(Array.from({ length: Math.min(2, schedules) }, work));
  if (seen.launches < schedules / 2) problems.push(`only ${seen.launches} launches were seen: the proof is blind`);
  const figure = `${schedules} real schedules with ${seen.launches} launches: ${seen.doubles} of ${seen.looks} looks saw two incarnations`;
  return { problems, figure };
}

/** Random acts at random moments, none waiting for the one before; then `down`, which must leave nothing. */
async function play(stand: Stand, seed: number): Promise<string | undefined> {
  const random = seeded(seed);
  const running: Promise<unknown>[] = [stand.startUp().result];
  for (let step = 0; step < realSteps; step += 1) {
    await waitFor(longestPauseMs * random());
    const act = chooseAct(random());
    const command = perform(stand, act);
    if (command !== undefined) running.push(command);
  }
  await Promise.all(running);
  const down = await stand.down('--grace', '1s');
  const left = findEngines(stand.box.home);
  if (down.code !== 0) return `down: exit ${down.code}: ${down.stderr.trim()}`;
  return left.length === 0 ? undefined : `down left ${left.length} processes`;
}

type Act = 'up' | 'down' | 'restart' | 'kill-supervisor' | 'kill-server' | 'kill-core';

function chooseAct(dice: number): Act {
  const acts = ['up', 'up', 'down', 'restart', 'kill-supervisor', 'kill-supervisor', 'kill-server', 'kill-core'] as const;
  return acts[Math.floor(dice * acts.length)] ?? 'up';
}

function perform(stand: Stand, act: Act): Promise<unknown> | undefined {
  switch (act) {
    case 'up':
      return stand.startUp().result;
    case 'down':
      return stand.down('--grace', '1s');
    case 'restart':
      return stand.box.cli('restart', 'tiny');
    case 'kill-supervisor':
      stand.killSupervisor();
      return undefined;
    default: {
      // The API server has the lowest number of its launch, EngineCore the next.
      const engines = findEngines(stand.box.home).toSorted((a, b) => a.startTicks - b.startTicks || a.pid - b.pid);
      const victim = engines[act === 'kill-server' ? 0 : 1];
      if (victim !== undefined) killQuietly(victim.pid);
      return undefined;
    }
  }
}
