import type { LookupAddress } from 'node:dns';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { postWebhook } from '../../src/host/webhook.ts';

/** What names stand for here; a name that is not in it is asked of the system. */
const names = vi.hoisted(() => new Map<string, readonly string[]>());
vi.mock('node:dns', async (importOriginal) => {
  const real = await importOriginal<typeof import('node:dns')>();
  type Done = (error: Error | null, found: readonly LookupAddress[]) => void;
  const lookup = (name: string, options: object, done: Done) => {
    const found = names.get(name);
    if (found === undefined) return real.lookup(name, { ...options, all: true }, done);
    done(
      null,
      found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  return { ...real, lookup };
});

let server: Server;
let port: number;
let asked: string[];
let location: string | undefined;
beforeEach(async () => {
  asked = [];
  location = undefined;
  server = createServer((request, reply) => {
    asked.push(`${request.method} ${request.url} ${request.headers.host}`);
    reply.writeHead(location === undefined ? 204 : 307, location === undefined ? {} : { location }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterEach(() => {
  names.clear();
  vi.unstubAllEnvs();
  server.closeAllConnections();
  server.close();
});

const post = (address: string) =>
  postWebhook(new URL(address), { headers: {}, body: '{}', timeoutMs: 3000, signal: new AbortController().signal });

const reserved = { is: 'refused', why: { id: 'life.notify.reserved' } };
const plain = { is: 'refused', why: { id: 'life.notify.plain' } };

it('is sent to this machine, by number and by name', async () => {
  names.set('me.example', ['127.0.0.1']);
  expect(await post(`http://127.0.0.1:${port}/a?b=c`)).toEqual({ is: 'answered', status: 204 });
  expect(await post(`http://me.example:${port}/d`)).toEqual({ is: 'answered', status: 204 });
  expect(asked).toEqual([`POST /a?b=c 127.0.0.1:${port}`, `POST /d me.example:${port}`]);
});

it('follows no redirect', async () => {
  location = `http://127.0.0.1:${port}/elsewhere`;
  expect(await post(`http://127.0.0.1:${port}/a`)).toEqual({ is: 'answered', status: 307 });
  expect(asked).toHaveLength(1);
});

it('goes through no proxy of the environment', async () => {
  for (const name of ['http_proxy', 'HTTP_PROXY', 'all_proxy', 'NODE_USE_ENV_PROXY']) vi.stubEnv(name, 'http://127.0.0.1:9');
  expect(await post(`http://127.0.0.1:${port}/a`)).toEqual({ is: 'answered', status: 204 });
});

describe('is refused, and nothing is sent', () => {
  it.each([
    'https://169.254.169.254/latest/meta-data',
    'https://[fe80::1]/',
    'https://[::ffff:169.254.169.254]/',
    'https://[fd00:ec2::254]/',
    'https://100.100.100.200/',
    'https://0.0.0.0/',
    'https://2852039166/',
    'https://224.0.0.1/',
  ])('%s', async (address) => {
    expect(await post(address)).toMatchObject(reserved);
  });

  it('a name that stands for such an address, also among others', async () => {
    names.set('meta.example', ['169.254.169.254']);
    names.set('both.example', ['127.0.0.1', 'fe80::1']);
    expect(await post('https://meta.example/')).toMatchObject(reserved);
    expect(await post(`http://both.example:${port}/`)).toMatchObject(reserved);
    expect(asked).toEqual([]);
  });

  it('plain http to another machine', async () => {
    names.set('near.example', ['192.168.1.5']);
    expect(await post('http://192.168.1.5/')).toMatchObject(plain);
    expect(await post('http://near.example/')).toMatchObject(plain);
  });
});
