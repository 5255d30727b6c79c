/** The supervisor's record on a bad day: no room, no writing, deleted, replaced by links, of another machine. */
import { access, lstat, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { waitFor } from '../../src/core/clock.ts';
import type { DeploymentEvent } from '../../src/core/event.ts';
import { toFnv1a } from '../../src/core/fnv.ts';
import { isDead, readProcess } from '../../src/host/proc.ts';
import type { Deployment } from '../../src/supervisor/deployment.ts';
import { readState } from '../../src/supervisor/store.ts';
import { eventually, killQuietly, toUpArgs, untilNothingIsLeft } from '../scenarios/sandbox.ts';
import { openKit, quick } from './kit.ts';
import { openDisks } from './machine.ts';

const kit = openKit();
const disks = openDisks();
const timeout = 60_000;

const place = (...path: string[]) => join(kit.box.home, 'qd', ...path);
const stateFile = () => place('state/deployments/tiny/state.json');
const isThere = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );
const toNotes = (events: readonly DeploymentEvent[]) => events.flatMap((event) => (event.type === 'note' ? [event.note.id] : []));

/**
 * Whom to tell and how much to keep: taken over without a restart, and worth writing down. The long text makes the record
 * larger than the copy that goes for it, whose room is free then.
 */
const otherLimits = ['logs.keep=7', `notify=${JSON.stringify([{ command: ['/bin/true', 'x'.repeat(20_000)], on: ['failed'] }])}`];

async function expectServing(before: Deployment): Promise<void> {
  expect(await kit.complete('Hello')).toBe(200);
  expect(await kit.status()).toMatchObject({ state: 'ready', launchId: before.launchId, pid: before.pid, restarts: { total: 0 } });
}

async function expectToldAndRestored(): Promise<void> {
  const notes = await eventually(
    async () => toNotes(await kit.events()),
    (seen) => seen.includes('life.persistence-restored'),
  );
  expect(notes.filter((id) => id === 'life.persistence-degraded')).toHaveLength(1);
}

describe('a disk that takes nothing', { timeout }, () => {
  it('F1 full: the old state stays whole, the engine serves, it is said, and written when there is room again', async () => {
    const disk = await disks.add(place('state'), '96m');
    const before = await kit.up('', 'health.interval=300ms');
    await disk.fill();
    const changed = await kit.up('', 'health.interval=300ms', ...otherLimits);
    expect(changed.launchId).toBe(before.launchId);
    expect((await readState(stateFile(), 'tiny'))?.wanted.logs?.keep).not.toBe(7);
    await expectServing(before);
    await disk.empty();
    await expectToldAndRestored();
    await eventually(
      () => readState(stateFile(), 'tiny'),
      (state) => state?.wanted.logs?.keep === 7,
    );
    expect((await kit.box.cli('down')).code).toBe(0);
    await untilNothingIsLeft(kit.box);
  });

  it('F2 read-only: a new supervisor takes over all the same', async () => {
    const disk = await disks.add(place('state'), '96m');
    // What is open for writing keeps a file system from becoming read-only: the engine's log is elsewhere.
    await mkdir(place('state/deployments/tiny'), { recursive: true, mode: 0o700 });
    await disks.add(place('state/deployments/tiny/launches'), '96m');
    const before = await kit.up('', 'health.interval=300ms');
    killQuietly(before.supervisor?.pid ?? 0);
    await eventually(
      () =>
        disk.readOnly(true).then(
          () => true,
          () => false,
        ),
      Boolean,
    );
    const again = await kit.up('', 'health.interval=300ms', ...otherLimits);
    expect(again.supervisor?.pid).not.toBe(before.supervisor?.pid);
    expect((await readState(stateFile(), 'tiny'))?.wanted.logs?.keep).not.toBe(7);
    await expectServing(before);
    await disk.readOnly(false);
    await expectToldAndRestored();
    expect((await readState(stateFile(), 'tiny'))?.wanted.logs?.keep).toBe(7);
  });
});

/** Faults of the disk that no mount has, in every Node process of the sandbox, by files that switch them on. */
async function hookDisk(slowMs: number): Promise<{ readonly broken: string; readonly slow: string }> {
  const [hook, broken, slow] = ['hook.cjs', 'broken', 'slow'].map((name) => join(kit.box.home, name)) as [string, string, string];
  const text = `
    const { existsSync, promises } = require('node:fs');
    promises.open('/dev/null').then((handle) => {
      const made = Object.getPrototypeOf(handle);
      const { sync, writeFile } = made;
      made.sync = async function () {
        if (existsSync(${JSON.stringify(slow)})) await new Promise((resolve) => setTimeout(resolve, ${slowMs}));
        return sync.call(this);
      };
      made.writeFile = async function (...args) {
        if (existsSync(${JSON.stringify(broken)})) throw Object.assign(new Error('EIO: i/o error, write'), { code: 'EIO' });
        return writeFile.apply(this, args);
      };
      return handle.close();
    });`;
  await writeFile(hook, text);
  kit.box.env.NODE_OPTIONS = `--require ${hook}`;
  return { broken, slow };
}

describe('a disk that fails', { timeout }, () => {
  it('F9 EIO at each write: as with a full one', async () => {
    const { broken } = await hookDisk(0);
    const before = await kit.up('', 'health.interval=300ms');
    await writeFile(broken, '');
    await kit.up('', 'health.interval=300ms', ...otherLimits);
    expect((await readState(stateFile(), 'tiny'))?.wanted.logs?.keep).not.toBe(7);
    await expectServing(before);
    const degraded = (await kit.events()).find((event) => event.type === 'note' && event.note.id === 'life.persistence-degraded');
    expect(degraded).toMatchObject({ note: { params: { problem: 'EIO' } } });
    await rm(broken);
    await expectToldAndRestored();
  });

  it('F10 a flush that takes seconds: questions are answered meanwhile, and who gave the order waits', async () => {
    const { slow } = await hookDisk(800);
    await kit.up();
    await writeFile(slow, '');
    const startedAt = performance.now();
    let answered = false;
    const down = kit.box.cli('down').finally(() => {
      answered = true;
    });
    await waitFor(300);
    const askedAt = performance.now();
    expect((await kit.status()).supervised).toBe(true);
    expect(performance.now() - askedAt).toBeLessThan(2000);
    expect(answered).toBe(false);
    expect((await down).code).toBe(0);
    expect(performance.now() - startedAt).toBeGreaterThan(1600);
  });
});

it('F6 the directory is deleted under a supervisor that lives: written anew from memory, and said', { timeout }, async () => {
  const before = await kit.up();
  for (const gone of ['state', 'run']) await rm(place(gone), { recursive: true });
  await eventually(() => isThere(stateFile()), Boolean);
  await kit.until(({ supervised }) => supervised);
  await expectServing(before);
  expect(toNotes(await kit.events())).toContain('life.record-restored');
  const second = await kit.box.cli('supervise', 'tiny');
  expect(second.code).toBe(4);
  expect(second.stderr).toContain(String(before.supervisor?.pid));
  expect((await kit.box.cli('down')).code).toBe(0);
  await untilNothingIsLeft(kit.box);
});

describe('F8 a link was planted', { timeout }, () => {
  const aim = () => join(kit.box.home, 'somebody-elses');

  it.each(['state.json', 'supervisor.lock'])('in the place of %s: refused, named, and not followed', async (name) => {
    await kit.up();
    expect((await kit.box.cli('down')).code).toBe(0);
    const path = place('state/deployments/tiny', name);
    await writeFile(aim(), await readFile(path));
    await rm(path);
    await symlink(aim(), path);
    const before = await readFile(aim(), 'utf8');
    const result = await kit.tryUp();
    expect(result.code).toBe(4);
    expect(result.json()).toMatchObject({ code: 'state/link', message: expect.stringContaining(path) });
    expect(await readFile(aim(), 'utf8')).toBe(before);
    expect((await lstat(path)).isSymbolicLink()).toBe(true);
  });

  it('in the place of the journal: nothing is added to what it points to', async () => {
    await writeFile(aim(), 'precious\n');
    await mkdir(place('state/deployments/tiny'), { recursive: true, mode: 0o700 });
    await symlink(aim(), place('state/deployments/tiny/events.ndjson'));
    await kit.up();
    expect((await kit.box.cli('down')).code).toBe(0);
    expect(await readFile(aim(), 'utf8')).toBe('precious\n');
  });

  it('in the place of the directory of sockets: refused', async () => {
    await mkdir(aim());
    await mkdir(place(), { recursive: true });
    await symlink(aim(), place('run'));
    const result = await kit.tryUp();
    expect(result.code).toBe(4);
    expect(result.json()).toMatchObject({ code: 'state/not-writable', message: expect.stringContaining(place('run')) });
  });
});

it('F12 a record of another boot is restored: nobody is signalled', { timeout }, async () => {
  const before = await kit.up('', ...quick);
  const engine = await readProcess(before.pid ?? 0);
  killQuietly(before.supervisor?.pid ?? 0);
  const state = await eventually(
    () => readState(stateFile(), 'tiny'),
    (seen) => seen?.launch?.process !== undefined,
  );
  const body = JSON.stringify({ ...state, launch: { ...state?.launch, bootId: '01234567-89ab-cdef-0123-456789abcdef' } });
  await writeFile(stateFile(), `{"checksum":"${toFnv1a(body)}","state":${body}}\n`);
  const sets = quick.flatMap((set) => ['--set', set]);
  expect((await kit.box.cli(...toUpArgs(kit.port, '', ...sets, '--timeout', '4s'))).code).not.toBe(0);
  const now = await readProcess(before.pid ?? 0);
  expect(isDead(now)).toBe(false);
  expect(now?.startTicks).toBe(engine?.startTicks);
  expect(await kit.complete('Hello')).toBe(200);
});
