/** Memory that runs out in a container: the cause, what was seen of it, and a number that goes on from there. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DeploymentEvent } from '../../src/core/event.ts';
import type { Deployment } from '../../src/supervisor/deployment.ts';
import { createSandbox, eventually, freePort, type Sandbox } from '../scenarios/sandbox.ts';
import { startNetworkedEngine, type TestEngine } from './engine.ts';
import { importStandIn } from './images.ts';

const image = 'qwen-deploy-stand-in:v0.32.0';
let engine: TestEngine;
let box: Sandbox;
let port: number;

beforeAll(async () => {
  engine = await startNetworkedEngine();
  await importStandIn(engine, image);
});
afterAll(() => engine?.stop());

beforeEach(async () => {
  box = await createSandbox({ env: { DOCKER_HOST: engine.env['DOCKER_HOST'], DOCKER_CONFIG: engine.env['DOCKER_CONFIG'] } });
  port = await freePort();
});
afterEach(() => box.dispose());

async function up(settings: readonly string[] = [], cap = '1536MiB') {
  const lines = [
    'extends: tiny',
    `engine: {backend: docker, image: "${image}"}`,
    `server: {port: ${port}}`,
    `resources: {memory: ${cap}, cpus: 0}`,
    'restart: {first-delay: 100ms, max-delay: 100ms, max-failures: 2}',
    'stop: {drain: 2s}',
  ];
  await writeFile(join(box.home, 'boxed.yaml'), `${lines.join('\n')}\n`);
  return box.cli('up', '-p', './boxed.yaml', '--yes', ...settings.flatMap((setting) => ['--set', setting]));
}

const status = async () => (await box.cli('status', '-o', 'json')).json<{ deployments: readonly Deployment[] }>().deployments[0];
const events = async () => (await box.cli('events', '-o', 'json')).json<{ events: readonly DeploymentEvent[] }>().events;
const seen = /^(OOMKilled|oom_kill \d+), limit 1\.5 GiB, peak \d+(\.\d+)? [GM]iB$/;
const next = 'give it at least 2.0GiB (--set resources.memory=2.0GiB)';

/** A long start that takes memory without end, as one whose model is too large. */
const eater = encodeURIComponent('const a=[];setInterval(()=>a.push(Buffer.alloc(32*2**20,1)),20)');
const startEnv = { NODE_OPTIONS: `--import=data:text/javascript,${eater}`, QWEN_DEPLOY_SIMULATED_START_MS: '60000' };
const eatAtOnce = `engine.env=${JSON.stringify(startEnv)}`;

describe('memory that runs out in a container', () => {
  // When the engine dies, the API server ends by itself, with exit code 0.
  it.each(['api', 'engine'])('while it serves, taken by %s: is the cause, with its figures, and it is started again', async (who) => {
    expect((await up()).code).toBe(0);
    const headers = { 'content-type': 'application/json' };
    await fetch(`http://127.0.0.1:${port}/__fault`, { method: 'POST', body: JSON.stringify({ eat: who }), headers }).catch(() => undefined);
    const after = await eventually(status, (now) => now?.state === 'ready' && now.restarts.total === 1, 40_000);
    expect(after?.lastExit).toMatchObject({ cause: 'oom', reason: 'host_oom_killed', neededBytes: 2 ** 31 });
    expect(after?.lastExit?.line).toMatch(seen);
    expect((await box.cli('status', 'boxed')).stdout.replace(/\s+/g, ' ')).toContain(next);
    expect((await box.cli('events')).stdout).toContain(next);
  });

  it('while it starts: up fails, and says so', async () => {
    const failed = await up([eatAtOnce]);
    expect(failed.code).toBe(5);
    expect(failed.stderr).toContain('(host_oom_killed)');
    expect(failed.stderr).toContain(next);
    const exits = (await events()).flatMap((event) => (event.type === 'exited' ? [event.exit] : []));
    expect(exits.length).toBeGreaterThan(0);
    for (const exit of exits) expect(exit).toMatchObject({ cause: 'oom', neededBytes: 2 ** 31, line: expect.stringMatching(seen) });
    expect((await engine.docker('ps', '-aq')).trim()).toBe('');
  });
});
