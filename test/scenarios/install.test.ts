/** Units of systemd: written and verified where it does not run, put to work where it does (a stand-in of it). */
import { execFile } from 'node:child_process';
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import type { UnitReport } from '../../src/operate/install-unit.ts';
import type { Deployment } from '../../src/supervisor/deployment.ts';
import { createStandInSystemd, type StandInSystemd } from '../operate/stand-in-systemd.ts';
import { eachInSandbox, eventually, killQuietly, type Sandbox, toUpArgs, untilNothingIsLeft } from './sandbox.ts';

let box: Sandbox;
let port: number;
eachInSandbox((made) => {
  ({ box, port } = made);
});

const timeout = 60_000;
const unitFile = () => join(box.home, '.config/systemd/user/qwen-deploy-tiny.service');
const status = async () => (await box.cli('status', 'tiny', '-o', 'json')).json<Deployment>();

async function succeed<T>(...args: string[]): Promise<T> {
  const result = await box.cli(...args, '-o', 'json');
  expect(result.code, result.stderr + result.stdout).toBe(0);
  return result.json<T>();
}

async function verify(file: string): Promise<void> {
  const runtime = await mkdtemp(join(tmpdir(), 'qd-verify-'));
  try {
    const said = await promisify(execFile)('systemd-analyze', ['--user', 'verify', file], {
      env: { ...process.env, XDG_RUNTIME_DIR: runtime },
    });
    expect(said.stderr).toBe('');
  } finally {
    await rm(runtime, { recursive: true, force: true });
  }
}

describe('install where systemd does not run', { timeout }, () => {
  it('writes the unit, verifies it, says what is left; another one is asked for; uninstall removes it', async () => {
    // Whatever this machine has: a manager that says so.
    const { bin } = await createStandInSystemd(box.home, { failing: { 'is-system-running': 'offline' } });
    box.env.PATH = `${bin}:${box.env.PATH}`;
    const { pid } = await succeed<Deployment>(...toUpArgs(port));
    const report = await succeed<UnitReport>('install');
    expect(report).toMatchObject({ kind: 'Unit', version: 1, deployment: 'tiny', path: unitFile(), verified: true });
    expect(report).toMatchObject({ changed: true, enabled: false, active: false });
    expect(report.commands).toEqual([
      'systemctl --user daemon-reload && systemctl --user enable --now qwen-deploy-tiny.service',
      expect.stringMatching(/^loginctl enable-linger \S+$/),
    ]);
    await verify(unitFile());
    expect(await succeed('install', 'tiny')).toMatchObject({ changed: false, verified: true });

    await appendFile(unitFile(), 'Alias=mine.service\n');
    const refused = await box.cli('install', 'tiny');
    expect(refused.code).toBe(8);
    expect(refused.stderr).toContain('- Alias=mine.service');
    expect(await readFile(unitFile(), 'utf8')).toContain('Alias');
    expect(await succeed('install', 'tiny', '--yes')).toMatchObject({ changed: true });
    expect(await readFile(unitFile(), 'utf8')).not.toContain('Alias');
    expect((await box.cli('install', 'tiny', '-o', 'quiet')).stdout).toBe(`${unitFile()}\n`);

    expect(await succeed('uninstall')).toMatchObject({ kind: 'Unit', deployment: 'tiny', changed: true, enabled: false });
    await expect(readFile(unitFile())).rejects.toThrow(/ENOENT/);
    expect((await box.cli('uninstall', 'tiny')).code).toBe(6);
    expect(await status()).toMatchObject({ state: 'ready', pid, supervised: true });
  });
});

describe('install where systemd runs', { timeout }, () => {
  let systemd: StandInSystemd;
  beforeEach(async () => {
    systemd = await createStandInSystemd(box.home);
    box.env.PATH = `${systemd.bin}:${box.env.PATH}`;
  });

  it('hands a running deployment over, tells systemd how it is, and gives it back; the engine notices nothing', async () => {
    const before = await succeed<Deployment>(...toUpArgs(port));
    const report = await succeed<UnitReport>('install');
    expect(report).toMatchObject({ enabled: true, active: true, verified: true, lingering: false });
    expect(report.commands).toEqual([expect.stringMatching(/^loginctl enable-linger/)]);
    const after = await eventually(status, ({ supervised, state }) => supervised && state === 'ready');
    expect(after).toMatchObject({ pid: before.pid, launchId: before.launchId, restarts: { total: 0 } });
    expect(after.supervisor?.pid).not.toBe(before.supervisor?.pid);

    const said = await eventually(systemd.notified, (lines) => lines.filter((line) => line === 'WATCHDOG=1').length >= 3);
    expect(said[0]).toBe('READY=1');
    expect(said).toContain('STATUS=tiny: ready');

    expect(await succeed('install', 'tiny')).toMatchObject({ changed: false, active: true });
    expect((await status()).supervisor?.pid).toBe(after.supervisor?.pid);

    await succeed('uninstall', 'tiny');
    const free = await eventually(status, ({ supervised, state }) => supervised && state === 'ready');
    expect(free).toMatchObject({ pid: before.pid, launchId: before.launchId });
    expect(free.supervisor?.pid).not.toBe(after.supervisor?.pid);
    expect((await systemd.calls()).slice(-2)).toEqual(['disable --now qwen-deploy-tiny.service', 'daemon-reload']);
    expect((await box.cli('down')).code).toBe(0);
    await untilNothingIsLeft(box);
  });

  it('up starts the unit and no supervisor beside it, after its death and after down', async () => {
    await succeed<Deployment>(...toUpArgs(port));
    await succeed('install');
    const { supervisor } = await status();
    killQuietly(supervisor?.pid ?? -1);
    await eventually(status, ({ supervised }) => !supervised);
    const starts = async () => (await systemd.calls()).filter((call) => call === 'start qwen-deploy-tiny.service').length;
    const healed = await succeed<Deployment>(...toUpArgs(port));
    expect(await starts()).toBe(2);
    expect(await systemd.notified()).toContain('READY=1');

    expect((await box.cli('down')).code).toBe(0);
    await untilNothingIsLeft(box);
    expect((await systemd.notified()).at(-1)).toBe('STOPPING=1');
    const again = await succeed<Deployment>(...toUpArgs(port));
    expect(await starts()).toBe(3);
    expect(again.run).toBe(healed.run + 1);
  });
});
