import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { findPortOwner, parseListeners } from '../../src/host/port-owner.ts';

const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 111 1 0 100 0 0 10 0
   1: 0100007F:1F40 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 222 1 0 20 4 30 10 -1
   2: 00000000:1F41 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1 0 100 0 0 10 0
`;

describe('parseListeners', () => {
  it.each([
    [8000, ['111']],
    [8001, ['333']],
    [8002, []],
  ])('port %d: %j', (port, inodes) => {
    expect(parseListeners(table, port)).toEqual(inodes);
  });
});

describe('findPortOwner', () => {
  it('finds a listener of any address, and nobody once it has gone', async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '::', done));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    expect((await findPortOwner(port))?.pid).toBe(process.pid);
    await new Promise<void>((done) => server.close(() => done()));
    expect(await findPortOwner(port)).toBeUndefined();
  });
});
