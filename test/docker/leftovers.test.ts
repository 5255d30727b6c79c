/** What accidents leave in Docker, and what a deployment there looks like from outside. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { readHomeId } from '../../src/host/home-id.ts';
import type { Deployment } from '../../src/supervisor/deployment.ts';
import { createSandbox, eventually, freePort, killQuietly, type Sandbox } from '../scenarios/sandbox.ts';
import { startNetworkedEngine, type TestEngine } from './engine.ts';
import { importStandIn } from './images.ts';

const image = 'qwen-deploy-stand-in:v0.32.0';
const otherHome = 'f'.repeat(16);
let engine: TestEngine;
let box: Sandbox;

beforeAll(async () => {
  engine = await startNetworkedEngine();
  await importStandIn(engine, image);
});
afterAll(() => engine?.stop());

beforeEach(async () => {
  box = await createSandbox({ env: { DOCKER_HOST: engine.env['DOCKER_HOST'], DOCKER_CONFIG: engine.env['DOCKER_CONFIG'] } });
  const lines = [
    'extends: tiny',
    `engine: {backend: docker, image: "${image}"}`,
    `server: {port: ${await freePort()}}`,
    'resources: {memory: 4GiB}',
    'stop: {drain: 2s}',
  ];
  await writeFile(join(box.home, 'boxed.yaml'), `${lines.join('\n')}\n`);
});
afterEach(async () => {
  await box.dispose();
  for (const id of await listContainers()) await engine.docker('rm', '--force', id);
});

const up = () => box.cli('up', '-p', './boxed.yaml', '--yes');
const status = async () => (await box.cli('status', 'boxed', '-o', 'json')).json<Deployment>();
const listContainers = async () => (await engine.docker('ps', '-aq', '--no-trunc')).split('\n').filter(Boolean);

interface Decoy {
  readonly deployment?: string;
  readonly home?: string;
  readonly schema?: string;
}

/** A container that has our labels and never ran. */
async function createDecoy({ deployment = 'boxed', home = readHomeId(join(box.home, 'qd/state')), schema = '1' }: Decoy): Promise<string> {
  const labels = { instance: deployment, home, schema, 'launch-id': '0198a2c4-0000-7000-8000-00000000abcd' };
  const words = Object.entries(labels).flatMap(([name, value]) => ['--label', `qwen-deploy.${name}=${value}`]);
  return (await engine.docker('create', ...words, image)).trim();
}

interface DoctorReport {
  readonly checks: readonly {
    readonly id: string;
    readonly status: string;
    readonly evidence?: readonly string[];
    readonly fix?: { readonly command: string };
  }[];
}

it('ends what it started itself when its record was lost, and nothing of anybody else', async () => {
  await up();
  const [lost = ''] = await listContainers();
  const { supervisor, container } = await status();
  expect(container?.id).toBe(lost);
  killQuietly(supervisor?.pid ?? 0);
  await rm(join(box.home, 'qd/state/deployments'), { recursive: true });
  const strangers = [
    await createDecoy({ home: otherHome }),
    await createDecoy({ schema: '0' }),
    await createDecoy({ deployment: 'other' }),
  ];
  const report = (await box.cli('doctor', '-p', 'demo', '--offline', '-o', 'json')).json<DoctorReport>();
  const leftovers = report.checks.find(({ id }) => id === 'docker.leftovers');
  expect(leftovers).toMatchObject({ status: 'warn', fix: { command: expect.stringContaining(lost.slice(0, 12)) } });
  expect(leftovers?.evidence).toHaveLength(2);
  const again = await up();
  expect([again.code, again.stderr]).toEqual([0, expect.not.stringContaining('error:')]);
  const left = await listContainers();
  expect(left).not.toContain(lost);
  expect(left).toEqual(expect.arrayContaining(strangers));
  expect(left).toHaveLength(strangers.length + 1);
});

it('shows the container and its image, and says when the tag means another one', async () => {
  await up();
  const [id = ''] = await listContainers();
  const imageId = (await engine.docker('inspect', '-f', '{{.Image}}', id)).trim();
  expect(await status()).toMatchObject({ containerId: id, container: { id, image: { reference: image, id: imageId } } });
  const shown = `${id.slice(0, 12)} in Docker, of ${image} (${imageId})`;
  expect((await box.cli('status', 'boxed')).stdout).toContain(shown);
  expect((await box.cli('events', 'boxed')).stdout).toContain(`launched as container ${shown}`);
  const ended = await createDecoy({});
  await engine.docker('commit', '--change', 'LABEL of=another', ended, image);
  expect((await box.cli('restart', 'boxed')).code).toBe(0);
  const now = await status();
  expect(now.container?.image?.id).not.toBe(imageId);
  const events = await box.cli('events', 'boxed');
  expect(events.stdout).toContain(`the tag ${image} means another image now: ${now.container?.image?.id}, and it was ${imageId}`);
  // One of ours that had ended, and that nobody had removed.
  await eventually(listContainers, (all) => all.length === 1 && all[0] === now.containerId);
});

it('removes what is left with forget and with down --all --force', async () => {
  const other = await createDecoy({ home: otherHome });
  const left = await createDecoy({});
  const forgotten = await box.cli('forget', 'boxed', '-o', 'json');
  expect(forgotten.code).toBe(0);
  expect(forgotten.json()).toMatchObject({ kind: 'Forgotten', name: 'boxed', containers: [expect.any(String)] });
  expect(await listContainers()).toEqual([other]);
  expect((await box.cli('forget', 'boxed')).code).toBe(6);
  expect(await createDecoy({ deployment: 'gone' })).not.toBe(left);
  const offered = 'was left behind by gone, which is not known any more; qwen-deploy down --all --force removes it';
  expect((await box.cli('down', '--all')).stderr).toContain(offered);
  const unknown = await box.cli('down', 'gone');
  expect([unknown.code, unknown.stderr]).toEqual([6, expect.stringContaining('qwen-deploy forget gone ends and removes it')]);
  const all = await box.cli('down', '--all', '--force');
  expect([all.code, all.stderr]).toEqual([0, expect.stringContaining('was left behind by gone; it is removed')]);
  expect(await listContainers()).toEqual([other]);
});
