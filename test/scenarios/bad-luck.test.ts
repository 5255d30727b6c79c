/** What goes wrong for people, each as a command and what they see. The stand-in engine has the bad habits. */
import { access, chmod, chown, constants, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../../src/core/clock.ts';
import type { DeploymentEvent } from '../../src/core/event.ts';
import type { Deployment } from '../../src/supervisor/deployment.ts';
import {
  type CliResult,
  eachInSandbox,
  eventually,
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

const timeout = 40_000;

const upArgs = (faults = '', ...more: string[]) => toUpArgs(port, faults, ...more);

/** Where a program is, by this process's own PATH. */
async function findTool(tool: string): Promise<string> {
  for (const folder of (process.env.PATH ?? '').split(':')) {
    const path = join(folder, tool);
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  throw new Error(`no ${tool} on PATH`);
}

const status = async () => (await box.cli('status', 'tiny', '-o', 'json')).json<Deployment>();
const events = async () => (await box.cli('events', 'tiny', '-o', 'json')).json<{ events: readonly DeploymentEvent[] }>().events;
const expectNothingLeft = () => untilNothingIsLeft(box);

function expectCalm(result: CliResult): void {
  expect(result.stderr).not.toMatch(/\n\s+at |\.ts:\d+|Traceback/);
}

describe('what is refused before anything starts', () => {
  it('an unknown profile: exit 6, the nearest named', async () => {
    const result = await box.cli('up', '-p', 'tinny');
    expect(result.code).toBe(6);
    expect(result.stderr).toMatch(/tinny.*tiny/s);
    expectCalm(result);
  });

  it('a profile that is not YAML: exit 3, with its place', async () => {
    const path = await writeProfile(box, 'broken', 'model: [Qwen\nvllm: }\n');
    const result = await box.cli('up', '-p', path);
    expect(result.code).toBe(3);
    expect(result.stderr).toMatch(/broken\.yaml:\d+:\d+/);
    expectCalm(result);
  });

  it('C5 M8 a port that somebody else holds: exit 4, pid and command named, nothing touched', async () => {
    const server = createServer((_, response) => response.end('mine')).listen(port, '127.0.0.1');
    const result = await box.cli(...upArgs());
    expect(result.code).toBe(4);
    expect(result.stderr).toContain(`Port ${port}`);
    expect(result.stderr).toContain(String(process.pid));
    expect(result.stderr).toMatch(/--set server\.port=\d+/);
    expect(await isPortOpen(port)).toBe(true);
    server.close();
  });

  it('a GPU profile on a machine without one: exit 4 and what to take instead', async () => {
    const result = await box.cli('up', '-p', 'int4', '-o', 'json');
    expect(result.code).toBe(4);
    expect(result.json()).toMatchObject({
      kind: 'Error',
      code: 'host/no-gpu',
      exitStatus: 4,
      hint: expect.stringMatching(/GiB.*tiny.*demo/s),
    });
  });

  it('no Python and --no-install: exit 4, how to install', async () => {
    const result = await box.cli('up', '-p', 'tiny', '--no-install', '--set', `server.port=${port}`);
    expect(result.code).toBe(4);
    expect(result.stderr).toContain('qwen-deploy engine install cpu');
  });

  it('F7 a data directory that somebody else could write: exit 4, how to mend it', async () => {
    const state = join(box.home, 'qd/state');
    await mkdir(state, { recursive: true });
    await chmod(state, 0o777);
    const result = await box.cli(...upArgs());
    expect(result.code).toBe(4);
    expect(result.stderr).toContain(`chmod 700 ${state}`);
  });

  it('a data directory that is a file: exit 4, the path named', async () => {
    await writeFile(join(box.home, 'qd'), '');
    const result = await box.cli(...upArgs());
    expect(result.code).toBe(4);
    expect(result.stderr).toContain(join(box.home, 'qd'));
    expectCalm(result);
  });

  it('F7 a state directory of another user: exit 4, whose it is', async () => {
    const state = join(box.home, 'qd/state');
    await mkdir(state, { recursive: true, mode: 0o700 });
    await chown(state, 12_345, 12_345);
    const result = await box.cli(...upArgs());
    expect(result.code).toBe(4);
    expect(result.stderr).toContain('12345');
    await chown(state, process.getuid?.() ?? 0, process.getgid?.() ?? 0);
  });

  it('a secret that is not there: exit 4, the reference named, nothing started', async () => {
    const result = await box.cli(...upArgs('', '--set', 'server.api-key=env:NO_SUCH_KEY'));
    expect(result.code).toBe(4);
    expect(result.stderr).toContain('env:NO_SUCH_KEY');
    await expectNothingLeft();
  });

  it.each(['status', 'down', 'logs', 'events', 'restart', 'forget'])('%s of what is not there: exit 6', async (verb) => {
    const result = await box.cli(verb, 'nothing');
    expect(result.code).toBe(6);
    expect(result.stderr).toContain('nothing');
  });
});

/** A PATH with what the program itself needs, and no Python. */
async function takePythonAway(): Promise<void> {
  const bin = join(box.home, 'bin');
  await mkdir(bin);
  for (const tool of ['sh', 'cat', 'mkdir', 'date', 'mv', 'flock', 'taskset', 'nice', 'env']) {
    await symlink(await findTool(tool), join(bin, tool));
  }
  box.env.PATH = bin;
}

describe('a machine without Python', { timeout }, () => {
  beforeEach(takePythonAway);

  it('up: the simulator, and it is said first', async () => {
    const result = await box.cli('up', '--set', `server.port=${port}`);
    expect(result.code, result.stderr).toBe(0);
    expect(result.stderr).toMatch(/^Profile demo: .*Python.*Nothing below is a real model/);
    expect(result.stdout).toContain('simulated');
    expect((await box.cli('status', 'demo', '-o', 'json')).json()).toMatchObject({ state: 'ready', simulated: true });
  });

  it('up of a named profile: never another one', async () => {
    const result = await box.cli('up', '-p', 'tiny', '--set', `server.port=${port}`);
    expect(result.code).toBe(4);
    expect(result.stderr).toMatch(/engine\/no-python/);
    expect((await box.cli('status', '-o', 'json')).json()).toMatchObject({ deployments: [] });
  });
});

describe('an engine that does not become ready', { timeout }, () => {
  it('A11 exits at once with a traceback: exit 5, its last meaningful line, no wall', async () => {
    const stderr = 'Traceback (most recent call last):\n  File "a.py", line 1, in b\nValueError: the moon is full\n';
    const result = await box.cli(...upArgs(JSON.stringify({ exit: 'configuring:1', stderr })));
    expect(result.code).toBe(5);
    expect(result.stderr).toContain('ValueError: the moon is full');
    expect(result.stderr).not.toContain('Traceback');
    // Once, in the proof of the diagnosis.
    expect(result.stderr.match(/File "a.py"/g)).toHaveLength(1);
    expect(result.stderr.split('\n').length).toBeLessThan(30);
    expect(await status()).toMatchObject({
      state: 'failed',
      lastExit: { cause: 'exit', code: 1, diagnosis: { kind: 'Diagnosis', cause: 'unknown' } },
    });
    // Nobody knows it; but it is the same again.
    expect((await events()).filter(({ type }) => type === 'launched')).toHaveLength(2);
    await expectNothingLeft();
  });

  it('C7 refuses its arguments (exit 2): not tried again', async () => {
    const result = await box.cli(
      ...upArgs(JSON.stringify({ exit: 'configuring:2', stderr: 'vllm: error: unrecognized arguments: --nope\n' })),
    );
    expect(result.code).toBe(5);
    expect(result.stderr).toContain('--nope');
    expect((await events()).filter(({ type }) => type === 'launched')).toHaveLength(1);
  });

  it('C7 refuses a setting of older versions: failed at once, and what came after it is said everywhere', async () => {
    const stderr = 'vllm: error: unrecognized arguments: --cuda-graph-sizes 4\n';
    const told = expect.stringContaining('cudagraph-capture-sizes');
    const result = await box.cli(...upArgs(JSON.stringify({ exit: 'configuring:2', stderr }), '-o', 'json'));
    const diagnosis = { kind: 'Diagnosis', version: 1, cause: 'unknown_argument', permanent: true };
    const remedies = expect.arrayContaining([expect.objectContaining({ text: told })]);
    expect(result.json()).toMatchObject({ kind: 'Error', code: 'engine/failed', diagnosis: { ...diagnosis, remedies } });
    expect(await status()).toMatchObject({
      state: 'failed',
      lastExit: { reason: 'unknown_argument', diagnosis: { ...diagnosis, remedies } },
    });
    const all = await events();
    expect(all.filter(({ type }) => type === 'launched')).toHaveLength(1);
    expect(all.find(({ type }) => type === 'failed')).toMatchObject({ exit: { diagnosis: { ...diagnosis, remedies } } });
    for (const command of [['events'], ['status', 'tiny']]) expect((await box.cli(...command)).stdout).toEqual(told);
  });

  it.each([
    ['C3', 'another served name', 'servedName=other', 'models'],
    ['C4', 'every inference failing', 'inference=500', 'completion'],
    ['C4', 'no chat template', 'chat=400', 'chat'],
  ])('%s answers /health, with %s: never called ready', async (_, __, fault, check) => {
    const result = await box.cli(...upArgs(fault, '--set', 'health.gate-timeout=1s', '--set', 'restart.first-delay=100ms'));
    expect(result.code).toBe(5);
    const all = await events();
    expect(all.map(({ type }) => type)).not.toContain('ready');
    expect(all.find(({ type }) => type === 'gate-waiting')).toMatchObject({ check });
    expect(await status()).toMatchObject({ state: 'failed', lastExit: { cause: 'gate' } });
  });

  it('takes longer than --timeout: exit 7, goes on in the background', async () => {
    const result = await box.cli(...upArgs('phase=loading:3s', '--timeout', '500ms'));
    expect(result.code).toBe(7);
    expect(await status()).toMatchObject({ state: 'starting' });
    await eventually(status, ({ state }) => state === 'ready');
  });

  it('misses its deadline: ended, with the reason', async () => {
    const settings = ['--set', 'health.start-deadline=700ms', '--set', 'restart.first-delay=100ms'];
    const result = await box.cli(...upArgs('phase=loading:silent', ...settings));
    expect(result.code).toBe(5);
    expect(await status()).toMatchObject({ state: 'failed', lastExit: { cause: 'start-timeout' } });
    await expectNothingLeft();
  });

  it('as a replacement: the last good one comes back, exit 5', async () => {
    expect((await box.cli(...upArgs())).code).toBe(0);
    const good = await status();
    const bad = JSON.stringify({ exit: 'configuring:2', stderr: 'vllm: error: unrecognized arguments: --nope\n' });
    const result = await box.cli(...upArgs(bad, '--yes'));
    expect(result.code).toBe(5);
    expect(result.stderr).toMatch(/last good/);
    const now = await eventually(status, ({ state }) => state === 'ready');
    expect(now.run).toBeGreaterThan(good.run);
    const left = await box.cli(...upArgs(bad, '--yes', '--no-rollback'));
    expect(left.code).toBe(5);
    expect(await status()).toMatchObject({ state: 'failed' });
  });
});

describe('two at once, and interruptions', { timeout }, () => {
  it('C14 two up at once: one launch, both end ready', async () => {
    const [one, two] = [box.start(...upArgs('phase=loading:1s')), box.start(...upArgs('phase=loading:1s'))];
    const results = [await one.result, await two.result];
    expect(
      results.map(({ code }) => code),
      results.map(({ stderr }) => stderr).join('\n'),
    ).toEqual([0, 0]);
    expect((await events()).filter(({ type }) => type === 'launched')).toHaveLength(1);
  });

  it('Ctrl-C in up: said that it goes on, exit 130, never an orphan', async () => {
    const running = box.start(...upArgs('phase=loading:2s'));
    await eventually(
      async () => running.stderr(),
      (text) => /launched/.test(text),
    );
    killQuietly(running.pid, 'SIGINT');
    const result = await running.result;
    expect(result.code).toBe(130);
    expect(result.stderr).toMatch(/goes on starting in the background/);
    await eventually(status, ({ state }) => state === 'ready');
    expect((await box.cli('down')).code).toBe(0);
    await expectNothingLeft();
  });

  it('up --foreground: Ctrl-C stops the engine with proof', async () => {
    const running = box.start(...upArgs('', '--foreground'));
    await eventually(
      async () => running.stderr(),
      (text) => /ready/.test(text),
    );
    expect((await status()).state).toBe('ready');
    killQuietly(running.pid, 'SIGINT');
    await running.result;
    await expectNothingLeft();
    expect(await status()).toMatchObject({ state: 'stopped' });
  });

  it('C15 up --no-wait returns at once; down overtakes the start', async () => {
    const result = await box.cli(...upArgs('phase=loading:silent', '--no-wait', '-o', 'json'));
    expect(result.code).toBe(0);
    expect(result.json().state).not.toBe('ready');
    expect((await box.cli('down', '--grace', '1s')).code).toBe(0);
    await expectNothingLeft();
  });
});

describe('a stop', { timeout }, () => {
  it('B10 of an engine that ignores SIGTERM ends by the grace', async () => {
    await box.cli(...upArgs('ignoreSigterm'));
    const result = await box.cli('down', '--grace', '1s');
    expect(result.code, result.stderr).toBe(0);
    expect((await events()).map(({ type }) => type)).toContain('killing');
    await expectNothingLeft();
  });

  it('D5 D6 finds a grandchild in a session of its own, and one that keeps the port', async () => {
    await box.cli(...upArgs('orphan,keepPort'));
    expect((await box.cli('down')).code).toBe(0);
    expect(await isPortOpen(port)).toBe(false);
    await expectNothingLeft();
  });

  it('D3 with force is quick; down twice is once', async () => {
    await box.cli(...upArgs('stopDelay=30s'));
    expect((await box.cli('down', '--force')).code).toBe(0);
    expect((await box.cli('down')).code).toBe(0);
  });

  it('heals a missing supervisor, and says so', async () => {
    await box.cli(...upArgs());
    killQuietly((await status()).supervisor?.pid ?? -1);
    const result = await box.cli('down');
    expect(result.code, result.stderr).toBe(0);
    expect(result.stderr).toMatch(/new supervisor/);
    await expectNothingLeft();
  });
});

describe('an engine that keeps dying', { timeout }, () => {
  it('A7 is restarted with growing delays, then left in crashloop', async () => {
    const settings = ['--set', 'restart.first-delay=50ms', '--set', 'restart.max-failures=3'];
    await box.cli(...upArgs('exitAfter=100ms:1', ...settings));
    const seen = await eventually(status, ({ state }) => state === 'crashloop');
    expect(seen.restarts.sinceStable).toBe(3);
    const [first = 0, second = 0] = (await events()).flatMap((event) => (event.type === 'backoff' ? [event.delayMs] : []));
    expect(first).toBeGreaterThanOrEqual(50);
    expect(second).toBeGreaterThan(first * 3);
  });
});

it('F3 a state file that was cut: the previous copy serves', { timeout }, async () => {
  await box.cli(...upArgs());
  const file = join(box.home, 'qd/state/deployments/tiny/state.json');
  killQuietly((await status()).supervisor?.pid ?? -1);
  await waitFor(50);
  await writeFile(file, (await readFile(file, 'utf8')).slice(0, 100));
  expect(['starting', 'ready']).toContain((await status()).state);
  expect((await box.cli('down')).code).toBe(0);
  await expectNothingLeft();
});

it('K8 secrets never stand in argv, state, events or logs of ours', { timeout }, async () => {
  const secret = 'sk-a-very-secret-key';
  box.env.QWEN_API_KEY = secret;
  const result = await box.cli(...upArgs('', '--set', 'server.api-key=env:QWEN_API_KEY'));
  expect(result.code, result.stderr).toBe(0);
  expect((await fetch(`http://127.0.0.1:${port}/v1/models`)).status).toBe(401);
  expect((await box.cli('ask', 'Hi')).code).toBe(0);
  const all = (await box.processes()).map(({ command }) => command).join('\n');
  expect(all + result.stdout + result.stderr + (await box.cli('events')).stdout).not.toContain(secret);
  expect(await readFile(join(box.home, 'qd/state/deployments/tiny/state.json'), 'utf8')).not.toContain(secret);
  killQuietly((await status()).pid ?? -1);
  await eventually(status, ({ restarts, state }) => restarts.total === 1 && state === 'ready');
});

it('forget right after down: the supervisor is still ending, and is waited for', { timeout }, async () => {
  expect((await box.cli('up', '-p', 'demo', '--set', `server.port=${port}`)).code).toBe(0);
  expect((await box.cli('down', 'demo')).code).toBe(0);
  const forgotten = await box.cli('forget', 'demo');
  expect(forgotten.code, forgotten.stderr).toBe(0);
});
