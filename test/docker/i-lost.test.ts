/**
 * I6 with all of the program and a real container: Docker hands a GPU to it by a hook of NVIDIA's name that does nothing,
 * and nvidia-smi is a script, inside and outside.
 */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import type { Deployment } from '../../src/supervisor/deployment.ts';
import { l4 } from '../faults/gpu-machine.ts';
import { createSandbox, eventually, freePort, type Sandbox } from '../scenarios/sandbox.ts';
import { startNetworkedEngine, type TestEngine } from './engine.ts';
import { importStandIn } from './images.ts';

const machineBin = new URL('../faults/gpu-bin', import.meta.url).pathname;
const image = 'qwen-deploy-gpu:v0.32.0';
const words = 'Failed to initialize NVML: Unknown Error';
let home = '';
let engine: TestEngine | undefined;
let box: Sandbox | undefined;

afterEach(async () => {
  await box?.dispose();
  await engine?.stop();
  vi.unstubAllEnvs();
  await rm(home, { recursive: true, force: true });
});

async function writeScript(path: string, ...lines: readonly string[]): Promise<string> {
  await writeFile(path, `#!/bin/sh\n${lines.join('\n')}\n`);
  await chmod(path, 0o755);
  return path;
}

/** That of the stand-in, with an nvidia-smi that cannot reach its GPUs once `/tmp/lost` is there. */
async function importWithGpu(on: TestEngine): Promise<void> {
  await importStandIn(on, 'qd-plain:test');
  const script = await writeScript(
    join(home, 'nvidia-smi'),
    `[ ! -e /tmp/lost ] || { echo '${words}'; exit 255; }`,
    'echo "GPU 0: NVIDIA L4"',
  );
  const id = (await on.docker('create', 'qd-plain:test')).trim();
  await on.docker('cp', script, `${id}:/usr/local/bin/nvidia-smi`);
  await on.docker('commit', id, image);
  await on.docker('rm', id);
}

it('I6: a container that lost its GPU and hangs is replaced by a new one, with the reason', async () => {
  home = await mkdtemp(join(tmpdir(), 'qd-lost-'));
  await mkdir(join(home, 'bin'));
  await writeScript(join(home, 'bin/nvidia-container-runtime-hook'), 'exit 0');
  vi.stubEnv('PATH', [join(home, 'bin'), process.env['PATH']].join(delimiter));
  engine = await startNetworkedEngine(['--add-runtime', 'nvidia=runc']);
  await importWithGpu(engine);
  box = await createSandbox({
    env: {
      DOCKER_HOST: engine.env['DOCKER_HOST'],
      DOCKER_CONFIG: engine.env['DOCKER_CONFIG'],
      PATH: [machineBin, process.env['PATH']].join(delimiter),
    },
  });
  const { cli } = box;
  await writeFile(join(box.home, 'gpus.json'), JSON.stringify({ gpus: [l4] }));
  await writeFile(join(box.home, 'kernel-log'), '[ 0.0] Linux\n');
  const port = await freePort();
  const lines = [
    'extends: fp16',
    `engine: {backend: docker, image: "${image}"}`,
    `server: {port: ${port}}`,
    'health: {stall-after: 1500ms, canary-interval: 1s}',
    'restart: {first-delay: 100ms}',
    'stop: {drain: 1s}',
  ];
  await writeFile(join(box.home, 'boxed.yaml'), `${lines.join('\n')}\n`);
  const up = await cli('up', '-p', './boxed.yaml', '--yes');
  expect(up.code, up.stderr).toBe(0);
  const status = async () => (await cli('status', 'boxed', '-o', 'json')).json<Deployment>();
  const first = await status();
  await engine.docker('exec', first.containerId ?? '', 'sh', '-c', ': >/tmp/lost');
  await fetch(`http://127.0.0.1:${port}/__fault`, { method: 'POST', body: JSON.stringify({ hang: true }) });
  const after = await eventually(status, (now) => now.state === 'ready' && now.launchId !== first.launchId, 40_000);
  expect(after.lastExit).toMatchObject({ cause: 'gpu-lost-in-container', line: words });
  expect(after.containerId).not.toBe(first.containerId);
  const ids = (await engine.docker('ps', '-aq', '--no-trunc')).trim().split('\n');
  expect(ids).toEqual([after.containerId]);
  expect((await cli('events', 'boxed')).stdout).toMatch(/has lost its GPUs.*native\.cgroupdriver=cgroupfs/);
});
