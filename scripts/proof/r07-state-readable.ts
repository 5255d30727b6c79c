/** R7: the supervisor is killed at any moment, and the disk is full at any byte: the state can be read each time. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { waitFor } from '../../src/core/clock.ts';
import type { DeploymentList } from '../../src/supervisor/deployment.ts';
import { killQuietly } from '../../test/scenarios/sandbox.ts';
import { seeded } from '../../test/supervisor/reduce/world.ts';
import { type Asked, type Bar, shorten } from './lib/bar.ts';
import { findEngines, watchIncarnations } from './lib/outside.ts';
import { openStand, type Stand } from './lib/stand.ts';

const sets = ['restart.first-delay=100ms', 'restart.max-failures=20', 'stop.drain=500ms'];
/** Free pages of the disk, from none to more than one life writes. */
const fullest = 24;
const longestPauseMs = 900;

export const stateReadable: Bar = {
  id: 'R7',
  bar: 'state readable after 1,000 random SIGKILLs of the supervisor and at every ENOSPC point; no two engines',
  async prove(asked) {
    const killed = await killAll(asked.rounds(1000), asked.say);
    const filled = await fillAll(asked.rounds(fullest), asked.say);
    return {
      met: killed.problems.length === 0 && filled.problems.length === 0,
      figure: `${killed.figure}; ${filled.figure}`,
      lines: [...shorten(killed.problems), ...shorten(filled.problems)],
    };
  },
};

interface Found {
  readonly figure: string;
  readonly problems: readonly string[];
}

async function killAll(rounds: number, say: Asked['say']): Promise<Found> {
  const problems: string[] = [];
  const lives = new Map<string, number>();
  const stand = await openStand({ sets });
  const watch = watchIncarnations(stand.box.home);
  const random = seeded(7);
  const commands: Promise<unknown>[] = [];
  let kills = 0;
  try {
    await stand.up();
    for (let tries = 0; kills < rounds && tries < 5 * rounds; tries += 1) {
      const command = startCommand(stand, random());
      commands.push(command.result);
      await waitFor(longestPauseMs * random());
      if (stand.killSupervisor() === undefined) continue;
      kills += 1;
      const { life, problem } = await readStatus(stand);
      lives.set(life, (lives.get(life) ?? 0) + 1);
      if (problem !== undefined) problems.push(`kill ${kills}: ${problem}`);
      if (kills % 100 === 0) say(`${kills} of ${rounds} kills`);
      // Two at a time meet each other too; more would only wait for each other.
      if (random() < 0.5) await command.result;
    }
  } finally {
    // One that is still under way would start an engine after the last look.
    await Promise.all(commands);
    watch.end();
    await stand.dispose();
  }
  problems.push(...watch.doubles.map((double) => `two incarnations: ${double}`));
  if (kills < rounds) problems.push(`only ${kills} kills: mostly there was no supervisor`);
  const seen = [...lives].map(([life, count]) => `${life} ${count}`).join(', ');
  const figure = `${kills - (lives.get('unreadable') ?? 0)}/${kills} readable after SIGKILL (${seen}), ${watch.doubles.length} times two of ${watch.launches()} launches`;
  return { problems, figure };
}

function startCommand(stand: Stand, dice: number) {
  if (dice < 0.6) return stand.startUp();
  return dice < 0.8 ? stand.box.start('down', 'tiny', '--grace', '500ms') : stand.box.start('restart', 'tiny');
}

/** Of all: a deployment whose state cannot be read is left out there, and said. */
async function readStatus({ box }: Stand): Promise<{ readonly life: string; readonly problem?: string }> {
  const { code, stdout, stderr } = await box.cli('status', '-o', 'json');
  try {
    const { kind, deployments } = JSON.parse(stdout) as DeploymentList;
    const life = deployments.find(({ name }) => name === 'tiny')?.state;
    if (code === 0 && kind === 'DeploymentList' && life !== undefined) return { life };
  } catch {
    // said below
  }
  return { life: 'unreadable', problem: `status: exit ${code}: ${stdout.slice(0, 200)} ${stderr.slice(0, 300)}` };
}

async function fillAll(points: number, say: Asked['say']): Promise<Found> {
  const problems: string[] = [];
  const stand = await openStand({ sets });
  const disk = stand.place('state');
  mkdirSync(disk, { recursive: true, mode: 0o700 });
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=96m,mode=0700', 'tmpfs', disk], { encoding: 'utf8' });
  if (mounted.status !== 0) {
    await stand.dispose();
    return { figure: 'ENOSPC not tried', problems: [`a tmpfs needs root: ${mounted.stderr.trim()}`] };
  }
  process.once('exit', () => spawnSync('umount', ['-l', disk], { stdio: 'ignore' }));
  const watch = watchIncarnations(stand.box.home);
  try {
    for (let point = 0; point < points; point += 1) {
      // Few points are spread over the whole range.
      const pages = Math.floor((point * fullest) / points);
      const told = await fillOnce(stand, disk, pages);
      problems.push(...told.map((problem) => `${pages} pages free: ${problem}`));
      say(`${pages} pages free: ${told.length === 0 ? 'readable' : told.join('; ')}`);
    }
  } finally {
    watch.end();
    await stand.down('--force');
    for (const { pid } of await stand.box.processes()) killQuietly(pid);
    spawnSync('umount', ['-l', disk]);
    await stand.dispose();
  }
  problems.push(...watch.doubles.map((double) => `two incarnations: ${double}`));
  return { problems, figure: `readable at ${points} ENOSPC points, ${problems.length} problems` };
}

/** A crash, a killed supervisor and a stop on a disk that is full; then there is room again, and all goes on. */
async function fillOnce(stand: Stand, disk: string, pages: number): Promise<readonly string[]> {
  const problems: string[] = [];
  const check = async (when: string) => {
    const { problem } = await readStatus(stand);
    if (problem !== undefined) problems.push(`${when}: ${problem}`);
  };
  await stand.up();
  const filler = `${disk}/filler`;
  fill(filler, { disk, pages });
  try {
    const [engine] = findEngines(stand.box.home);
    if (engine !== undefined) killQuietly(engine.pid);
    await waitFor(400);
    await check('after a crash');
    stand.killSupervisor();
    await check('after the supervisor was killed');
    await stand.startUp().result;
    await check('after up');
    const down = await stand.down('--grace', '500ms');
    await check(`after down (exit ${down.code})`);
    if (findEngines(stand.box.home).length > 0) problems.push(`down (exit ${down.code}) left an engine`);
  } finally {
    rmSync(filler, { force: true });
  }
  await stand.up();
  await check('with room again');
  return problems;
}

function fill(path: string, { disk, pages }: { readonly disk: string; readonly pages: number }): void {
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(path, Buffer.alloc(Math.max(0, bavail - pages) * bsize));
}
