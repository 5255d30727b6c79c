import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it, onTestFinished, test } from 'vitest';
import { parseDockerHost, readDockerAddresses } from '../../../src/host/docker/address.ts';
import { observeDocker } from '../../../src/host/docker/observe.ts';

const version = { Version: '28.2.2', ApiVersion: '1.50', MinAPIVersion: '1.24' };
const info = {
  OperatingSystem: 'Debian GNU/Linux 12 (bookworm)',
  CgroupDriver: 'systemd',
  CgroupVersion: '2',
  Runtimes: { 'io.containerd.runc.v2': { path: 'runc' }, nvidia: { path: 'nvidia-container-runtime' } },
  DiscoveredDevices: [{ Source: 'cdi', ID: 'nvidia.com/gpu=all' }],
  CDISpecDirs: ['/etc/cdi', '/var/run/cdi'],
  DefaultAddressPools: [{ Base: '10.200.0.0/16', Size: 24 }],
  Driver: 'overlay2',
  DockerRootDir: '/var/lib/docker',
  SecurityOptions: ['name=seccomp,profile=builtin', 'name=rootless'],
  Warnings: null,
};
/** A slow machine is no failure. */
const limit = { timeoutMs: 10_000 };

function makeHome(files: Readonly<Record<string, unknown>> = {}): string {
  const home = mkdtempSync(join(tmpdir(), 'docker-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return home;
}

async function listen(server: Server, where: string | number): Promise<Server> {
  await new Promise<void>((done) => (typeof where === 'string' ? server.listen(where, done) : server.listen(where, '127.0.0.1', done)));
  onTestFinished(() => void server.close());
  return server;
}

/** An engine of so many words: what it is not told is not found. */
function createEngine(answers: Readonly<Record<string, unknown>>): Server {
  return createHttpServer((request, reply) => {
    const body = answers[request.url ?? ''];
    reply.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' });
    reply.end(JSON.stringify(body ?? { message: 'page not found' }));
  });
}

const whole = { '/version': version, '/info': info };

it('reads what the checks need', async () => {
  const home = makeHome();
  const socket = join(home, 'docker.sock');
  await listen(createEngine(whole), socket);
  expect(await observeDocker({ HOME: home, DOCKER_HOST: `unix://${socket}` }, limit)).toEqual({
    is: 'present',
    socket,
    version: '28.2.2',
    apiVersion: '1.50',
    apiVersionMin: '1.24',
    operatingSystem: 'Debian GNU/Linux 12 (bookworm)',
    cgroupDriver: 'systemd',
    cgroupVersion: '2',
    runtimes: ['io.containerd.runc.v2', 'nvidia'],
    cdiDevices: ['nvidia.com/gpu=all'],
    cdiSpecDirectories: ['/etc/cdi', '/var/run/cdi'],
    addressPools: [{ base: '10.200.0.0/16', size: 24 }],
    storageDriver: 'overlay2',
    rootDirectory: '/var/lib/docker',
    rootless: true,
  });
});

it('asks over TCP, and not whom DOCKER_HOST of this process names', async () => {
  const server = await listen(createEngine(whole), 0);
  const { port } = server.address() as AddressInfo;
  const before = process.env.DOCKER_HOST;
  process.env.DOCKER_HOST = 'tcp://127.0.0.1:1';
  onTestFinished(() => {
    if (before === undefined) delete process.env.DOCKER_HOST;
    else process.env.DOCKER_HOST = before;
  });
  const seen = await observeDocker({ DOCKER_HOST: `tcp://127.0.0.1:${port}` }, limit);
  expect(seen).toMatchObject({ is: 'present', socket: `tcp://127.0.0.1:${port}`, version: '28.2.2' });
  const home = makeHome();
  await listen(createEngine({ ...whole, '/version': { ...version, Version: '27.1' } }), join(home, 'd.sock'));
  expect(await observeDocker({ DOCKER_HOST: `unix://${join(home, 'd.sock')}` }, limit)).toMatchObject({ version: '27.1' });
});

it('prefers the engine without root, and falls back to the usual one', async () => {
  const run = makeHome();
  await listen(createEngine(whole), join(run, 'docker.sock'));
  expect(await observeDocker({ HOME: run, XDG_RUNTIME_DIR: run }, limit)).toMatchObject({
    is: 'present',
    socket: join(run, 'docker.sock'),
  });
});

it('takes Podman where there is no Docker, and says nothing of it where it does not answer', async () => {
  const [dumb, run] = [makeHome({ 'podman/x': '' }), makeHome({ 'podman/x': '' })];
  await listen(createServer(), join(dumb, 'podman/podman.sock'));
  expect(await observeDocker({ HOME: dumb, XDG_RUNTIME_DIR: dumb }, { timeoutMs: 300 })).not.toMatchObject({ is: 'silent' });
  const socket = join(run, 'podman/podman.sock');
  await listen(createEngine(whole), socket);
  expect(await observeDocker({ HOME: run, XDG_RUNTIME_DIR: run }, limit)).toMatchObject({ is: 'present', socket });
});

const refusals: Readonly<Record<string, readonly [serve: (() => Server) | undefined, problem: string | undefined]>> = {
  'nothing there': [undefined, undefined],
  'something that hangs': [() => createServer(), 'ETIMEDOUT'],
  'an answer that begins and never ends': [
    () =>
      createHttpServer((_, reply) => {
        reply.writeHead(200, { 'content-length': '1000' });
        reply.write('{"Version": "28');
      }),
    'ETIMEDOUT',
  ],
  'no HTTP': [() => createServer((socket) => void socket.end('220 mail.example ESMTP\r\n')), 'HPE_INVALID_CONSTANT'],
  'another server': [() => createEngine({}), 'HTTP 404'],
  'another server of JSON': [() => createEngine({ '/version': { version: '0.32.0' }, '/info': {} }), 'EPROTO'],
  'a proxy that keeps /info': [() => createEngine({ '/version': version }), 'HTTP 404'],
};

test.each(Object.entries(refusals))('%s', async (_, [serve, problem]) => {
  const socket = join(makeHome(), 'docker.sock');
  if (serve) await listen(serve(), socket);
  const timeoutMs = problem === 'ETIMEDOUT' ? 300 : 10_000;
  const seen = await observeDocker({ DOCKER_HOST: `unix://${socket}` }, { timeoutMs });
  expect(seen).toEqual(problem === undefined ? { is: 'absent', socket } : { is: 'silent', socket, problem });
});

it('tells what is no socket, what it cannot speak, and what the person gave up', async () => {
  const home = makeHome({ file: '' });
  expect(await observeDocker({ DOCKER_HOST: `unix://${home}/file` }, limit)).toMatchObject({ is: 'silent', problem: 'ENOTSOCK' });
  const remote = { is: 'unusable', socket: 'fd://', problem: 'EPROTONOSUPPORT' };
  expect(await observeDocker({ DOCKER_HOST: 'fd://' }, limit)).toEqual(remote);
  const socket = join(home, 'd.sock');
  await listen(createServer(), socket);
  const seen = await observeDocker({ DOCKER_HOST: `unix://${socket}` }, { timeoutMs: 60_000, signal: AbortSignal.timeout(50) });
  expect(seen).toMatchObject({ is: 'silent' });
});

it('tells a socket that an engine left behind', async () => {
  const home = makeHome();
  const socket = join(home, 'docker.sock');
  const server = await listen(createServer(), join(home, 'first.sock'));
  // Closing a server removes its file, but not under another name.
  renameSync(join(home, 'first.sock'), socket);
  await new Promise((done) => server.close(done));
  expect(await observeDocker({ DOCKER_HOST: `unix://${socket}` }, limit)).toEqual({ is: 'silent', socket, problem: 'ECONNREFUSED' });
});

it('tells a forbidden engine from an absent one', async () => {
  const home = makeHome();
  const socket = join(home, 'docker.sock');
  await listen(createEngine(whole), socket);
  chmodSync(socket, 0o600);
  chmodSync(home, 0o755);
  // Root may open everything, so for a moment this process is somebody else.
  if (process.getuid?.() === 0) {
    await import('dockerode');
    process.seteuid?.(65_534);
    onTestFinished(() => process.seteuid?.(0));
  } else chmodSync(socket, 0);
  const seen = await observeDocker({ DOCKER_HOST: `unix://${socket}` }, limit);
  if (process.getuid?.() === 0) process.seteuid?.(0);
  expect(seen).toEqual({ is: 'forbidden', socket, problem: 'EACCES' });
});

const work = createHash('sha256').update('work').digest('hex');
const meta = (host: string) => ({ Name: 'work', Endpoints: { docker: { Host: host, SkipTLSVerify: false } } });

const places: Readonly<
  Record<string, readonly [env: NodeJS.ProcessEnv, files: Readonly<Record<string, unknown>>, found: readonly string[]]>
> = {
  'the usual one, then Podman': [{}, {}, ['/var/run/docker.sock', '/run/podman/podman.sock']],
  'one without root first': [
    { XDG_RUNTIME_DIR: '/run/user/1000' },
    {},
    ['/run/user/1000/docker.sock', '/var/run/docker.sock', '/run/user/1000/podman/podman.sock', '/run/podman/podman.sock'],
  ],
  'the variable alone': [{ DOCKER_HOST: 'unix:///x.sock', DOCKER_CONTEXT: 'work' }, {}, ['/x.sock']],
  'the current context': [
    {},
    { '.docker/config.json': { currentContext: 'work' }, [`.docker/contexts/meta/${work}/meta.json`]: meta('unix:///y.sock') },
    ['/y.sock'],
  ],
  'the context of the variable': [
    { DOCKER_CONTEXT: 'work' },
    { '.docker/config.json': '{"currentContext": "other"}', [`.docker/contexts/meta/${work}/meta.json`]: meta('tcp://box:2375') },
    ['tcp://box:2375'],
  ],
  'the context with certificates': [
    { DOCKER_CONTEXT: 'work' },
    { [`.docker/contexts/meta/${work}/meta.json`]: meta('tcp://box'), [`.docker/contexts/tls/${work}/docker/ca.pem`]: 'pem' },
    ['tcp://box:2376'],
  ],
  'a context that is not there': [{ DOCKER_CONTEXT: 'work' }, {}, ['work']],
  'the default context': [
    {},
    { '.docker/config.json': { currentContext: 'default' } },
    ['/var/run/docker.sock', '/run/podman/podman.sock'],
  ],
  'a damaged configuration': [{}, { '.docker/config.json': '{"currentContext": ' }, ['/var/run/docker.sock', '/run/podman/podman.sock']],
};

test.each(Object.entries(places))('looks for %s', async (_, [env, files, found]) => {
  const addresses = await readDockerAddresses({ HOME: makeHome(files), ...env });
  expect(addresses.map(({ name }) => name)).toEqual(found);
});

test.each([
  ['unix://', { is: 'socket', path: '/var/run/docker.sock' }],
  ['tcp://10.0.0.1:2375', { is: 'tcp', host: '10.0.0.1', port: 2375 }],
  ['box:80', { is: 'tcp', host: 'box', port: 80 }],
  ['http://box:80', { is: 'tcp', host: 'box', port: 80 }],
  ['tcp://box', { is: 'tcp', port: 2375 }],
  ['ssh://me@box:22/run/d.sock', { is: 'ssh', host: 'box', user: 'me', port: 22, path: '/run/d.sock' }],
  ['ssh://-oProxyCommand=x', { is: 'unusable', problem: 'EINVAL' }],
  ['fd://', { is: 'unusable', problem: 'EPROTONOSUPPORT' }],
  ['npipe:////./pipe/docker_engine', { is: 'unusable', problem: 'EPROTONOSUPPORT' }],
  ['tcp://', { is: 'unusable', problem: 'EINVAL' }],
  ['tcp://box:99999', { is: 'unusable', problem: 'EINVAL' }],
])('reads DOCKER_HOST=%s', (text, address) => {
  expect(parseDockerHost(text)).toMatchObject(address);
});
