/** What people write, where they keep it, and from where they run it. */
import { access, appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { waitFor } from '../../src/core/clock.ts';
import type { Deployment } from '../../src/supervisor/deployment.ts';
import {
  type CliResult,
  eventually,
  fakeVllm,
  isPortOpen,
  killQuietly,
  toUpArgs,
  untilNothingIsLeft,
  writeProfile,
} from '../scenarios/sandbox.ts';
import { openKit, quick } from './kit.ts';
import { openDisks } from './machine.ts';

const kit = openKit();
const disks = openDisks();
const timeout = 60_000;

const isThere = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

function expectCalm({ stdout, stderr }: CliResult): void {
  expect(stdout + stderr).not.toMatch(/\n\s+at |\.ts:\d+/);
  expect(stdout + stderr).not.toContain('\u001b');
}

describe('a profile', { timeout }, () => {
  it('M1 a bomb of aliases is refused with less than 100 ms of work beyond that of any small profile', async () => {
    const levels = Array.from({ length: 9 }, (_, step) => `x-${step + 1}: &l${step + 1} [${`*l${step}, `.repeat(8)}*l${step}]`);
    const bomb = await writeProfile(kit.box, 'bomb', `x-0: &l0 [a]\n${levels.join('\n')}\nmodel: a\n`);
    const small = await writeProfile(kit.box, 'small', 'model: [a]\n');
    const measure = async (path: string) => {
      const startedAt = performance.now();
      const result = await kit.box.cli('profiles', 'check', path);
      expect(result.code).toBe(3);
      return { ms: performance.now() - startedAt, text: result.stdout + result.stderr };
    };
    await measure(small);
    // The least of several: other work on the machine is not counted.
    const least = async (path: string) => Math.min(...[await measure(path), await measure(path), await measure(path)].map(({ ms }) => ms));
    expect((await measure(bomb)).text).toMatch(/profile\/too-(?:large|deep)/);
    expect(await least(bomb)).toBeLessThan((await least(small)) + 100);
  });

  it('M5 a misspelt key: the nearest one is named', async () => {
    const path = await writeProfile(kit.box, 'mine', 'extends: tiny\nserver: {prot: 9000}\n');
    const result = await kit.box.cli('up', '-p', path);
    expect(result.code).toBe(3);
    expect(result.stderr).toContain('Did you mean server.port?');
  });

  it('M7 durations beyond any clock are refused', async () => {
    for (const value of ['2147483648ms', '25d', '-1s', '1e309s', '1e309', '999999999999999h']) {
      const result = await kit.box.cli('plan', '-p', 'demo', '--set', `health.start-deadline=${value}`, '-o', 'json');
      expect([value, result.code]).toEqual([value, 3]);
      expect(result.stdout).toContain('health.start-deadline');
    }
  });

  it('M9 a byte order mark, CRLF and tabs: read, or refused with the place, quickly', async () => {
    const windows = await writeProfile(kit.box, 'windows', '\uFEFFextends: tiny\r\nserver:\r\n  port: 9000\r\n');
    const read = await kit.box.cli('profiles', 'check', windows);
    expect(read.code, read.stdout + read.stderr).toBe(0);
    const tabs = await writeProfile(kit.box, 'tabs', 'extends: tiny\nserver:\n\tport: 9000\n');
    const refused = await kit.box.cli('profiles', 'check', tabs);
    expect(refused.code).toBe(3);
    expect(refused.stdout + refused.stderr).toContain('tabs.yaml:3:1');
    const deep = await writeProfile(kit.box, 'deep', `extends: tiny\nlabels: ${'['.repeat(20_000)}${']'.repeat(20_000)}\n`);
    const startedAt = performance.now();
    expect((await kit.box.cli('profiles', 'check', deep)).code).toBe(3);
    expect(performance.now() - startedAt).toBeLessThan(3000);
  });

  it('M4 shell text in values is one word for the engine, and nobody runs it', async () => {
    const trap = join(kit.box.home, 'trapped');
    const names = [`; touch ${trap}`, `$(touch ${trap})`, `\`touch ${trap}\``, `' && touch ${trap} '`, `" | touch ${trap} #`];
    const result = await kit.tryUp('', `served-names=${JSON.stringify(['Qwen3-0.6B', ...names])}`, ...quick);
    expect(result.code, result.stderr).toBe(0);
    const words = (await readFile(`/proc/${(await kit.status()).pid}/cmdline`, 'utf8')).split('\0');
    for (const name of names) expect(words).toContain(name);
    const models = (await (await fetch(`http://127.0.0.1:${kit.port}/v1/models`)).json()) as { data: readonly { id: string }[] };
    expect(models.data.map(({ id }) => id)).toEqual(expect.arrayContaining(names));
    expect((await kit.box.cli('down')).code).toBe(0);
    expect(await isThere(trap)).toBe(false);
  });

  it('M6 edited while it runs: shown, and nothing is restarted', async () => {
    const text = `extends: tiny\nengine: {executable: "${fakeVllm}"}\nserver: {port: ${kit.port}}\n`;
    const path = await writeProfile(kit.box, 'mine', text);
    expect((await kit.box.cli('up', '-p', path)).code).toBe(0);
    const read = async () => (await kit.box.cli('status', 'mine', '-o', 'json')).json<Deployment>();
    const before = await read();
    expect(before.configDrift).toBe(false);
    await appendFile(path, 'vllm: {max-num-seqs: 3}\n');
    await waitFor(1500);
    expect(await read()).toMatchObject({ configDrift: true, state: 'ready', launchId: before.launchId, pid: before.pid });
    expect((await kit.box.cli('status', 'mine')).stdout).toMatch(/changed|differs/i);
    // Not by the next supervisor either, nor when its file has gone.
    killQuietly(before.supervisor?.pid ?? 0);
    await rm(path);
    expect(await read()).toMatchObject({ configDrift: true, launchId: before.launchId, pid: before.pid });
    expect(await isPortOpen(kit.port)).toBe(true);
    expect((await kit.box.cli('down', 'mine')).code).toBe(0);
  });
});

// No argument of a program can have a NUL; that no directory is made for one is shown beside the directory.
it('M3 names that are paths, have a line end, or 300 characters are refused', { timeout }, async () => {
  const before = await kit.box.cli('status', '-o', 'json');
  for (const name of ['../../x', 'a/b', '..', `a${'b'.repeat(300)}`, 'a b', 'a\nb', '-x', '__proto__']) {
    const up = await kit.box.cli('up', '-p', 'demo', '--', name);
    expect([name, up.code]).toEqual([name, expect.toSatisfy((code: number) => code >= 2 && code <= 6)]);
    expectCalm(up);
    for (const verb of ['status', 'forget']) {
      const result = await kit.box.cli(verb, '--', name);
      expect([verb, name, result.code]).toEqual([verb, name, expect.toSatisfy((code: number) => code >= 2 && code <= 6)]);
      expectCalm(result);
    }
  }
  expect((await kit.box.cli('status', '-o', 'json')).stdout).toBe(before.stdout);
});

it('M8 two profiles on one port: the second is refused and says who has it', { timeout }, async () => {
  const first = await kit.up();
  const path = await writeProfile(kit.box, 'second', `extends: tiny\nengine: {executable: "${fakeVllm}"}\nserver: {port: ${kit.port}}\n`);
  const result = await kit.box.cli('up', '-p', path, '-o', 'json');
  expect(result.code).toBe(4);
  expect(result.json()).toMatchObject({ code: 'runtime/port-taken', message: expect.stringContaining(String(first.pid)) });
  expect(await kit.status()).toMatchObject({ state: 'ready', launchId: first.launchId });
});

describe('a home', { timeout }, () => {
  it('M10 that cannot be written: an error that names it; with a directory of its own all works', async () => {
    const home = join(kit.box.home, 'read-only');
    await (await disks.add(home, '1m')).readOnly(true);
    const own = kit.box.env['QWEN_DEPLOY_HOME'];
    Object.assign(kit.box.env, { HOME: home, QWEN_DEPLOY_HOME: '' });
    const refused = await kit.tryUp();
    expect(refused.code).toBe(4);
    expect(refused.json()).toMatchObject({
      code: 'state/not-writable',
      message: expect.stringMatching(/read-only.*EROFS/),
      hint: expect.stringContaining('QWEN_DEPLOY_HOME'),
    });
    expectCalm(refused);
    Object.assign(kit.box.env, { QWEN_DEPLOY_HOME: own });
    expect((await kit.box.cli('status', '-o', 'json')).json()).toMatchObject({ deployments: [] });
    // And without any: the directory of its own is enough.
    delete kit.box.env['HOME'];
    expect((await kit.tryUp()).code).toBe(0);
    expect((await kit.box.cli('down')).code).toBe(0);
  });

  it('M11 with spaces, quotes and other scripts in its path: up, ask, logs, restart, down', async () => {
    const home = join(kit.box.home, 'mein "Haus" — $(x) ; ünï 通义 \'q\'');
    await mkdir(home);
    kit.box.env['QWEN_DEPLOY_HOME'] = join(home, 'qd');
    const path = join(home, 'my profile.yaml');
    await writeFile(path, `extends: tiny\nengine: {executable: ${JSON.stringify(fakeVllm)}}\nserver: {port: ${kit.port}}\n`);
    const up = await kit.box.cli('up', 'mine', '-p', path);
    expect(up.code, up.stderr).toBe(0);
    const before = (await kit.box.cli('status', 'mine', '-o', 'json')).json<Deployment>();
    expect(before).toMatchObject({ state: 'ready', supervised: true, configDrift: false });
    expect((await kit.box.cli('ask', 'Hi')).code).toBe(0);
    expect((await kit.box.cli('logs', '--tail', '1')).code).toBe(0);
    killQuietly(before.pid ?? 0);
    await eventually(
      async () => (await kit.box.cli('status', 'mine', '-o', 'json')).json<Deployment>(),
      ({ state, run }) => state === 'ready' && run === 2,
      20_000,
    );
    killQuietly(before.supervisor?.pid ?? 0);
    await waitFor(50);
    const down = await kit.box.cli('down', 'mine');
    expect(down.code, down.stderr).toBe(0);
    await untilNothingIsLeft(kit.box);
  });
});

it('M12 without a terminal: no question, no colours, the exit status that was promised', { timeout }, async () => {
  Object.assign(kit.box.env, { CI: '1', NO_COLOR: '1', TERM: 'dumb' });
  const first = await kit.box.cli(...toUpArgs(kit.port));
  const asked = await kit.box.cli(...toUpArgs(kit.port, '', '--set', 'vllm.max-num-seqs=3'));
  const results: readonly (readonly [CliResult, number])[] = [
    [first, 0],
    [asked, 8],
    [await kit.box.cli('status', 'tiny'), 0],
    [await kit.box.cli('status', 'nothing'), 6],
    [await kit.box.cli('forget', 'tiny'), 8],
    [await kit.box.cli('nonsense'), 2],
    [await kit.box.cli('down'), 0],
    [await kit.box.cli('status', 'tiny'), 5],
  ];
  for (const [result, code] of results) {
    expect([result.stdout + result.stderr, result.code]).toEqual([result.stdout + result.stderr, code]);
    expectCalm(result);
  }
  expect(asked.stderr).toContain('--yes');
});
