/** Logs that are too long, too wild, deleted, without room, or that tell secrets. */
import { appendFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import type { DeploymentEvent } from '../../src/core/event.ts';
import { eventually, killQuietly, root, toUpArgs } from '../scenarios/sandbox.ts';
import { findEvent, openKit, quick, quickHangs } from './kit.ts';
import { openDisks } from './machine.ts';

const kit = openKit();
const disks = openDisks();
const timeout = 60_000;

const place = (...path: string[]) => join(kit.box.home, 'qd/state/deployments/tiny', ...path);
const toLog = (launchId = '') => place('launches', launchId, `engine-${launchId}.log`);
const toNotes = (events: readonly DeploymentEvent[]) => events.flatMap((event) => (event.type === 'note' ? [event.note] : []));

/** What a person sees on a terminal. */
async function seeOnTerminal(...args: string[]): Promise<string> {
  const line = [process.execPath, join(root, 'dist/main.js'), ...args].map((word) => `'${word}'`).join(' ');
  const { stdout } = await execa('script', ['-qec', line, '/dev/null'], {
    env: kit.box.env,
    extendEnv: false,
    cwd: kit.box.home,
    stdin: 'ignore',
  });
  return stdout;
}

describe('bytes that are no text', { timeout }, () => {
  const wild = Buffer.concat([
    Buffer.from('before \xff\xfe\x00\x80 after\n', 'latin1'),
    Buffer.from('\u001b]0;a title\u0007\u001b[2J\u001b[31mred\u001b[0m\u001b]8;;http://evil\u001b\\link\u001b]8;;\u001b\\ over\rwrite\n'),
  ]);

  it('K3 K4 on a terminal: shown as signs, nothing of them reaches it; one line each as JSON', async () => {
    const { launchId } = await kit.up();
    await appendFile(toLog(launchId), wild);
    const shown = await seeOnTerminal('logs', 'tiny', '--tail', '2');
    expect(shown).toMatch(/before \ufffd\ufffd\u2400\ufffd after/);
    expect(shown).toContain('red');
    expect(shown).toContain('over\u240dwrite');
    for (const bad of ['\u001b', '\u0007', '\u0000', '\u0080']) expect(shown.includes(bad), JSON.stringify(bad)).toBe(false);
    const { lines } = (await kit.box.cli('logs', 'tiny', '--tail', '2', '-o', 'json')).json<{ lines: readonly { text: string }[] }>();
    expect(lines).toHaveLength(2);
  });
});

describe('a log that is lost', { timeout }, () => {
  const short = ['logs.max-size=200kB', 'logs.keep=2'];

  it('K5 deleted: said, the engine serves on, and its next start writes another one', async () => {
    const first = await kit.up('flood=2000', ...short, ...quick);
    await rm(toLog(first.launchId));
    await eventually(
      async () => toNotes(await kit.events()).map(({ id }) => id),
      (ids) => ids.includes('life.log-missing'),
    );
    expect(await kit.complete('Hello')).toBe(200);
    killQuietly(first.pid ?? 0);
    const next = await kit.untilReplaced(first);
    expect(await readFile(toLog(next.launchId), 'utf8')).toContain('flood');
  });

  it('K6 no room for it: the engine serves on, and it is said', async () => {
    const disk = await disks.add(place('launches'), '80m');
    const first = await kit.up('flood=500', ...short);
    await disk.fill();
    const told = await eventually(
      async () => toNotes(await kit.events()),
      (notes) => notes.some(({ id }) => ['life.log-uncut', 'life.log-gap', 'life.log-no-room'].includes(id)),
      30_000,
    );
    expect(told.map(({ id }) => id)).not.toContain('life.persistence-degraded');
    expect(await kit.complete('Hello')).toBe(200);
    expect(await kit.status()).toMatchObject({ state: 'ready', launchId: first.launchId, restarts: { total: 0 } });
  });
});

describe('an engine that prints its key', { timeout }, () => {
  /** Of no form that keys have: only who knows it can take it out. */
  const canary = 'canary, or 7f3a is my name';

  async function upWithKey(faults: string, ...sets: string[]): Promise<readonly string[]> {
    const file = join(kit.box.home, 'key');
    await writeFile(file, `${canary}\n`, { mode: 0o600 });
    return toUpArgs(kit.port, faults, ...[`server.api-key=file:${file}`, ...sets].flatMap((set) => ['--set', set]), '-o', 'json');
  }

  const readAll = async (directory: string) => {
    const names = await readdir(directory, { recursive: true, withFileTypes: true });
    const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    return (await Promise.all(files.map((path) => readFile(path, 'utf8')))).join('\n');
  };

  it('K8 masked in logs, followed or not, and in what is kept of a hang', async () => {
    const up = await kit.box.cli(...(await upWithKey('printSecrets', ...quickHangs)));
    expect(up.code, up.stderr).toBe(0);
    const first = await kit.status();
    expect(await readFile(toLog(first.launchId), 'utf8')).toContain(canary);
    for (const args of [['logs'], ['logs', '-o', 'json'], ['logs', '--tail', '50']]) {
      const { stdout } = await kit.box.cli(...args);
      expect(stdout).toContain('using key [REDACTED]');
      expect(stdout).not.toContain(canary);
    }
    await kit.setFaults({ hang: true });
    void fetch(`http://127.0.0.1:${kit.port}/v1/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${canary}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'Qwen3-0.6B', prompt: 'Hello', max_tokens: 5 }),
    }).catch(() => undefined);
    const following = kit.box.start('logs', '-f', '--tail', '500');
    await kit.untilReplaced(first, 40_000);
    expect((await kit.box.cli('down')).code).toBe(0);
    const followed = (await following.result).stdout;
    expect(followed).toContain('using key [REDACTED]');
    const bundle = findEvent(await kit.events(), 'bundle')?.path ?? '';
    const kept = await readAll(bundle);
    expect(kept).toContain('using key');
    const record = await Promise.all(['state.json', 'events.ndjson', 'supervisor.log'].map((name) => readFile(place(name), 'utf8')));
    for (const text of [followed, kept, ...record]) expect(text).not.toContain(canary);
  });

  it('K8 masked in the line that says why it ended: in status, events and the record', async () => {
    const result = await kit.box.cli(...(await upWithKey('', 'restart.first-delay=60s', 'stop.drain=1s')));
    expect(result.code, result.stderr).toBe(0);
    await kit.setFaults({ stderr: `ValueError: the key ${canary} is not good enough\n`, exitNow: 1 });
    await kit.until(({ state }) => state === 'backoff');
    const shown = [
      await kit.box.cli('status', 'tiny'),
      await kit.box.cli('events', 'tiny'),
      await kit.box.cli('status', 'tiny', '-o', 'json'),
    ];
    const texts = [...shown.map(({ stdout, stderr: said }) => stdout + said), await readFile(place('state.json'), 'utf8')];
    expect(texts.join('')).toContain('is not good enough');
    for (const text of texts) expect(text).not.toContain(canary);
  });
});
