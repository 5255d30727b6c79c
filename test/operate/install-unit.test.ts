import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureDeploymentPaths } from '../../src/control/directory.ts';
import { tryLock } from '../../src/host/lock.ts';
import { installUnits } from '../../src/operate/install-unit.ts';
import { notifyManager } from '../../src/operate/notify-manager.ts';
import { uninstallUnits } from '../../src/operate/uninstall-unit.ts';
import { ensureSecretFile, toUnitEnvironment } from '../../src/operate/unit-environment.ts';
import { endSupervisor } from '../../src/operate/unit-handover.ts';
import { verifyUnit } from '../../src/operate/unit-systemd.ts';
import { renderUnit, toUnitDifference, toUnitPath, toUnitWord } from '../../src/operate/unit-text.ts';
import type { State } from '../../src/supervisor/state.ts';
import { writeState } from '../../src/supervisor/store.ts';
import { makeSpec, makeState, makeWanted } from '../supervisor/make.ts';
import { createTestContext, type TestContext } from './context.ts';
import { createStandInSystemd, type StandInOptions, type StandInSystemd } from './stand-in-systemd.ts';

const skeleton = await readFile(new URL('../../templates/systemd/supervisor.service', import.meta.url), 'utf8');

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'qd-unit-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

describe('the text of a unit', () => {
  it('is as reviewed', async () => {
    const text = renderUnit(skeleton, {
      name: 'chat',
      directory: '/home/mei/.local/state/qwen-deploy/deployments/chat',
      command: ['/usr/bin/node', '/opt/qwen deploy/dist/main.js', 'supervise', 'chat'],
      environment: { PATH: '/usr/bin:/bin', QWEN_DEPLOY_HOME: '/srv/100%' },
      environmentFile: '/home/mei/.config/qwen-deploy/env/chat.env',
    });
    await expect(text).toMatchFileSnapshot('../golden/unit/chat.service');
  });

  it.each([
    ['plain', 'serve', '"serve"'],
    ['empty', '', '""'],
    ['space and quotes', `a "b" 'c'`, `"a \\"b\\" 'c'"`],
    ['specifiers', '100%h %%', '"100%%h %%%%"'],
    ['backslashes', 'a\\nb\\', '"a\\\\nb\\\\"'],
    ['lines', 'a\nExecStartPost=/bin/evil\r\tb', '"a\\nExecStartPost=/bin/evil\\r\\tb"'],
    ['what only a shell or ExecStart would expand', '$HOME $X; @-:+!', '"$HOME $X; @-:+!"'],
  ])('a word: %s', (_, value, expected) => {
    expect(toUnitWord(value)).toBe(expected);
  });

  it('a path that is a whole value has its specifiers escaped, and nothing else', () => {
    expect(toUnitPath('/a b/"c"/50%/d')).toBe('/a b/"c"/50%%/d');
    for (const path of ['/a\nExecStart=/bin/evil', '/a\\', '/a ', '/a\0b']) expect(() => toUnitPath(path)).toThrow(/unit\/unwritable/);
    expect(() => toUnitWord('a\0b')).toThrow(/unit\/unwritable/);
  });

  it('systemd itself reads hostile words as they were meant', async () => {
    // It looks for the program, so a word that it reads otherwise is one that is not there.
    const directory = join(home, 'a b %h %% $HOME; 1');
    await mkdir(directory);
    const program = join(directory, 'node');
    await writeFile(program, '#!/bin/sh\n');
    await chmod(program, 0o755);
    const parts = { name: 'chat', directory: home, environment: { A: '%n "\\ \n', B: '' } };
    const verify = (command: [string]) =>
      verifyUnit({ unit: 'qwen-deploy-chat.service', path: '' }, renderUnit(skeleton, { ...parts, command }), context());
    expect(await verify([program])).toEqual({ is: 'right' });
    expect(await verify([`${program}-not`])).toMatchObject({
      is: 'wrong',
      problem: expect.stringContaining(`${program}-not is not executable`),
    });
    // It takes no program with quotes or a backslash in its path, but names it as it is.
    const quoted = join(home, '"q" \\n');
    expect(await verify([quoted])).toMatchObject({ is: 'wrong', problem: expect.stringContaining(`special characters: ${quoted}`) });
  });

  it('a setting that this systemd does not know is a problem; a missing systemd-analyze leaves it unknown', async () => {
    const place = { unit: 'qwen-deploy-chat.service', path: '' };
    const wrong = await verifyUnit(place, '[Service]\nExecStart=/bin/true\nKillMode=gently\n', context());
    expect(wrong).toMatchObject({ is: 'wrong', problem: expect.stringMatching(/^qwen-deploy-chat\.service:3: .*gently/) });
    const absent = await verifyUnit(place, '[Service]\nExecStart=/bin/true\n', { env: { PATH: home } });
    expect(absent).toEqual({ is: 'unknown', problem: 'systemd-analyze: ENOENT' });
  });

  it('differences are those of lines', () => {
    expect(toUnitDifference('a=1\n\nb=2\n', 'a=1\nb=3\n')).toEqual(['- b=2', '+ b=3']);
  });
});

describe('what a unit knows of the shell', () => {
  const env = { HOME: '/home/mei', PATH: '/bin', HF_HOME: '/hf', HF_TOKEN: 'hf_x', HTTPS_PROXY: 'http://me:pw@proxy:1', AWS_SECRET: 'x' };

  it('paths and plain settings, no secrets, nothing of others', () => {
    const spec = makeSpec({ secretEnv: { VLLM_API_KEY: 'env:MY_KEY', OTHER: 'file:/run/key' }, apiKey: 'env:MY_KEY' });
    const found = toUnitEnvironment('chat', spec, { ...context(), env: { ...env, QWEN_DEPLOY_HOME: 'here' }, cwd: '/srv' });
    expect(found.plain).toEqual({ PATH: '/bin', HF_HOME: '/hf', QWEN_DEPLOY_HOME: '/srv/here' });
    expect(found.file).toMatchObject({ variables: ['MY_KEY'], also: ['HF_TOKEN', 'HTTPS_PROXY'] });
    expect(JSON.stringify(found)).not.toMatch(/hf_x|me:pw/);
    const plain = toUnitEnvironment('chat', makeSpec(), { ...context(), env: { PATH: '/bin' } });
    expect(plain).toEqual({ plain: { PATH: '/bin' } });
  });

  it('the file of secrets is made with names, without values, for this user alone', async () => {
    const file = { path: join(home, 'config/env/chat.env'), variables: ['A', 'B'], also: [] };
    expect(await ensureSecretFile(file)).toEqual({ missing: ['A', 'B'], open: false });
    expect(await readFile(file.path, 'utf8')).toBe('A=\nB=\n');
    expect((await stat(file.path)).mode & 0o777).toBe(0o600);
    await writeFile(file.path, 'A=x=y\nB=""\n#C=1\n');
    await chmod(file.path, 0o644);
    expect(await ensureSecretFile(file)).toEqual({ missing: ['B'], open: true });
  });
});

describe('install', () => {
  let systemd: StandInSystemd;
  const unitFile = () => join(home, '.config/systemd/user/qwen-deploy-tiny.service');

  async function prepare(state: Partial<State>, options: StandInOptions = {}): Promise<TestContext> {
    systemd = await createStandInSystemd(home, options);
    const prepared = context(systemd);
    await writeState((await ensureDeploymentPaths(prepared.places, 'tiny')).state, makeState(state));
    return prepared;
  }

  it('of what is down: enabled for the next up, and nothing is started', async () => {
    const [report] = await installUnits({ names: [], yes: false }, await prepare({ life: 'stopped' }, { lingers: true }));
    expect(report).toMatchObject({ enabled: true, active: false, lingering: true, verified: true });
    expect(report?.notes?.map(({ id }) => id)).toEqual(['unit.idle', 'unit.lingers']);
    expect(report?.commands).toBeUndefined();
    expect((await systemd.calls()).filter((call) => !call.startsWith('is-'))).toEqual(['daemon-reload', 'enable qwen-deploy-tiny.service']);
  });

  it('without the secrets of a later start: written, but whoever supervises now stays', async () => {
    const wanted = makeWanted('a', { apiKey: 'env:MY_KEY' });
    const prepared = await prepare({ life: 'ready', desired: 'up', wanted });
    const [report] = await installUnits({ names: ['tiny'], yes: false }, prepared);
    expect(report).toMatchObject({
      enabled: false,
      active: false,
      environmentFile: { missing: ['MY_KEY'] },
      commands: ['qwen-deploy install tiny'],
    });
    expect(report?.problems?.map(({ id }) => id)).toEqual(['unit.no-secrets']);
    expect(await systemd.calls()).not.toContain('enable qwen-deploy-tiny.service');
    expect(await readFile(unitFile(), 'utf8')).toContain(`EnvironmentFile=-${join(prepared.places.config, 'env/tiny.env')}\n`);
  });

  it('says what systemctl said when it fails', async () => {
    const prepared = await prepare({ life: 'stopped' }, { failing: { enable: 'Failed to enable unit: no room' } });
    await expect(installUnits({ names: ['tiny'], yes: false }, prepared)).rejects.toMatchObject({
      code: 'unit/systemctl',
      params: { problem: 'Failed to enable unit: no room' },
    });
  });

  it('a unit of somebody else’s hand is asked for, and a no changes nothing', async () => {
    const prepared = await prepare({ life: 'stopped' });
    await mkdir(join(unitFile(), '..'), { recursive: true });
    await writeFile(unitFile(), '[Service]\nExecStart=/bin/mine\n');
    await expect(installUnits({ names: ['tiny'], yes: false }, prepared)).rejects.toMatchObject({ code: 'confirm/declined' });
    expect(prepared.words()).toContain('unit.differs');
    expect(await readFile(unitFile(), 'utf8')).toContain('/bin/mine');
  });

  it('of what there is not, and uninstall of what has no unit', async () => {
    const prepared = await prepare({ life: 'stopped' });
    await expect(installUnits({ names: ['tinny'], yes: false }, prepared)).rejects.toMatchObject({ code: 'deployment/unknown' });
    await expect(uninstallUnits([], prepared)).rejects.toMatchObject({ code: 'unit/none' });
    await expect(uninstallUnits(['tiny'], prepared)).rejects.toMatchObject({ code: 'unit/unknown' });
  });

  it('never signals a process that does not hold the lock, whatever the lock’s text says', async () => {
    const prepared = await prepare({ life: 'ready' });
    const paths = await ensureDeploymentPaths(prepared.places, 'tiny');
    expect(await endSupervisor('tiny', paths)).toBeUndefined();
    const holder = await tryLock(paths.lock);
    const other = execFile('sleep', ['30']);
    try {
      await holder?.describe(`${other.pid}\n\n`);
      await expect(endSupervisor('tiny', paths)).rejects.toMatchObject({ code: 'unit/handover' });
      expect(other.exitCode ?? other.signalCode).toBeNull();
    } finally {
      other.kill('SIGKILL');
      await holder?.release();
    }
  });
});

describe('what systemd is told', () => {
  const idle = () => {
    const observers = new Set<(state: State) => void>();
    let now = makeState({ life: 'starting' });
    return {
      get now() {
        return now;
      },
      become(life: State['life']) {
        now = { ...now, life };
        for (const observer of observers) observer(now);
      },
      send: async () => 0,
      observe: (observer: (state: State) => void) => {
        observers.add(observer);
        return () => observers.delete(observer);
      },
    };
  };
  const socket = { NOTIFY_SOCKET: '/nobody/listens', WATCHDOG_USEC: '60000' };

  it('ready, each state, that it works, and the end', async () => {
    const systemd = await createStandInSystemd(home);
    const supervisor = idle();
    const notified = notifyManager(supervisor, context(systemd, { ...socket, WATCHDOG_USEC: '60000000' }));
    await expect.poll(systemd.notified).toEqual(['READY=1', 'STATUS=tiny: starting', 'WATCHDOG=1']);
    supervisor.become('ready');
    await expect.poll(systemd.notified).toContain('STATUS=tiny: ready');
    await notified?.end();
    expect((await systemd.notified()).at(-1)).toBe('STOPPING=1');
  });

  it('no ping while the queue of signals stands still', async () => {
    const systemd = await createStandInSystemd(home);
    let asked = 0;
    let goOn: (after: number) => void = () => undefined;
    const send = () => {
      asked += 1;
      return asked < 3
        ? Promise.resolve(0)
        : new Promise<number>((resolve) => {
            goOn = resolve;
          });
    };
    const notified = notifyManager(Object.assign(idle(), { send }), context(systemd, socket));
    const pings = async () => (await systemd.notified()).filter((line) => line === 'WATCHDOG=1').length;
    await expect.poll(() => asked).toBe(3);
    expect(await pings()).toBe(2);
    const ended = notified?.end();
    goOn(0);
    await ended;
    expect(await pings()).toBe(3);
  });

  it.each([
    ['no socket', {}],
    ['a socket for another process', { ...socket, WATCHDOG_PID: '1' }],
    ['the same, of a service without a watchdog', { NOTIFY_SOCKET: '/x', SYSTEMD_EXEC_PID: '1' }],
  ])('nothing: %s', (_, env) => {
    expect(notifyManager(idle(), context(undefined, env))).toBeUndefined();
  });

  it('a systemd-notify that is not there is said once', async () => {
    const quiet = createTestContext(home, { env: { PATH: home, ...socket } });
    const notified = notifyManager(idle(), quiet);
    await expect.poll(quiet.words).toContain('unit.not-told');
    await notified?.end();
    expect(quiet.words()).toEqual(['unit.not-told']);
  });
});

function context(systemd?: StandInSystemd, env: NodeJS.ProcessEnv = {}): TestContext {
  const path = systemd ? `${systemd.bin}:${process.env.PATH}` : process.env.PATH;
  return createTestContext(home, {
    env: { PATH: path, HOME: home, QWEN_DEPLOY_HOME: home, ...env },
    programs: { self: ['/bin/sh', '/opt/main.js'], simulator: '' },
  });
}
