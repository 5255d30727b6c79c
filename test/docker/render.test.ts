import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { renderDockerRun } from '../../src/render/docker-run.ts';
import { toPlainBody } from '../../src/runtime/docker/body.ts';
import { container, toSpec } from '../runtime/docker/stand-ins.ts';
import { eventually, freePort, type Sandbox } from '../scenarios/sandbox.ts';
import type { TestEngine } from './engine.ts';
import { image, openBox, openEngine } from './h-rows.ts';

const run = promisify(execFile);
let engine: TestEngine;
let box: Sandbox;

beforeAll(async () => {
  engine = await openEngine();
});
afterAll(() => engine?.stop());

beforeEach(async () => {
  box = await openBox(engine);
});
afterEach(async () => {
  const left = (await engine.docker('ps', '-aq')).split('\n').filter(Boolean);
  if (left.length > 0) await engine.docker('rm', '-f', ...left);
  await box.dispose();
});

interface Inspected {
  readonly Name: string;
  readonly HostConfig: { readonly Mounts: readonly { readonly Target: string }[]; readonly [field: string]: unknown };
  readonly Config: { readonly Env: readonly string[]; readonly Entrypoint: readonly string[]; readonly Cmd: readonly string[] } & {
    readonly [field: string]: unknown;
  };
}

async function inspectOnly(): Promise<Inspected> {
  const ids = (await engine.docker('ps', '-aq')).split('\n').filter(Boolean);
  expect(ids).toHaveLength(1);
  return JSON.parse(await engine.docker('inspect', ...ids))[0];
}

const runByHand = (line: string) => run('sh', ['-c', line], { env: { ...engine.env, BOXED_KEY: 'a key' }, cwd: box.home });

/** Docker's own program says nothing with an empty list where we leave the field out. */
function toSaid(fields: Readonly<Record<string, unknown>>): object {
  const isNothing = (value: unknown) => value === null || (typeof value === 'object' && Object.keys(value).length === 0);
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !isNothing(value)));
}

/** Without what only a launch of ours has: its labels, its id, its name, and the secrets in a file that a shell reads. */
function toComparable({ HostConfig, Config }: Inspected, ours: { readonly secrets: readonly string[] }) {
  const { Labels: _, Hostname: __, Env, Entrypoint, Cmd, ...config } = Config;
  const words = [...Entrypoint, ...Cmd];
  const isOurs = (entry: string) => ['QWEN_DEPLOY_LAUNCH_ID', ...ours.secrets].some((name) => entry.startsWith(`${name}=`));
  return {
    host: toSaid({ ...HostConfig, Mounts: HostConfig.Mounts.filter(({ Target }) => Target !== '/run/qwen-deploy-secrets') }),
    config: toSaid(config),
    // Docker's own program hands them over in no order.
    env: Env.filter((entry) => !isOurs(entry)).toSorted(),
    command: words[0] === '/bin/sh' ? words.slice(3) : words,
  };
}

it('the line that is rendered makes the same container by hand as up does, and it serves', async () => {
  const port = await freePort();
  const lines = [
    'extends: tiny',
    `engine: {backend: docker, image: "${image}", env: {NOTE: "it's two words, and $HOME", HUB_TOKEN: env:BOXED_KEY}}`,
    `server: {port: ${port}}`,
    'resources: {memory: 4GiB, cpus: 0, pids: 512, nofile: 4096, shm: 128MiB}',
    'stop: {drain: 2s}',
  ];
  await writeFile(join(box.home, 'boxed.yaml'), `${lines.join('\n')}\n`);
  Object.assign(box.env, { BOXED_KEY: 'a key' });
  const started = await box.cli('up', '-p', './boxed.yaml', '--yes');
  expect(started).toMatchObject({ code: 0 });
  const ours = await inspectOnly();
  expect((await box.cli('down')).code).toBe(0);

  const { stdout, code } = await box.cli('render', '-p', './boxed.yaml', '--format', 'docker-run');
  expect(code).toBe(0);
  expect(stdout).not.toContain('a key');
  await runByHand(stdout);
  const byHand = await inspectOnly();

  const secrets = { secrets: ['HUB_TOKEN'] };
  expect(toComparable(byHand, secrets)).toEqual(toComparable(ours, secrets));
  // What is different, and only that.
  expect(byHand.Config['Labels']).not.toHaveProperty('qwen-deploy.launch-id');
  expect(ours.Config['Labels']).toMatchObject(byHand.Config['Labels'] as object);
  expect(byHand.Config.Env).toContain('HUB_TOKEN=a key');
  expect(ours.Config.Env.join()).not.toContain('a key');
  expect(byHand.Name).toBe('/qwen-deploy-boxed');

  const health = () =>
    // Docker's proxy takes a connection before the engine listens, and may never say that nothing came of it.
    fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(1000) }).then(
      ({ status }) => status,
      () => 0,
    );
  await eventually(health, (status) => status === 200);
  // By hand it is not ours: nobody takes it over, and nobody ends it.
  expect((await box.cli('status', '-o', 'json')).json<{ deployments: readonly { state: string }[] }>().deployments).toMatchObject([
    { state: 'stopped' },
  ]);
});

it('the engine takes what stands for GPUs, limits and odd paths', async () => {
  const spec = toSpec({ resources: { cpus: '0', memoryBytes: 2 ** 28, pids: 64, nofile: 1024 }, env: { TWO: 'a\nb' } });
  const odd = { source: join(box.home, 'a "b", c'), target: '/od d', readOnly: true, create: true } as const;
  const order = { ...container, image, mounts: [odd], gpus: { by: 'nvidia', ids: ['GPU-1', 'GPU-2'] }, user: '2000:0' } as const;
  const body = toPlainBody({ spec, container: order });
  const line = renderDockerRun({ name: 'odd', body, directories: [odd.source], secrets: {}, inherited: ['BOXED_KEY', 'NOT_SET'] });
  // No GPU is here to start it with.
  await runByHand(line.replace('docker run', 'docker create').replace('  --detach \\\n', ''));
  const { HostConfig, Config } = await inspectOnly();
  const { DeviceRequests, Mounts } = HostConfig as unknown as { DeviceRequests: readonly { Capabilities: string[][] }[]; Mounts: unknown };
  expect(DeviceRequests).toMatchObject([{ Driver: 'nvidia', DeviceIDs: ['GPU-1', 'GPU-2'] }]);
  expect(DeviceRequests[0]?.Capabilities[0]?.toSorted()).toEqual(['compute', 'gpu', 'utility']);
  expect(Mounts).toEqual([{ Type: 'bind', Source: odd.source, Target: '/od d', ReadOnly: true }]);
  expect(Config).toMatchObject({ User: '2000:0', Env: expect.arrayContaining(['TWO=a\nb', 'BOXED_KEY=a key']) });
  expect(Config.Env.join()).not.toContain('NOT_SET');
});
