import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { hasListener } from '../../src/host/listeners.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function listen(host: string): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer((socket: Socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen({ host, port: 0 }, resolve));
  ends.push(() => new Promise((resolve) => server.close(() => resolve())));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { server, port: address.port };
}

async function writeProc(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'qd-proc-'));
  ends.push(() => rm(root, { recursive: true }));
  await mkdir(join(root, 'proc/net'), { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(root, 'proc/net', name), text);
  return root;
}

const toRow = (port: number, state: string, number: number) =>
  `${`   ${number}: 0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 4242 1 0000000000000000 100 0 0 10 0`.padEnd(149)}\n`;
const columns = `${'  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode'.padEnd(149)}\n`;
const noSixth = { sockstat6: 'TCP6: inuse 0\n' };

describe('hasListener', () => {
  it.each(['127.0.0.1', '0.0.0.0', '::1', '::'])('somebody listens on %s, and then nobody', async (host) => {
    const { server, port } = await listen(host);
    expect(hasListener(port)).toBe(true);
    await new Promise((resolve) => server.close(resolve));
    expect(hasListener(port)).toBe(false);
  });

  it('is asked for the last of many', async () => {
    const servers = await Promise.all(Array.from({ length: 40 }, (_, at) => listen(at % 2 === 0 ? '127.0.0.1' : '::1')));
    expect(servers.map(({ port }) => hasListener(port))).toEqual(servers.map(() => true));
  });

  it('reads no further than the listeners, and than the sockets that there are', async () => {
    const rows = [toRow(8001, '0A', 0), toRow(8002, '01', 1), toRow(8003, '0A', 2)];
    const table = { ...noSixth, tcp: columns + rows.join('') };
    const all = await writeProc({ ...table, sockstat: 'sockets: used 9\nTCP: inuse 3 orphan 0 tw 5 alloc 3 mem 1\n' });
    expect([8001, 8002, 8003].map((port) => hasListener(port, all))).toEqual([true, false, false]);
    const one = await writeProc({
      ...table,
      tcp: columns + toRow(8001, '0A', 0) + toRow(8003, '0A', 1),
      sockstat: 'TCP: inuse 1 orphan 0\n',
    });
    expect([8001, 8003].map((port) => hasListener(port, one))).toEqual([true, false]);
  });

  it.each([
    ['no table', { sockstat: 'TCP: inuse 3\n', ...noSixth }],
    ['no counts', { tcp: columns, sockstat: 'nothing of the kind\n' }],
    ['nothing', {}],
  ])('%s: it is not known', async (_, files) => {
    expect(hasListener(8000, await writeProc(files))).toBeUndefined();
  });
});
