/** Our own directories: that they can be made, and that nobody else can write there. */
import type { Stats } from 'node:fs';
import { lstat, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { say } from '../../core/message.ts';
import { errnoOf } from '../../host/files.ts';
import type { Check, CheckOutcome, DoctorContext } from '../check.ts';
import { findWriteProblem } from '../space.ts';

export const placeChecks: readonly Check[] = createPlaceChecks(findWriteProblem);

type FindProblem = typeof findWriteProblem;

/** With another way to ask whether something can be made there: nothing is forbidden to root. */
export function createPlaceChecks(find: FindProblem): readonly Check[] {
  return [{ id: 'host.places', group: 'host', isNeeded: () => true, run: (context) => checkPlaces(context, find) }];
}

/** Of several that are wrong the first is told: mended, the next one shows. Those that are not there yet are made when they are needed. */
async function checkPlaces({ places, env }: DoctorContext, find: FindProblem): Promise<CheckOutcome> {
  const paths = Object.values(places).map(String);
  const looked = await Promise.all(paths.map((path) => look(path, { env, find })));
  const evidence = looked.map(({ evidence: one }) => one);
  const bad = looked.find(({ outcome }) => outcome)?.outcome;
  if (bad) return { ...bad, evidence };
  const there = looked.filter(({ missing }) => !missing).length;
  const message = there === paths.length ? say('doctor.places', { there }) : say('doctor.places.some', { there, all: paths.length });
  return { status: 'pass', message, evidence };
}

interface Look {
  readonly evidence: string;
  readonly missing: boolean;
  readonly outcome?: CheckOutcome;
}

interface Means {
  readonly env: NodeJS.ProcessEnv;
  readonly find: FindProblem;
}

async function look(path: string, means: Means): Promise<Look> {
  try {
    const facts = await lstat(path);
    const mode = (facts.mode & 0o777).toString(8).padStart(4, '0');
    const outcome = await checkThere(path, facts, means);
    return { evidence: `${path}: ${mode} uid ${facts.uid}`, missing: false, ...(outcome ? { outcome } : {}) };
  } catch (error) {
    const problem = errnoOf(error);
    if (problem === undefined) throw error;
    const outcome = await checkAbove(path, problem, means);
    return { evidence: `${path}: ${problem}`, missing: true, ...(outcome ? { outcome } : {}) };
  }
}

/** What `ensurePrivateDirectory` refuses; what it mends by itself is no news. */
async function checkThere(path: string, facts: Stats, { find }: Means): Promise<CheckOutcome | undefined> {
  const uid = process.getuid?.() ?? -1;
  if (!facts.isDirectory())
    return { status: 'fail', message: say('doctor.places.file', { path }), hint: say('doctor.places.file.hint', { path }) };
  if (facts.uid !== uid) {
    const command = `sudo chown -R ${uid} ${path}`;
    const hint = say('doctor.places.stranger.hint', { command });
    return { status: 'fail', message: say('doctor.places.stranger', { path, owner: facts.uid }), hint, fix: { is: 'command', command } };
  }
  if ((facts.mode & 0o022) !== 0) {
    const message = say('doctor.places.open', { path, mode: (facts.mode & 0o777).toString(8) });
    return { status: 'fail', message, hint: say('doctor.places.open.hint', { path }), fix: { is: 'mode', path, mode: 0o700 } };
  }
  const problem = await find(path);
  return problem === undefined ? undefined : toUnwritable(path, problem);
}

/** What is not there can be made where the nearest directory above it lets us. */
async function checkAbove(path: string, problem: string, { env, find }: Means): Promise<CheckOutcome | undefined> {
  const parent = problem === 'ENOENT' ? await findParent(dirname(path)) : path;
  const refused = problem === 'ENOENT' ? await find(parent) : problem;
  if (refused === undefined) return undefined;
  const runtime = env.XDG_RUNTIME_DIR;
  // `su` and `sudo` keep the caller's, or set one that is not there without a session.
  if (runtime && path.startsWith(`${runtime}/`))
    return {
      status: 'fail',
      message: say('doctor.places.runtime', { runtime, problem: refused }),
      hint: say('doctor.places.runtime.hint'),
    };
  return toUnwritable(parent, refused);
}

function toUnwritable(path: string, problem: string): CheckOutcome {
  return { status: 'fail', message: say('doctor.places.unwritable', { path, problem }), hint: say('doctor.places.unwritable.hint') };
}

async function findParent(path: string): Promise<string> {
  const there = await stat(path).catch(() => undefined);
  return there || path === '/' ? path : findParent(dirname(path));
}
