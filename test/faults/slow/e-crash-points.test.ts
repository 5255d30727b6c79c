/** The supervisor dies before and after each thing that it does; what is seen from outside must hold at every moment. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { waitFor } from '../../../src/core/clock.ts';
import { readState } from '../../../src/supervisor/store.ts';
import { eventually, isPortOpen, killQuietly, toUpArgs, untilNothingIsLeft } from '../../scenarios/sandbox.ts';
import { openKit, quick, quickHangs } from '../kit.ts';

const kit = openKit();
const steps = [
  'persist',
  'emit',
  'preflight',
  'launch',
  'watch-start',
  'timer',
  'watch-health',
  'watch-drain',
  'cancel',
  'quiet',
  'terminate',
  'reclaim',
  'recover',
];
const sets = ['restart.first-delay=50ms', ...quick].flatMap((set) => ['--set', set]);
const stateFile = () => join(kit.box.home, 'qd/state/deployments/tiny/state.json');

/** Looks from outside until it is told to stop; what it saw that must not be. */
function watchInvariants(): { readonly stop: () => Promise<readonly string[]> } {
  const broken = new Set<string>();
  let watching = true;
  const look = async () => {
    const engines = await kit.find('VLLM::EngineCore');
    if (engines.length > 1) broken.add(`I1: ${engines.length} engines at once`);
    const state = await readState(stateFile(), 'tiny').catch(() => undefined);
    if (state?.life === 'stopped' && state.desired === 'down' && (await isPortOpen(kit.port)))
      broken.add('I4: stopped, and its port answers');
    for (const { pid } of engines) {
      const log = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
      if (log !== '' && state?.launch === undefined) broken.add('I5: an engine without a record');
    }
  };
  const done = (async () => {
    while (watching) {
      await look();
      await waitFor(40);
    }
  })();
  return {
    async stop() {
      watching = false;
      await done;
      return [...broken];
    },
  };
}

/** Up, a death of the engine, and down: every step happens in it at least once. */
async function live(): Promise<void> {
  const first = await kit.box.cli(...toUpArgs(kit.port, '', ...sets, '--timeout', '15s'));
  if (first.code === 0) {
    const { pid = 0 } = await kit.status();
    if (pid > 0) killQuietly(pid);
    await waitFor(1200);
  }
  await kit.box.cli('down', '--timeout', '10s');
}

/** What happens often in one life of a supervisor; the others once or twice. */
const frequent = ['persist', 'emit', 'timer', 'cancel'];
const points = steps.flatMap((step) =>
  ['before', 'after'].flatMap((when) => (frequent.includes(step) ? [1, 3, 7] : [1]).map((n) => `${when}:${step}#${n}`)),
);

it.each(points)('E3 killed %s: the invariants hold, and the next supervisor goes on', { timeout: 120_000 }, async (point) => {
  kit.box.env.QD_CRASH_AT = point;
  const watch = watchInvariants();
  await live();
  expect(await readLog()).toContain('QD_CRASH_AT');
  await expectGoingOn(watch);
});

it.each(['before:bundle#1', 'after:bundle#1'])('E3 killed %s of an engine that hangs: the same', { timeout: 120_000 }, async (point) => {
  kit.box.env.QD_CRASH_AT = point;
  const watch = watchInvariants();
  await kit.up('', ...quickHangs);
  await kit.setFaults({ hang: true });
  await eventually(readLog, (text) => text.includes('QD_CRASH_AT'), 40_000);
  await expectGoingOn(watch);
});

it.each(['before:kill#1', 'after:kill#1'])(
  'E3 killed %s of an engine that ignores SIGTERM: the same',
  { timeout: 120_000 },
  async (point) => {
    kit.box.env.QD_CRASH_AT = point;
    const watch = watchInvariants();
    await kit.up('ignoreSigterm', ...quick);
    await kit.box.cli('down', '--grace', '500ms', '--timeout', '8s');
    expect(await readLog()).toContain('QD_CRASH_AT');
    await expectGoingOn(watch);
  },
);

function readLog(): Promise<string> {
  return readFile(join(kit.box.home, 'qd/state/deployments/tiny/supervisor.log'), 'utf8');
}

/** Without the crash point from here on: a supervisor that lingers for its last readers still has it. */
async function expectGoingOn(watch: ReturnType<typeof watchInvariants>): Promise<void> {
  delete kit.box.env.QD_CRASH_AT;
  await kit.until(({ supervised }) => !supervised);
  const after = await kit.box.cli(...toUpArgs(kit.port, '', ...sets, '--yes'));
  expect(after.code, after.stderr).toBe(0);
  expect(await kit.find('VLLM::EngineCore')).toHaveLength(1);
  const down = await kit.box.cli('down');
  expect(down.code, down.stderr).toBe(0);
  await untilNothingIsLeft(kit.box);
  expect(await watch.stop()).toEqual([]);
  expect(await kit.status()).toMatchObject({ state: 'stopped', desired: 'down' });
}

it('E3 killed in the middle of a stop: nothing is started again while down is wanted', { timeout: 120_000 }, async () => {
  kit.box.env.QD_CRASH_AT = 'after:terminate#1';
  expect((await kit.box.cli(...toUpArgs(kit.port, '', ...sets))).code).toBe(0);
  await kit.box.cli('down', '--timeout', '5s');
  delete kit.box.env.QD_CRASH_AT;
  expect((await readState(stateFile(), 'tiny'))?.desired).toBe('down');
  await kit.box.cli('supervise', 'tiny');
  expect(await kit.status()).toMatchObject({ state: 'stopped', run: 1 });
  await untilNothingIsLeft(kit.box);
});
