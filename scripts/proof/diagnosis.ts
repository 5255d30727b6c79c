/**
 * `npm run proof:diagnosis [-- --only cases|cures] [NAME…]`: what vLLM was recorded to fail with, it is made to fail with
 * again, and some of it is mended. NAME: a part of the name of a case.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../test/scenarios/sandbox.ts';
import { type Case, cases } from './diagnosis/cases.ts';
import { type Cure, cures } from './diagnosis/cures.ts';
import { elsewhere } from './diagnosis/elsewhere.ts';
import { type Expected, type Played, playCase, playCure } from './diagnosis/play.ts';
import { openStage, type Stage, toProgram } from './diagnosis/stage.ts';
import type { Asked, Bar, Verdict } from './lib/bar.ts';
import { toSeconds } from './lib/numbers.ts';
import { isThere } from './lib/stand.ts';
import { undoOnSignal } from './lib/undo.ts';

interface Recorded extends Expected {
  readonly log: string;
}

export const diagnosis: Bar = {
  id: 'DIAGNOSIS',
  bar: 'each recorded start that fails is played again and named with its cause; ≥ 5 kinds are cured and answer',
  on: 'vLLM 0.32.0 (CPU)',
  async prove(asked) {
    const engineHome = process.env['QWEN_DEPLOY_TEST_ENGINE_HOME'] ?? '';
    if (!isThere(toProgram(engineHome))) {
      const line = 'QWEN_DEPLOY_TEST_ENGINE_HOME names no home with an engine: QWEN_DEPLOY_HOME=DIR qwen-deploy engine install cpu';
      return { met: false, figure: 'not tried', lines: [line] };
    }
    const stage = await openStage(engineHome);
    const forget = undoOnSignal(() => stage.box.dispose());
    try {
      return await proveOn(stage, asked);
    } finally {
      await stage.box.dispose().finally(forget);
    }
  },
};

async function proveOn(stage: Stage, { say }: Asked): Promise<Verdict> {
  const wanted = toWanted(process.argv.slice(3));
  const recorded: readonly Recorded[] = JSON.parse(readFileSync(join(root, 'test/fixtures/failures/captures.json'), 'utf8'));
  const lost = findLost(recorded);
  const named: Played[] = [];
  for (const one of wanted.cases) {
    const expected = recorded.find(({ log }) => log === one.name);
    if (expected) named.push(tell(say, one.unsayable !== undefined, await survive(one.name, () => playCase(stage, one, { expected }))));
  }
  const cured: Played[] = [];
  for (const one of wanted.cures) cured.push(tell(say, false, await survive(one.name, () => playCure(stage, one))));
  for (const [name, where] of Object.entries(elsewhere)) say(`elsewhere  ${name}: ${where}`);
  const right = (all: readonly Played[]) => all.filter(({ problems }) => problems.length === 0).length;
  const unsayable = wanted.cases.filter((one) => one.unsayable).length;
  return {
    met: right(named) === named.length && right(cured) === cured.length && lost.length === 0 && named.length + cured.length > 0,
    figure: [
      `${right(named)} of ${named.length} named`,
      ...(unsayable > 0 ? [`${unsayable} of them no profile can say: refused, and said by a wrapper`] : []),
      `${right(cured)} of ${cured.length} cured`,
      `${cases.length} cases and ${cures.length} cures in all, ${Object.keys(elsewhere).length} recorded failures elsewhere`,
    ].join('; '),
    lines: [...lost, ...toTable([...named, ...cured])],
  };
}

function toTable(played: readonly Played[]): readonly string[] {
  const rows = played.map(
    ({ name, found, ms, problems }) => `| ${name} | ${found} | ${toSeconds(ms, 0)} | ${problems.length === 0 ? '' : 'missed'} |`,
  );
  return rows.length === 0 ? [] : ['| case | cause, or what was changed | with all commands | |', '| --- | --- | --- | --- |', ...rows];
}

/** Everything, or what the words name. */
function toWanted(words: readonly string[]): { readonly cases: readonly Case[]; readonly cures: readonly Cure[] } {
  const at = words.indexOf('--only');
  const only = at < 0 ? undefined : words[at + 1];
  if (at >= 0 && only !== 'cases' && only !== 'cures') throw new Error(`--only ${only ?? ''}: cases or cures`);
  const names = words.filter((_, index) => at < 0 || (index !== at && index !== at + 1));
  const isNamed = ({ name }: Case) => names.length === 0 || names.some((part) => name.includes(part));
  return { cases: only === 'cures' ? [] : cases.filter(isNamed), cures: only === 'cases' ? [] : cures.filter(isNamed) };
}

/** A recorded failure that nobody plays and nobody accounts for, and the other way round. */
function findLost(recorded: readonly Recorded[]): readonly string[] {
  const known = [...cases.map(({ name }) => name), ...Object.keys(elsewhere)];
  return [
    ...recorded.filter(({ log }) => !known.includes(log)).map(({ log }) => `${log} is recorded, and neither played nor elsewhere`),
    ...known.filter((name) => !recorded.some(({ log }) => log === name)).map((name) => `${name} was never recorded`),
  ];
}

/** One that breaks the proof is one that missed: the others are played all the same. */
async function survive(name: string, play: () => Promise<Played>): Promise<Played> {
  const startedAt = performance.now();
  return play().catch((error: unknown) => ({ name, ms: performance.now() - startedAt, found: '', problems: [String(error)] }));
}

function tell(say: Asked['say'], isWrapped: boolean, played: Played): Played {
  const { name, ms, found, problems } = played;
  const how = isWrapped ? ' (refused in a profile; by a wrapper)' : '';
  say(`${problems.length === 0 ? 'ok    ' : 'MISSED'}  ${toSeconds(ms, 0).padStart(5)}  ${name}: ${found}${how}`);
  for (const problem of problems) say(`        ${problem}`);
  return played;
}
