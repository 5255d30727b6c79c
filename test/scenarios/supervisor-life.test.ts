/** The supervisor's own bad days: killed, stopped, unable to start, its files damaged. The engine must not notice. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { waitFor } from '../../src/core/clock.ts';
import type { Deployment } from '../../src/supervisor/deployment.ts';
import {
  eachInSandbox,
  eventually,
  freePort,
  isPortOpen,
  killQuietly,
  type Sandbox,
  toUpArgs,
  untilNothingIsLeft,
  writeProfile,
} from './sandbox.ts';

let box: Sandbox;
let port: number;
eachInSandbox((made) => {
  ({ box, port } = made);
});

const timeout = 60_000;

const upArgs = (faults = '', ...more: string[]) => toUpArgs(port, faults, ...more);

const status = async () => (await box.cli('status', 'tiny', '-o', 'json')).json<Deployment>();
const place = (...path: string[]) => join(box.home, 'qd', ...path);
const stateFile = () => place('state/deployments/tiny/state.json');
const isEngine = ({ command }: { command: string }) => command.startsWith('VLLM::EngineCore');
const engines = async () => (await box.processes()).filter(isEngine).length;

async function up(...args: string[]): Promise<Deployment> {
  const result = await box.cli(...upArgs(...args), '-o', 'json');
  expect(result.code, result.stderr).toBe(0);
  return result.json<Deployment>();
}

async function loseState(): Promise<void> {
  await writeFile(stateFile(), 'rotten');
  await rm(`${stateFile()}.prev`, { force: true });
}

describe('a supervisor that is killed', { timeout }, () => {
  it.each([0, 60, 130, 250])('E1 %d ms after up was asked: the next up makes exactly one engine of it', async (afterMs) => {
    const starting = box.start(...upArgs('phase=loading:200ms'));
    const pidOf = async () =>
      Number((await readFile(place('state/deployments/tiny/supervisor.lock'), 'utf8').catch(() => '')).split('\n')[0]);
    const pid = await eventually(pidOf, (seen) => seen > 0);
    await waitFor(afterMs);
    killQuietly(pid);
    await starting.result;
    const { pid: engine } = await up('phase=loading:200ms');
    expect(await engines()).toBe(1);
    expect(await status()).toMatchObject({ state: 'ready', pid: engine, supervised: true });
    expect((await box.cli('down')).code).toBe(0);
    await untilNothingIsLeft(box);
  });

  it('E1 with all that it had started: up starts again, down leaves nothing', async () => {
    const before = await up();
    for (const { pid } of await box.processes()) killQuietly(pid);
    expect(await status()).toMatchObject({ supervised: false, health: { ready: false } });
    const after = await up();
    expect(after.run).toBe(before.run + 1);
    expect((await box.cli('down')).code).toBe(0);
    await untilNothingIsLeft(box);
  });
});

describe('a supervisor that stands still', { timeout }, () => {
  it('keeps nobody hanging: status shows what is known, down says why it cannot', async () => {
    const { supervisor, pid } = await up();
    killQuietly(supervisor?.pid ?? -1, 'SIGSTOP');
    const shown = await box.cli('status', 'tiny', '-o', 'json');
    expect(shown.json()).toMatchObject({ state: 'ready', pid, supervised: false });
    expect(shown.stderr).toMatch(/does not answer/);
    const down = await box.cli('down');
    expect(down.code).toBe(4);
    expect(down.stderr).toMatch(/supervisor\/silent/);
    killQuietly(supervisor?.pid ?? -1, 'SIGCONT');
    expect((await box.cli('down')).code).toBe(0);
    await untilNothingIsLeft(box);
  });
});

describe('a supervisor that cannot start', { timeout }, () => {
  it('is not needed to stop the engine', async () => {
    const { supervisor } = await up();
    killQuietly(supervisor?.pid ?? -1);
    await waitFor(50);
    // Nothing can listen where there is a directory.
    await rm(place('run/tiny.sock'), { force: true });
    await mkdir(place('run/tiny.sock/in-the-way'), { recursive: true });
    const refused = await box.cli(...upArgs());
    expect(refused.code).toBe(4);
    expect(refused.stderr).toMatch(/supervisor\/no-start/);
    expect(await isPortOpen(port)).toBe(true);
    const result = await box.cli('down', '-o', 'json');
    expect(result.code, result.stderr).toBe(0);
    expect(result.json()).toMatchObject({ state: 'stopped' });
    expect(result.stderr).toMatch(/from here/);
    expect(await isPortOpen(port)).toBe(false);
    await untilNothingIsLeft(box);
  });
});

describe('a supervisor without the key that another shell had', { timeout }, () => {
  it('leaves the engine in peace: that it is refused proves nothing against it', async () => {
    box.env.MY_KEY = 'sk-a-secret';
    const { pid, supervisor } = await up('', '--set', 'server.api-key=env:MY_KEY', '--set', 'health.gate-timeout=1s');
    killQuietly(supervisor?.pid ?? -1);
    delete box.env.MY_KEY;
    const other = box.start('supervise', 'tiny');
    await eventually(status, ({ supervised, state }) => supervised && state === 'ready');
    await waitFor(1500);
    expect(await status()).toMatchObject({ state: 'ready', pid, restarts: { total: 0 } });
    const refused = await box.cli(...upArgs('', '--set', 'server.api-key=env:MY_KEY'));
    expect(refused.code).toBe(4);
    expect(refused.stderr).toContain('env:MY_KEY');
    expect((await box.cli('down')).code).toBe(0);
    await other.result;
    await untilNothingIsLeft(box);
  });
});

describe('a state that is damaged', { timeout }, () => {
  it('F3 F4 with its copy: status of the others works, up ends what still runs and starts anew', async () => {
    const { supervisor } = await up();
    expect((await box.cli('up', '-p', 'demo', '--set', `server.port=${await freePort()}`)).code).toBe(0);
    killQuietly(supervisor?.pid ?? -1);
    await waitFor(50);
    await loseState();
    const list = await box.cli('status', '-o', 'json');
    expect(list.code).toBe(0);
    expect(list.json<{ deployments: Deployment[] }>().deployments.map(({ name }) => name)).toEqual(['demo']);
    expect(list.stderr).toMatch(/tiny is left out.*state\/corrupt/);
    expect((await box.cli('status', 'tiny')).code).toBe(4);
    expect((await box.cli('forget', 'tiny')).code).toBe(8);
    const again = await up();
    expect(again.run).toBe(1);
    expect(await engines()).toBe(1);
    expect((await box.cli('down', '--all')).code).toBe(0);
    await untilNothingIsLeft(box);
  });

  it('under a supervisor that lives: down works as ever', async () => {
    await up();
    await loseState();
    expect(await status()).toMatchObject({ state: 'ready', supervised: true });
    expect((await box.cli('down')).code).toBe(0);
    expect(await status()).toMatchObject({ state: 'stopped' });
    await untilNothingIsLeft(box);
  });
});

describe('commands that meet', { timeout }, () => {
  it('D3 down overtaken by up does not wait for ever', async () => {
    await up('stopDelay=5s');
    const down = box.start('down');
    await eventually(status, ({ state }) => state === 'stopping');
    const again = await box.cli(...upArgs('stopDelay=5s'));
    expect(again.code, again.stderr).toBe(0);
    const result = await down.result;
    expect(result.code, result.stderr).toBe(7);
    expect(result.stderr).toMatch(/down\/overtaken/);
    expect(await status()).toMatchObject({ state: 'ready', run: 2 });
  });

  it('D3 down is obeyed while the last launch is still being stopped for a restart', async () => {
    await up('stopDelay=1s');
    const restart = box.start('restart');
    await eventually(status, ({ state }) => state === 'stopping');
    expect((await box.cli('down')).code).toBe(0);
    expect((await restart.result).code).toBe(5);
    await untilNothingIsLeft(box);
  });
});

it('a shell with other variables finds the supervisor, and a profile by its path', { timeout }, async () => {
  box.env.QWEN_DEPLOY_HOME = '';
  box.env.XDG_RUNTIME_DIR = join(box.home, 'runtime');
  await mkdir(box.env.XDG_RUNTIME_DIR, { mode: 0o700 });
  await writeProfile(box, 'mine', `extends: demo\nserver: {port: ${port}}\n`);
  const result = await box.cli('up', '-p', './mine.yaml', '-o', 'json');
  expect(result.code, result.stderr).toBe(0);
  delete box.env.XDG_RUNTIME_DIR;
  const seen = (await box.cli('status', 'mine', '-o', 'json')).json<Deployment>();
  expect(seen).toMatchObject({ state: 'ready', supervised: true, configDrift: false });
  const state = await readFile(join(box.home, '.local/state/qwen-deploy/deployments/mine/state.json'), 'utf8');
  expect(state).toContain(`"ref":"${join(box.home, 'mine.yaml')}"`);
  expect((await box.cli('down')).code).toBe(0);
});
