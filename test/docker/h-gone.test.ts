/** Rows of the fault matrix in which the Docker engine is not there at the end of a launch. */
import { describe, expect, it } from 'vitest';
import { eventually, freePort, killQuietly } from '../scenarios/sandbox.ts';
import { type Opened, openEmpty, openReady, readStory, untilGone } from './h-open.ts';

interface Answer {
  readonly code: number;
  readonly text: string;
}

/** What `down` says within its limits when Docker cannot be asked. */
async function expectTold({ row }: Opened, words: readonly string[], { code, text }: Answer): Promise<void> {
  const begun = performance.now();
  const told = await row.box.cli('down', ...words);
  expect(performance.now() - begun).toBeLessThan(30_000);
  expect([told.code, told.stderr]).toEqual([code, expect.stringContaining(text)]);
  expect(told.stderr).toContain('cannot be asked');
}

/** And what `status` says after it. */
async function expectOwed(opened: Opened, words: readonly string[]): Promise<void> {
  const { row, id } = opened;
  await expectTold(opened, words, { code: 7, text: `container ${id.slice(0, 12)} is still to be removed` });
  expect(await row.status()).toMatchObject({ state: 'unknown', desired: 'down', owed: { containerId: id }, health: { ready: false } });
  expect((await row.box.cli('status', 'boxed')).stdout).toContain('it is removed as soon as Docker answers');
}

async function expectSettled({ row }: Opened): Promise<void> {
  await eventually(row.list, (left) => left.length === 0, 30_000);
  const settled = await eventually(row.status, ({ state }) => state === 'stopped');
  expect(settled).toMatchObject({ desired: 'down', restarts: { total: 0, sinceStable: 0 } });
  expect(settled.owed).toBeUndefined();
  expect((await row.events()).filter(({ type }) => type === 'launched')).toHaveLength(1);
}

/** The engine hangs meanwhile. */
async function withHanging({ engine }: Opened, work: () => Promise<void>): Promise<void> {
  const pid = await engine.readPid();
  process.kill(pid, 'SIGSTOP');
  try {
    await work();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

/** Each waits for the end of somebody's patience, some twice. */
describe('a Docker engine that is not there at the end of a launch', { timeout: 120_000 }, () => {
  it('H1: because it stopped owes the removal: down says so, and it is done when it is back', async () => {
    const opened = await openReady();
    await opened.engine.halt();
    await expectOwed(opened, []);
    expect(await readStory(opened.row)).toContain('removes it as soon as it answers');
    await opened.engine.resume();
    await expectSettled(opened);
  });

  it('H1: and no supervisor either: down --force ends in time, twice, and removes the rest when Docker is back', async () => {
    const opened = await openReady();
    await opened.engine.halt();
    killQuietly((await opened.row.status()).supervisor?.pid ?? 0);
    await expectOwed(opened, ['--force']);
    await expectOwed(opened, ['--all', '--force']);
    await opened.engine.resume();
    expect((await opened.row.box.cli('down', '--force')).code).toBe(0);
    await expectSettled(opened);
  });

  it('H1: keeps nobody in the foreground who has asked for the end', async () => {
    const { engine, row } = await openEmpty();
    const running = row.box.start('up', '-p', './boxed.yaml', '--yes', '--foreground');
    await eventually(row.list, (all) => all.length === 1);
    await eventually(row.status, ({ state }) => state === 'ready', 30_000);
    const id = await row.find();
    await engine.halt();
    await eventually(row.status, ({ owed }) => owed !== undefined, 30_000);
    const begun = performance.now();
    process.kill(running.pid, 'SIGINT');
    const ended = await running.result;
    expect(performance.now() - begun).toBeLessThan(30_000);
    expect([ended.code, ended.stderr]).toEqual([130, expect.stringContaining(`container ${id.slice(0, 12)} is still to be removed`)]);
    await engine.resume();
    expect((await row.box.cli('down')).code).toBe(0);
    await expectSettled({ engine, row, id });
  });

  it('H2: with live-restore, has its engine told to end by the kernel: it ends by itself, and only its container is left', async () => {
    const opened = await openReady({ engine: ['--live-restore'] });
    await opened.engine.halt();
    await expectOwed(opened, []);
    expect((await opened.row.events()).map(({ type }) => type)).toEqual(expect.arrayContaining(['stopping', 'unknown']));
    expect((await opened.row.events()).map(({ type }) => type)).not.toContain('killing');
    await opened.engine.resume();
    await expectSettled(opened);
  });

  it('H3: because it hangs has it ended by the kernel: down --force ends in time, and the container goes when it answers', async () => {
    const opened = await openReady();
    const { pid = 0 } = await opened.row.status();
    await withHanging(opened, async () => {
      await expectOwed(opened, ['--force']);
      await untilGone(pid);
    });
    await expectSettled(opened);
  });

  it('H3: elsewhere cannot be looked past: nobody knows what lives, and Docker is what is named', async () => {
    const host = `tcp://127.0.0.1:${await freePort()}`;
    const opened = await openReady({ engine: ['-H', host, '--tls=false'], host });
    await withHanging(opened, async () => {
      await expectTold(opened, ['--force'], { code: 9, text: `Docker, which runs its container ${opened.id.slice(0, 12)}` });
      const blind = await opened.row.status();
      expect(blind).toMatchObject({ state: 'unknown', desired: 'down', containerId: opened.id });
      expect([blind.owed, blind.health.reason]).toEqual([undefined, expect.stringContaining('docker/')]);
    });
    await expectSettled(opened);
  });
});
