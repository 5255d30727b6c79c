/** The real vLLM in a real container, on a Docker engine of this file's own. Two starts: each is most of a minute of one core. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Deployment } from '../../src/supervisor/deployment.ts';
import { startNetworkedEngine, type TestEngine } from '../docker/engine.ts';
import { importRealVllm } from '../docker/images.ts';
import { createSandbox, eventually, freePort, isPortOpen, killQuietly, type Sandbox, untilNothingIsLeft } from '../scenarios/sandbox.ts';
import './engine-home.ts';

const image = 'qwen-deploy-real-vllm:v0.32.0';
const gib = 2 ** 30;
const startMs = 480_000;
let engine: TestEngine;
let box: Sandbox;
let port: number;

beforeAll(async () => {
  engine = await startNetworkedEngine();
  const { mounts } = await importRealVllm(engine, image, process.env['QWEN_DEPLOY_TEST_ENGINE_HOME'] ?? '');
  box = await createSandbox({ env: { DOCKER_HOST: engine.env['DOCKER_HOST'], DOCKER_CONFIG: engine.env['DOCKER_CONFIG'] } });
  port = await freePort();
  const profile = {
    extends: 'tiny',
    engine: { backend: 'docker', image, mounts: mounts.map(({ source, target }) => `${source}:${target}:ro`) },
    server: { port },
    resources: { memory: '4GiB', cpus: '0' },
    restart: { 'first-delay': '100ms' },
  };
  // JSON is YAML.
  await writeFile(join(box.home, 'boxed.yaml'), JSON.stringify(profile));
});
afterAll(async () => {
  await box?.dispose();
  await engine?.stop();
});

const status = async () => (await box.cli('status', 'boxed', '-o', 'json')).json<Deployment>();
const listContainers = async () => (await engine.docker('ps', '-aq', '--no-trunc')).split('\n').filter(Boolean);
const inside = (id: string, ...command: string[]) => engine.docker('exec', id, ...command);

async function findContainer(): Promise<string> {
  const [id, ...others] = await listContainers();
  if (id === undefined || others.length > 0) throw new Error(`one container is expected: ${id} ${others.join(' ')}`);
  return id;
}

describe('the real vLLM in a container', () => {
  it('comes up and answers', async () => {
    const up = await box.cli('up', '-p', './boxed.yaml', '--yes');
    expect(up.code, up.stderr + up.stdout).toBe(0);
    expect(await status()).toMatchObject({ state: 'ready', backend: 'docker', engine: { version: '0.32.0' } });
    const answer = await box.cli('ask', 'Hello', '--max-tokens', '8');
    expect(answer.code, answer.stderr).toBe(0);
  });

  it('has the caps that were ordered, for all of its processes, as seen from inside', async () => {
    const id = await findContainer();
    const pids = (await engine.docker('top', id, '-eo', 'pid')).split('\n').slice(1).map(Number).filter(Boolean);
    // Docker's init, the API server, EngineCore at least.
    expect(pids.length).toBeGreaterThanOrEqual(3);
    const allowed = await inside(id, '/usr/bin/sh', '-c', 'grep -h ^Cpus_allowed_list /proc/[0-9]*/task/*/status | sort | uniq -c');
    expect(allowed.trim().split('\n')).toHaveLength(1);
    expect(allowed).toMatch(/^\s*\d+ Cpus_allowed_list:\s+0\s*$/);
    const cap = await inside(
      id,
      '/usr/bin/sh',
      '-c',
      'cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes',
    );
    expect(Number(cap)).toBe(4 * gib);
  });

  it('its main process killed: ready again, in another container', async () => {
    const id = await findContainer();
    const main = (await engine.docker('top', id, '-eo', 'pid,ppid')).split('\n').slice(1);
    const init = Number((await engine.docker('inspect', '-f', '{{.State.Pid}}', id)).trim());
    const server = main.map((line) => line.trim().split(/\s+/).map(Number)).find(([, ppid]) => ppid === init);
    killQuietly(server?.[0] ?? 0);
    const again = await eventually(status, (now) => now.state === 'ready' && now.restarts.total === 1, startMs);
    expect(again.lastExit).toMatchObject({ cause: 'exit', signal: 'SIGKILL' });
    expect(await findContainer()).not.toBe(id);
    expect((await box.cli('ask', 'Hello', '--max-tokens', '8')).code).toBe(0);
  });

  it('goes without a trace', async () => {
    const down = await box.cli('down', 'boxed');
    expect(down.code, down.stderr).toBe(0);
    expect(await listContainers()).toEqual([]);
    expect((await engine.docker('volume', 'ls', '-q')).trim()).toBe('');
    expect(await isPortOpen(port)).toBe(false);
    await untilNothingIsLeft(box);
  });
});
