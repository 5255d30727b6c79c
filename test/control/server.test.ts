import { spawn } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { followEvents, readSupervised, type SupervisorAddress, sendCommand } from '../../src/control/client.ts';
import { type ControlServer, startControlServer } from '../../src/control/server.ts';
import type { DeploymentEvent } from '../../src/core/event.ts';
import { fetchText } from '../../src/host/http.ts';
import { Journal } from '../../src/supervisor/journal.ts';
import { Supervisor } from '../../src/supervisor/supervisor.ts';
import { makeState } from '../supervisor/make.ts';

let directory: string;
let address: SupervisorAddress;
let journal: Journal;
let supervisor: Supervisor;
let server: ControlServer;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'qd-control-'));
  address = { name: 'tiny', socket: join(directory, 'tiny.sock'), patience: { answerMs: 300, silentMs: 300 } };
  journal = await Journal.open(join(directory, 'events.ndjson'));
  supervisor = new Supervisor({
    state: makeState(),
    stateFile: join(directory, 'state.json'),
    journal,
    crashDirectory: '/nowhere',
    runtimeOf: () => {
      throw new Error('nothing is launched here');
    },
    filesOf: (id) => ({ logFile: id, exitFile: id, tmpDir: id }),
  });
  server = await start();
});
afterEach(async () => {
  await server.close();
  await supervisor.release();
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
});

const start = () => startControlServer({ socket: address.socket, supervisor, journal, beatMs: 100 });
const down = { type: 'down', force: false } as const;
const say = (count = 1) => {
  for (let n = 0; n < count; n += 1) journal.append({ type: 'supervisor-ended' }, { at: '', deployment: 'tiny', run: 0 });
};

describe('the socket', () => {
  it('J5 is for this user alone, and gone afterwards', async () => {
    expect((await stat(address.socket)).mode & 0o777).toBe(0o600);
    await server.close();
    await expect(stat(address.socket)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('J1 takes the place of one that a killed supervisor left', async () => {
    await server.close();
    const owner = spawn(process.execPath, [
      '-e',
      `require('net').createServer().listen(${JSON.stringify(address.socket)}, () => console.log(1))`,
    ]);
    await new Promise((resolve) => owner.stdout.once('data', resolve));
    const gone = new Promise((resolve) => owner.once('exit', resolve));
    owner.kill('SIGKILL');
    await gone;
    expect((await stat(address.socket)).isSocket()).toBe(true);
    expect(await readSupervised(address)).toBeUndefined();
    server = await start();
    expect(await readSupervised(address)).toMatchObject({ kind: 'Deployment', name: 'tiny', supervisor: { pid: process.pid } });
  });
});

describe('a command', () => {
  it('answers with the document and the event to follow from', async () => {
    say(3);
    const reply = await sendCommand(address, down);
    expect(reply).toMatchObject({ after: 3, deployment: { kind: 'Deployment', state: 'stopped' } });
    expect(journal.last).toBeGreaterThan(3);
  });

  it.each([
    ['nothing is there', '/nowhere/at.all'],
    ['it is no socket', 'file'],
  ])('finds nobody where %s', async (_, socket) => {
    await writeFile(join(directory, 'file'), '');
    const nobody = { name: 'tiny', socket: socket.startsWith('/') ? socket : join(directory, socket) };
    expect(await sendCommand(nobody, down)).toBeUndefined();
    expect(await readSupervised(nobody)).toBeUndefined();
  });

  it('is not taken any more by a supervisor that ends: somebody else will', async () => {
    server.refuseCommands();
    expect(await sendCommand(address, down)).toBeUndefined();
    expect(journal.last).toBe(0);
    expect(await readSupervised(address)).toBeDefined();
  });

  it('that is being worked on is answered before the socket closes', async () => {
    const sent = sendCommand(address, down);
    await expect.poll(() => journal.last).toBeGreaterThan(0);
    await server.close();
    expect(await sent).toMatchObject({ after: 0 });
  });

  it.each([
    ['no JSON', 'POST', '/v1/command', '{', 400],
    ['no command', 'POST', '/v1/command', '{"command":{"type":"exited","run":0}}', 400],
    ['a command of another shape', 'POST', '/v1/command', '{"command":{"type":"up"}}', 400],
    ['nothing', 'POST', '/v1/command', 'null', 400],
    ['too much', 'POST', '/v1/command', 'x'.repeat(2 ** 20 + 1), 413],
    ['another place', 'GET', '/v2/deployment', undefined, 404],
    ['another method', 'POST', '/v1/deployment', '{}', 404],
  ])('J4 that is %s is refused, and harms nobody', async (_, method, path, body, status) => {
    expect(await request(method, path, body)).toBe(status);
    expect(await readSupervised(address)).toBeDefined();
  });

  it('that breaks off in the middle harms nobody', async () => {
    const socket = createConnection(address.socket);
    await new Promise<void>((done) => socket.once('connect', done));
    socket.write('POST /v1/command HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"com');
    await new Promise((done) => setTimeout(done, 20));
    socket.destroy();
    expect(await readSupervised(address)).toBeDefined();
  });

  it('says what is wrong when the supervisor is of another kind, or silent', async () => {
    const other = createHttpServer((_, reply) => reply.writeHead(500).end('what?')).listen(join(directory, 'other.sock'));
    await expect(sendCommand({ ...address, socket: join(directory, 'other.sock') }, down)).rejects.toMatchObject({
      code: 'supervisor/protocol',
    });
    other.close();
    const silent = await startSilent();
    await expect(sendCommand(silent.address, down)).rejects.toMatchObject({ code: 'supervisor/silent', exitStatus: 4 });
    await expect(readSupervised(silent.address)).rejects.toMatchObject({ code: 'supervisor/silent' });
    silent.close();
  });
});

describe('following', () => {
  const numbers = (events: readonly DeploymentEvent[]) => events.map(({ seq }) => seq);

  it('gives what came after, then what comes, over any silence, until its signal', async () => {
    say(3);
    const stop = new AbortController();
    const seen: DeploymentEvent[] = [];
    const following = (async () => {
      for await (const event of followEvents(address, 1, stop.signal)) seen.push(event);
    })();
    await expect.poll(() => numbers(seen)).toEqual([2, 3]);
    await new Promise((done) => setTimeout(done, 500));
    say();
    await expect.poll(() => numbers(seen)).toEqual([2, 3, 4]);
    stop.abort();
    await following;
  });

  it('says that the supervisor has gone, or is silent', async () => {
    const read = async (from: SupervisorAddress) => {
      for await (const _ of followEvents(from, 0, new AbortController().signal)) await server.close();
    };
    say();
    await expect(read(address)).rejects.toMatchObject({ code: 'supervisor/gone' });
    await expect(read(address)).rejects.toMatchObject({ code: 'supervisor/gone' });
    const silent = await startSilent('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
    await expect(read(silent.address)).rejects.toMatchObject({ code: 'supervisor/silent' });
    silent.close();
  });

  it('J4 drops one who does not read, and keeps the others', async () => {
    const lazy = createConnection(address.socket);
    lazy.pause();
    const dropped = new Promise((resolve) => lazy.once('close', resolve));
    lazy.on('error', () => undefined);
    lazy.write('GET /v1/events?after=0 HTTP/1.1\r\nhost: x\r\n\r\n');
    const stop = new AbortController();
    let count = 0;
    const following = (async () => {
      for await (const _ of followEvents(address, 0, stop.signal)) count += 1;
    })();
    await new Promise((done) => setTimeout(done, 50));
    for (let round = 0; round < 60; round += 1) {
      journal.append({ type: 'rolling-back', reason: 'x'.repeat(50_000) }, { at: '', deployment: 'tiny', run: 0 });
      await new Promise((done) => setImmediate(done));
    }
    await expect.poll(() => count).toBe(60);
    // What the kernel still holds for it can be read; then it ends.
    lazy.resume();
    await dropped;
    stop.abort();
    await following;
    expect(await readSupervised(address)).toBeDefined();
  });
});

/** Raw, because a client of ours would not send such things. */
function request(method: string, path: string, body: string | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(address.socket);
    let text = '';
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    socket.once('close', () => resolve(Number(text.split(' ')[1])));
    socket.once('error', reject);
    socket.write(`${method} ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: ${body?.length ?? 0}\r\n\r\n${body ?? ''}`);
  });
}

/** Somebody who listens, perhaps says so, and then stands still: a supervisor that was stopped. */
async function startSilent(first = ''): Promise<{ address: SupervisorAddress; close(): void }> {
  const socket = join(directory, `silent-${first.length}.sock`);
  const sockets: Socket[] = [];
  const listener: Server = createServer((connection) => {
    sockets.push(connection);
    connection.write(first);
  });
  await new Promise<void>((done) => listener.listen(socket, done));
  const close = () => {
    for (const one of sockets) one.destroy();
    listener.close();
  };
  return { address: { ...address, socket }, close };
}

it('is plain HTTP: any client on this machine can read the document', async () => {
  const reply = await fetchText({ socketPath: address.socket }, { path: '/v1/deployment' });
  expect(JSON.parse(reply.text)).toMatchObject({ kind: 'Deployment', version: 1 });
});
