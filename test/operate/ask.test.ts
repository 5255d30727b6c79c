import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ensureDeploymentPaths } from '../../src/control/directory.ts';
import { ask } from '../../src/operate/ask.ts';
import { writeState } from '../../src/supervisor/store.ts';
import { makeState, makeWanted } from '../supervisor/make.ts';
import { createTestContext, type TestContext } from './context.ts';

let home: string;
let context: TestContext;
let server: Server;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'qd-ask-'));
  context = createTestContext(home);
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  await rm(home, { recursive: true, force: true, maxRetries: 5 });
});

/** A deployment whose engine is this server. */
async function serve(listener: RequestListener): Promise<void> {
  server = createServer(listener);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const endpoint = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  const paths = await ensureDeploymentPaths(context.places, 'tiny');
  await writeState(paths.state, makeState({ life: 'ready', desired: 'up', wanted: makeWanted('a', { endpoint }) }));
}

const chunk = (text: string) => `data: ${JSON.stringify({ choices: [{ delta: { content: text } }] })}\n\n`;

it('puts the pieces of an answer together', async () => {
  await serve((_, reply) => void reply.end(`${chunk('Hel')}${chunk('lo')}data: [DONE]\n\n`));
  expect(await ask({ text: 'Hi' }, context, () => undefined)).toMatchObject({ kind: 'Answer', text: 'Hello', model: 'Qwen3-0.6B' });
});

it.each<[string, RequestListener, RegExp]>([
  [
    'drops the connection in the middle',
    (request, reply) => void reply.writeHead(200).write(chunk('Hel'), () => request.socket.destroy()),
    /ECONNRESET/,
  ],
  ['ends in the middle', (_, reply) => void reply.end(chunk('Hel')), /middle/],
  [
    'says as data what went wrong',
    (_, reply) => void reply.end('data: {"error":{"message":"engine dead"}}\n\ndata: [DONE]\n\n'),
    /engine dead/,
  ],
  ['refuses', (_, reply) => void reply.writeHead(503).end('{"error":{"message":"busy"}}'), /503.*busy/],
])('an engine that %s has not answered: exit 5', async (_, listener, problem) => {
  await serve(listener);
  await expect(ask({ text: 'Hi' }, context, () => undefined)).rejects.toMatchObject({
    code: 'ask/refused',
    exitStatus: 5,
    params: { problem: expect.stringMatching(problem) },
  });
});
