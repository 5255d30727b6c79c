/** Stands in for the hub, which tests never ask. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** Has Qwen3-0.6B and answers so when asked for it; 401: unless one shows the token `hf_good`. */
export async function openHub(status: number): Promise<string> {
  const server = createServer((request, reply) => {
    const allowed = status === 401 && request.headers.authorization === 'Bearer hf_good';
    const isKnown = request.url === '/Qwen/Qwen3-0.6B/resolve/main/config.json';
    reply.writeHead(isKnown ? (allowed ? 200 : status) : 404).end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The address of one that has just gone: `fetch` does not even try the ports that are never a hub's. */
export async function toNobody(): Promise<string> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return `http://127.0.0.1:${port}`;
}
