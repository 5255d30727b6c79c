/** Several deployments of one profile as one thing: `replicas: N`, with the simulator. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Deployment, DeploymentList } from '../../src/supervisor/deployment.ts';
import {
  type CliResult,
  createSandbox,
  eventually,
  fakeVllm,
  freePort,
  isPortOpen,
  killQuietly,
  type Sandbox,
  untilNothingIsLeft,
} from './sandbox.ts';

const seconds = { timeout: 60_000 };

describe('replicas', () => {
  let box: Sandbox;
  let port: number;

  beforeAll(async () => {
    box = await createSandbox();
    port = await freePort(3);
  });
  afterAll(() => box.dispose());

  const sets = (count: number, ...more: string[]) => [
    ...['-p', 'demo', '--set', `replicas=${count}`, '--set', `server.port=${port}`],
    ...more.flatMap((set) => ['--set', set]),
  ];
  const up = (count: number, ...more: string[]) => box.cli('up', ...sets(count, ...more), '-o', 'json');
  const list = (result: CliResult) => result.json<DeploymentList>().deployments;
  const status = async () => list(await box.cli('status', 'demo', '-o', 'json'));

  it('plan shows what is different about each, and starts nothing', seconds, async () => {
    const result = await box.cli('plan', ...sets(3), '-o', 'json');
    expect(result.code, result.stderr).toBe(0);
    expect(result.json()).toMatchObject({
      kind: 'Plan',
      name: 'demo',
      endpoint: { port },
      replicas: [1, 2, 3].map((number) => ({ name: `demo-${number}`, endpoint: { host: '127.0.0.1', port: port + number - 1 } })),
    });
    expect((await box.cli('plan', ...sets(3))).stdout).toContain(`  demo-3 on 127.0.0.1:${port + 2}\n`);
    expect(await isPortOpen(port)).toBe(false);
  });

  it('up makes NAME-1 to NAME-N on ports in a row, and names each', seconds, async () => {
    const result = await up(3);
    expect(result.code, result.stderr).toBe(0);
    expect(list(result)).toMatchObject(
      [1, 2, 3].map((number) => ({ name: `demo-${number}`, state: 'ready', port: port + number - 1, simulated: true })),
    );
    for (const number of [1, 2, 3]) expect(result.stderr).toContain(`demo-${number} (${number} of 3) on port ${port + number - 1}`);
    expect(await Promise.all([0, 1, 2].map((step) => isPortOpen(port + step)))).toEqual([true, true, true]);
  });

  it('status of the name tells of all, and sees no drift', seconds, async () => {
    const result = await box.cli('status', 'demo', '-o', 'json');
    expect(result.code).toBe(0);
    expect(list(result).map(({ name, configDrift }) => [name, configDrift])).toEqual([
      ['demo-1', false],
      ['demo-2', false],
      ['demo-3', false],
    ]);
    expect((await box.cli('status', 'demo-2', '-o', 'json')).json<Deployment>()).toMatchObject({ kind: 'Deployment', name: 'demo-2' });
  });

  it('up again changes nothing', seconds, async () => {
    const before = await status();
    const result = await up(3);
    expect(result.code, result.stderr).toBe(0);
    expect(list(result).map(({ launchId }) => launchId)).toEqual(before.map(({ launchId }) => launchId));
  });

  it('one that ended starts again by itself, the others go on', seconds, async () => {
    const [, second] = await status();
    killQuietly(second?.pid ?? -1);
    // Its supervisor looks several times a second; before that there is nothing to wait for.
    await eventually(status, (all) => all[1]?.restarts.total === 1);
    const result = await up(3);
    expect(list(result)).toMatchObject([{ run: 1 }, { run: 2, state: 'ready' }, { run: 1 }]);
  });

  it('a change is shown for each and asked for once', seconds, async () => {
    const refused = await up(3, 'vllm.max-num-seqs=4');
    expect(refused.code).toBe(8);
    expect(refused.stderr).toMatch(/demo-1: vllm\.max-num-seqs: 8 → 4[\s\S]*demo-3: vllm\.max-num-seqs: 8 → 4/);
    expect(await status()).toMatchObject([{ state: 'ready' }, { state: 'ready' }, { state: 'ready' }]);
  });

  it('fewer replicas: those beyond are named, and stopped when that is confirmed', seconds, async () => {
    const refused = await up(2);
    expect(refused.code).toBe(8);
    expect(refused.stdout + refused.stderr).toContain('demo-3');
    expect(await isPortOpen(port + 2)).toBe(true);
    const result = await box.cli('up', ...sets(2), '--yes', '-o', 'json');
    expect(result.code, result.stderr).toBe(0);
    expect(list(result).map(({ name }) => name)).toEqual(['demo-1', 'demo-2']);
    expect(await isPortOpen(port + 2)).toBe(false);
  });

  it('restart of the name restarts each, and leaves down what is not asked for any more', seconds, async () => {
    const before = await status();
    const result = await box.cli('restart', 'demo', '-o', 'json');
    expect(result.code, result.stderr).toBe(0);
    expect(list(result)).toMatchObject([
      { name: 'demo-1', state: 'ready' },
      { name: 'demo-2', state: 'ready' },
    ]);
    expect(list(result)[0]?.launchId).not.toBe(before[0]?.launchId);
  });

  it('down of the name stops all, with proof', seconds, async () => {
    const result = await box.cli('down', 'demo', '-o', 'json');
    expect(result.code, result.stderr).toBe(0);
    expect(list(result)).toMatchObject([{ state: 'stopped' }, { state: 'stopped' }]);
    expect(await Promise.all([0, 1, 2].map((step) => isPortOpen(port + step)))).toEqual([false, false, false]);
    await untilNothingIsLeft(box);
  });

  it('M8 nothing is started when one port is taken', seconds, async () => {
    const other = await box.cli('up', 'other', '-p', 'demo', '--set', `server.port=${port + 2}`, '-o', 'json');
    expect(other.code, other.stderr).toBe(0);
    const refused = await up(3);
    expect(refused.code).toBe(4);
    expect(refused.json()).toMatchObject({ kind: 'Error', code: 'runtime/port-taken', message: expect.stringContaining(String(port + 2)) });
    const plan = await box.cli('plan', ...sets(3), '-o', 'json');
    expect(plan.code).toBe(0);
    expect(plan.json()).toMatchObject({ findings: [{ code: 'runtime/port-taken', severity: 'error' }] });
    expect(await isPortOpen(port)).toBe(false);
    expect((await box.cli('down', 'other')).code).toBe(0);
  });

  it('one alone becomes several, and several one', seconds, async () => {
    expect((await up(1)).json()).toMatchObject({ kind: 'Deployment', name: 'demo', state: 'ready', port });
    const more = await box.cli('up', ...sets(2), '--yes', '-o', 'json');
    expect(more.code, more.stderr).toBe(0);
    expect(list(more).map(({ name }) => name)).toEqual(['demo-1', 'demo-2']);
    const back = await box.cli('up', ...sets(1), '--yes', '-o', 'json');
    expect(back.code, back.stderr).toBe(0);
    expect(back.json()).toMatchObject({ kind: 'Deployment', name: 'demo', state: 'ready' });
    const all = list(await box.cli('status', '-o', 'json'));
    expect(all.filter(({ state }) => state === 'ready').map(({ name }) => name)).toEqual(['demo']);
    expect((await box.cli('down', 'demo')).code).toBe(0);
  });

  it('is not for the foreground', seconds, async () => {
    const refused = await box.cli('up', ...sets(2), '--foreground', '-o', 'json');
    expect(refused.json()).toMatchObject({ kind: 'Error', code: 'usage/replicas-foreground', exitStatus: 2 });
  });

  it('one that fails leaves the others up, and is named', seconds, async () => {
    const engine = join(box.home, 'vllm');
    const script = `#!/bin/sh\ncase "$*" in *"--port ${port + 1} "*) echo "ValueError: not on this port" >&2; exit 1;; esac\nexec ${fakeVllm} "$@"\n`;
    await writeFile(engine, script, { mode: 0o755 });
    const args = ['-p', 'tiny', ...['replicas=3', `server.port=${port}`, 'restart.max-failures=1', `engine.executable=${engine}`]];
    const result = await box.cli('up', ...args.flatMap((arg, at) => (at < 2 ? [arg] : ['--set', arg])), '-o', 'json');
    expect(result.code, result.stderr).toBe(5);
    expect(result.json()).toMatchObject({
      kind: 'Error',
      code: 'engine/replicas',
      message: '1 of 3 replicas of tiny did not become ready: tiny-2. The others go on serving.',
    });
    const seen = await box.cli('status', 'tiny', '-o', 'json');
    expect(seen.code).toBe(5);
    expect(list(seen)).toMatchObject([{ state: 'ready' }, { name: 'tiny-2', health: { ready: false } }, { state: 'ready' }]);
    // Nothing else is up, so that nothing else can be meant.
    const down = await box.cli('down', '-o', 'json');
    expect(down.code, down.stderr).toBe(0);
    expect(list(down).map(({ name }) => name)).toEqual(['tiny-1', 'tiny-2', 'tiny-3']);
    await untilNothingIsLeft(box);
  });
});
