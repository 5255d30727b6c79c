import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { connectDocker } from '../../../src/host/docker/connect.ts';
import { startFakeApi } from '../../docker/fake-api.ts';

/** In place of ssh: this machine is the other one, and a few lines of Node are its `docker system dial-stdio`. */
async function startMachine(script: (socket: string) => string) {
  const api = await startFakeApi({});
  const before = process.env.PATH;
  writeFileSync(join(api.home, 'ssh'), `#!/bin/sh\n${script(api.socket)}\n`);
  chmodSync(join(api.home, 'ssh'), 0o755);
  process.env.PATH = `${api.home}:${before}`;
  onTestFinished(async () => {
    process.env.PATH = before;
    await api.stop();
  });
}

const dial = (socket: string) => `exec '${process.execPath}' -e "
const way = require('net').connect('${socket}'); process.stdin.pipe(way); way.pipe(process.stdout)"`;

it('asks an engine by way of ssh', async () => {
  await startMachine(dial);
  const docker = await connectDocker({ DOCKER_HOST: 'ssh://me@box' }, { timeoutMs: 10_000 });
  expect(docker).toMatchObject({ address: 'ssh://me@box', apiVersion: '1.45', isLocal: false });
  expect(await docker.inspect('nobody')).toBeUndefined();
});

it('passes on the words of ssh', async () => {
  await startMachine(() => 'echo "me@box: Permission denied (publickey)." >&2; exit 255');
  const connecting = connectDocker({ DOCKER_HOST: 'ssh://me@box' }, { timeoutMs: 10_000 });
  await expect(connecting).rejects.toMatchObject({
    code: 'docker/unreachable',
    params: { problem: 'me@box: Permission denied (publickey).' },
  });
});
