import { getEventListeners } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { fetchText, openReply } from '../../src/host/http.ts';

let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise<void>((done) => (server ? server.close(() => done()) : done()));
  server = undefined;
});

async function serve(listener: RequestListener): Promise<{ host: string; port: number }> {
  const made = createServer(listener);
  server = made;
  await new Promise<void>((done) => made.listen(0, '127.0.0.1', done));
  return { host: '127.0.0.1', port: (made.address() as AddressInfo).port };
}

it('sends JSON and gives back status and text', async () => {
  const target = await serve((request, reply) => request.pipe(reply.writeHead(418)));
  expect(await fetchText(target, { method: 'POST', path: '/', body: { a: '模' } })).toEqual({ status: 418, text: '{"a":"模"}' });
});

it.each<[string, RequestListener, string]>([
  ['never answers', () => undefined, 'ETIMEDOUT'],
  ['stops in the middle of the body', (_, reply) => void reply.writeHead(200, { 'content-length': 10 }).write('abc'), 'ETIMEDOUT'],
  ['drops the connection', (request) => void request.socket.destroy(), 'ECONNRESET'],
  [
    'drops it in the middle of the body',
    (request, reply) => void reply.writeHead(200, { 'content-length': 10 }).write('abc', () => request.socket.destroy()),
    'ECONNRESET',
  ],
  ['sends without end', (_, reply) => void reply.end('x'.repeat(5 * 2 ** 20)), 'ETOOBIG'],
])('a server that %s', async (_, listener, reason) => {
  const target = await serve(listener);
  await expect(fetchText(target, { path: '/', timeoutMs: 300 })).rejects.toMatchObject({ name: 'NoReply', reason });
});

it('nobody listening', async () => {
  await expect(fetchText({ host: '127.0.0.1', port: 1 }, { path: '/' })).rejects.toMatchObject({ reason: 'ECONNREFUSED' });
  await expect(fetchText({ socketPath: '/nowhere/at.all' }, { path: '/' })).rejects.toMatchObject({ reason: 'ENOENT' });
});

it('is given up with its signal, before and in the middle, and leaves no listener behind', async () => {
  const target = await serve((_, reply) => void reply.writeHead(200).write('abc'));
  const ended = new AbortController();
  const reply = await openReply(target, { path: '/', signal: ended.signal });
  const reading = fetchText(target, { path: '/', signal: ended.signal });
  setTimeout(() => ended.abort(), 20);
  await expect(reading).rejects.toMatchObject({ reason: 'EABORT' });
  await expect(fetchText(target, { path: '/', signal: ended.signal })).rejects.toMatchObject({ reason: 'EABORT' });
  reply.close();
  await expect.poll(() => getEventListeners(ended.signal, 'abort').length).toBe(0);
});
