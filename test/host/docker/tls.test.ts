/** An engine behind TLS, with a certificate authority made on the spot: `DOCKER_HOST=tcp://…` and `DOCKER_CERT_PATH`. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { connectDocker } from '../../../src/host/docker/connect.ts';
import { observeDocker } from '../../../src/host/docker/observe.ts';

const version = { Version: '28.2.2', ApiVersion: '1.45', MinAPIVersion: '1.24', Arch: 'amd64' };
let ours = '';
let theirs = '';

/** A directory as Docker's own program wants it: `ca.pem`, and a pair of `cert.pem` and `key.pem` for who asks. */
function makeAuthority(): string {
  const directory = mkdtempSync(join(tmpdir(), 'qd-tls-'));
  const openssl = (...words: readonly string[]) => execFileSync('openssl', words, { cwd: directory, stdio: 'ignore' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...key, '-days', '2', '-subj', '/CN=authority', '-keyout', 'ca-key.pem', '-out', 'ca.pem');
  for (const name of ['server', '']) {
    const [keyFile, request, certificate] = ['key.pem', 'request.pem', 'cert.pem'].map((file) => (name ? `${name}-${file}` : file));
    writeFileSync(join(directory, 'extensions'), 'subjectAltName = IP:127.0.0.1\n');
    openssl('req', ...key, '-subj', `/CN=${name || 'client'}`, '-keyout', `${keyFile}`, '-out', `${request}`);
    const signer = ['-CA', 'ca.pem', '-CAkey', 'ca-key.pem', '-CAcreateserial', '-days', '2', '-extfile', 'extensions'];
    openssl('x509', '-req', '-in', `${request}`, ...signer, '-out', `${certificate}`);
  }
  return directory;
}

beforeAll(() => {
  [ours, theirs] = [makeAuthority(), makeAuthority()];
});
afterAll(() => {
  for (const directory of [ours, theirs]) rmSync(directory, { recursive: true, force: true });
});

/** Takes those alone who show a certificate of ours. */
async function startEngine(): Promise<{ readonly port: number; readonly callers: readonly string[] }> {
  const callers: string[] = [];
  const [ca, cert, key] = ['ca.pem', 'server-cert.pem', 'server-key.pem'].map((name) => readFileSync(join(ours, name)));
  const server = createServer({ ca, cert, key, requestCert: true, rejectUnauthorized: true }, (request, reply) => {
    callers.push(String((request.socket as TLSSocket).getPeerCertificate().subject.CN));
    reply.writeHead(200, { 'content-type': 'application/json' });
    reply.end(JSON.stringify(request.url === '/version' ? version : { Runtimes: {} }));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, callers };
}

it('shows who asks, and knows whom it asks', async () => {
  const { port, callers } = await startEngine();
  const env = { DOCKER_HOST: `tcp://127.0.0.1:${port}`, DOCKER_CERT_PATH: ours };
  const docker = await connectDocker(env, { timeoutMs: 5000 });
  expect(docker).toMatchObject({ address: `tcp://127.0.0.1:${port}`, apiVersion: '1.45', isLocal: false });
  expect(await observeDocker(env, { timeoutMs: 5000 })).toMatchObject({ is: 'present', version: '28.2.2' });
  expect(new Set(callers)).toEqual(new Set(['client']));
});

it('asks nobody who is not of that authority', async () => {
  const { port, callers } = await startEngine();
  const env = { DOCKER_HOST: `tcp://127.0.0.1:${port}`, DOCKER_CERT_PATH: theirs };
  await expect(connectDocker(env, { timeoutMs: 5000 })).rejects.toMatchObject({ code: 'docker/unreachable' });
  expect(callers).toEqual([]);
});

it('says which certificate is missing, and that an engine wants TLS', async () => {
  const { port } = await startEngine();
  const nowhere = { DOCKER_HOST: `tcp://127.0.0.1:${port}`, DOCKER_CERT_PATH: join(ours, 'none') };
  await expect(connectDocker(nowhere, { timeoutMs: 5000 })).rejects.toMatchObject({
    code: 'docker/unreachable',
    params: { problem: expect.stringContaining('ENOENT') },
  });
  const plain = { DOCKER_HOST: `tcp://127.0.0.1:${port}` };
  await expect(connectDocker(plain, { timeoutMs: 5000 })).rejects.toMatchObject({ code: 'docker/unreachable' });
});
