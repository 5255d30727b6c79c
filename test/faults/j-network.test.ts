/** Sockets, ports and names that are not as one would wish. */
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, createConnection, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterEach, describe, expect, it } from 'vitest';
import { waitFor } from '../../src/core/clock.ts';
import { probeOnce } from '../../src/supervisor/probes.ts';
import { killQuietly, toUpArgs, untilNothingIsLeft } from '../scenarios/sandbox.ts';
import { makeSpec } from '../supervisor/make.ts';
import { openKit, quick } from './kit.ts';
import { runApart } from './machine.ts';

const kit = openKit();
const timeout = 60_000;

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(answer: (request: IncomingMessage) => { status: number; location?: string; text: string }) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const { status, location, text } = answer(request);
    response.writeHead(status, location === undefined ? {} : { location }).end(text);
  });
  server.on('connect', (_, socket) => {
    asked.push('CONNECT');
    socket.destroy();
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return { asked, port: (server.address() as AddressInfo).port };
}

/** Of the supervisor that runs, as its lock file says. */
async function findSocket(): Promise<string> {
  const lock = await readFile(join(kit.box.home, 'qd/state/deployments/tiny/supervisor.lock'), 'utf8');
  return lock.split('\n')[1] ?? '';
}

describe('clients of the control socket', { timeout }, () => {
  /** Resolves when the other side has ended it. */
  function open(path: string): { readonly socket: Socket; readonly closed: Promise<void>; readonly text: () => string } {
    const socket = createConnection(path);
    let text = '';
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    socket.on('error', () => undefined);
    return { socket, text: () => text, closed: new Promise((resolve) => socket.once('close', () => resolve())) };
  }

  const readRss = async (pid: number) => Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

  it('J4 one that sends a line of 100 MB is cut off, and costs no memory', async () => {
    const { supervisor } = await kit.up();
    const before = await readRss(supervisor?.pid ?? 0);
    const { socket, closed } = open(await findSocket());
    let sent = 0;
    const part = Buffer.alloc(2 ** 20, 'x');
    const over = closed.then(() => true);
    while (sent < 100 * 2 ** 20) {
      if (socket.destroyed) break;
      if (!socket.write(part) && (await Promise.race([over, new Promise((done) => socket.once('drain', done)).then(() => false)]))) break;
      sent += part.length;
    }
    await closed;
    expect(sent).toBeLessThan(20 * 2 ** 20);
    expect((await readRss(supervisor?.pid ?? 0)) - before).toBeLessThan(30);
    expect((await kit.status()).supervised).toBe(true);
  });

  it('J4 one that says nothing, or half of what it began, is dropped within seconds', async () => {
    await kit.up();
    const path = await findSocket();
    const silent = open(path);
    const half = open(path);
    half.socket.write('POST /v1/command HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"com');
    const startedAt = performance.now();
    await Promise.all([silent.closed, half.closed]);
    expect(performance.now() - startedAt).toBeLessThan(9000);
    expect((await kit.status()).supervised).toBe(true);
  });

  it('J5 another user is refused, by the directory and by the file', async () => {
    await kit.up();
    const path = await findSocket();
    const nobody = ['--reuid', '65534', '--regid', '65534', '--clear-groups'];
    const ask = async (...prefix: string[]) => {
      const words = [...prefix, 'curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', '--unix-socket', path, 'http://x/v1/deployment'];
      const [program = '', ...args] = words;
      return (await execa(program, args, { reject: false })).stdout;
    };
    for (const open of [kit.box.home, join(kit.box.home, 'qd')]) await chmod(open, 0o755);
    expect(await ask()).toBe('200');
    expect(await ask('setpriv', ...nobody)).toBe('000');
    expect((await stat(dirname(path))).mode & 0o777).toBe(0o700);
    await chmod(dirname(path), 0o755);
    expect(await ask('setpriv', ...nobody)).toBe('000');
    // Both opened, the question is answered: so it was they who refused it.
    await chmod(path, 0o666);
    expect(await ask('setpriv', ...nobody)).toBe('200');
  });
});

it('J6 a port in TIME_WAIT after a crash keeps no start waiting', { timeout }, async () => {
  const first = await kit.up('', ...quick);
  const sockets = Array.from({ length: 20 }, () => createConnection(kit.port, '127.0.0.1'));
  for (const socket of sockets) {
    socket.on('error', () => undefined);
    socket.write('GET /health HTTP/1.1\r\nhost: x\r\n\r\n');
  }
  await Promise.all(sockets.map((socket) => new Promise((done) => socket.once('data', done))));
  killQuietly(first.pid ?? 0);
  await Promise.all(sockets.map((socket) => new Promise((done) => socket.once('close', done))));
  const local = `:${kit.port.toString(16).toUpperCase().padStart(4, '0')} `;
  const waiting = (await readFile('/proc/net/tcp', 'utf8'))
    .split('\n')
    .filter((line) => line.slice(0, 21).includes(local) && / 06 /.test(line));
  expect(waiting.length).toBeGreaterThan(0);
  const after = await kit.untilReplaced(first);
  expect(after.restarts.total).toBe(1);
  expect((await kit.events()).map(({ type }) => type)).not.toContain('preflight-failed');
});

it('J7 localhost is ::1 alone: the address that was bound is asked', { timeout }, async () => {
  const hosts = join(kit.box.home, 'hosts');
  await writeFile(hosts, '::1 localhost\n');
  const prepare = `mount --bind ${hosts} /etc/hosts\ngetent ahosts localhost >${kit.box.home}/seen`;
  const up = await runApart(kit.box, { prepare }, ...toUpArgs(kit.port, '', '--set', 'health.interval=200ms'), '-o', 'json');
  expect(up.code, up.stderr).toBe(0);
  expect(await readFile(join(kit.box.home, 'seen'), 'utf8')).not.toContain('127.0.0.1');
  await waitFor(1000);
  expect(await kit.status()).toMatchObject({ state: 'ready', endpoint: `http://127.0.0.1:${kit.port}/v1`, restarts: { total: 0 } });
});

it('J8 proxies of the environment are not asked for what is here', { timeout }, async () => {
  const proxy = await serve(() => ({ status: 502, text: 'no' }));
  const address = `http://127.0.0.1:${proxy.port}`;
  for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy']) kit.box.env[name] = address;
  kit.box.env['NODE_USE_ENV_PROXY'] = '1';
  await kit.up('', 'health.interval=200ms');
  await waitFor(1000);
  expect(await kit.status()).toMatchObject({ state: 'ready', load: { running: 0 } });
  expect((await kit.box.cli('ask', 'Hi')).code).toBe(0);
  expect((await kit.box.cli('down')).code).toBe(0);
  expect(proxy.asked).toEqual([]);
  await untilNothingIsLeft(kit.box);
});

it('J10 a redirect is not followed, and no answer', async () => {
  const aim = await serve(() => ({ status: 200, text: '{"data":[{"id":"Qwen3-0.6B"}],"choices":[{}]}' }));
  const { port, asked } = await serve(({ url }) => ({ status: 302, location: `http://127.0.0.1:${aim.port}${url}`, text: '' }));
  const target = {
    host: '127.0.0.1',
    port,
    servedNames: ['Qwen3-0.6B'],
    apiKey: async () => undefined,
    needsKey: false,
    health: makeSpec().health,
  };
  const options = { timeoutMs: 2000, signal: new AbortController().signal };
  for (const check of ['health', 'models', 'completion', 'chat'] as const) {
    expect(await probeOnce(target, check, options)).toEqual({ passed: false, detail: 'HTTP 302' });
    // What it leads to would have passed.
    expect(await probeOnce({ ...target, port: aim.port }, check, options)).toEqual({ passed: true });
  }
  expect(asked).toHaveLength(4);
  expect(aim.asked).toHaveLength(4);
});
