import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { probePort } from '../../src/host/net.ts';

it.each(['127.0.0.1', '0.0.0.0'])('tells a taken port from a free one on %s', async (host) => {
  const free = await probePort(host, 0);
  if (free.is !== 'free') throw new Error(free.is);
  const server = createServer();
  await new Promise<void>((done) => server.listen(free.port, '127.0.0.1', done));
  expect(await probePort(host, free.port)).toEqual({ is: 'taken' });
  await new Promise<void>((done) => server.close(() => done()));
  expect(await probePort(host, free.port)).toEqual({ is: 'free', port: free.port });
});

it.each(['192.0.2.1', '2001:db8::1', 'no-such-host.invalid', 'not a host'])('says of %s that it is not of this machine', async (host) => {
  expect(await probePort(host, 0)).toEqual({ is: 'bad-address' });
});
