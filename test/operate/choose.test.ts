import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toPlaces } from '../../src/host/environment.ts';
import { chooseProfile } from '../../src/operate/choose.ts';
import { toText } from '../../src/text/render.ts';

let home = '';
let hub: Server | undefined;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'choose-'));
});
afterEach(async () => {
  await new Promise<void>((done) => (hub ? hub.close(() => done()) : done()));
  hub = undefined;
  await rm(home, { recursive: true, force: true, maxRetries: 5 });
});

/** A hub that has one model. */
async function openHub(): Promise<string> {
  const server = createServer((request, reply) => {
    reply.writeHead(request.url === '/Qwen/Qwen3-0.6B/resolve/main/config.json' ? 200 : 404).end();
  });
  hub = server;
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const nobody = 'http://127.0.0.1:1';

function choose(env: NodeJS.ProcessEnv) {
  const places = toPlaces({ QWEN_DEPLOY_HOME: home });
  const signal = new AbortController().signal;
  return chooseProfile(
    { places, cwd: home, signal, env: { PATH: join(home, 'bin'), HOME: home, HF_ENDPOINT: nobody, ...env } },
    { noInstall: true },
  );
}

/** An environment with a CPU build of vLLM, as far as anybody can see from outside. */
async function putEngine(): Promise<void> {
  await mkdir(join(home, 'venv/lib/python3.11/site-packages/vllm-0.32.0+cpu.dist-info'), { recursive: true });
  for (const directory of ['venv/bin', 'bin']) await mkdir(join(home, directory), { recursive: true });
  await writeFile(join(home, 'venv/bin/python'), '#!/bin/sh\n', { mode: 0o755 });
  await writeFile(join(home, 'bin/vllm'), `#!${join(home, 'venv/bin/python')}\n`, { mode: 0o755 });
}

describe('chooseProfile', () => {
  it('ends on the simulator where nothing is installed and nothing may be', async () => {
    const { profile, reason } = await choose({});
    expect(profile).toBe('demo');
    expect(toText(reason)).toMatch(/--no-install.*Nothing below is a real model/);
  });

  it('goes on to what is installed: the miniature without a hub', async () => {
    await putEngine();
    expect((await choose({})).profile).toBe('tiny');
  });

  it('takes real weights where the hub has them', async () => {
    await putEngine();
    expect((await choose({ HF_ENDPOINT: await openHub() })).profile).toBe('cpu');
  });

  it('takes real weights that are on this machine', async () => {
    await putEngine();
    const snapshot = join(home, '.cache/huggingface/hub/models--Qwen--Qwen3-0.6B/snapshots/abc');
    await mkdir(snapshot, { recursive: true });
    for (const name of ['config.json', 'model.safetensors']) await writeFile(join(snapshot, name), '');
    expect((await choose({})).profile).toBe('cpu');
  });

  it('stops at a GPU that does not answer', async () => {
    await putEngine();
    await writeFile(join(home, 'bin/nvidia-smi'), '#!/bin/sh\nexit 255\n', { mode: 0o755 });
    await expect(choose({})).rejects.toMatchObject({ code: 'host/gpu-silent', exitStatus: 4 });
  });
});
