/** H11: images that a registry does not give, or not as it should. A registry of the test's own, a real Docker engine. */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { waitFor } from '../../src/core/clock.ts';
import { connectDocker } from '../../src/host/docker/connect.ts';
import type { Docker } from '../../src/host/docker/docker.ts';
import { installImage } from '../../src/operate/install-image.ts';
import { toErrorText, toText } from '../../src/text/render.ts';
import { createTestContext, type TestContext } from '../operate/context.ts';
import { eventually } from '../scenarios/sandbox.ts';
import { startEngine, type TestEngine } from './engine.ts';
import { toError } from './refusal.ts';
import { refuse, startRegistry, type TestRegistry } from './registry.ts';

let engine: TestEngine;
let docker: Docker;
let registry: TestRegistry;
let home: string;
let context: TestContext;

beforeAll(async () => {
  engine = await startEngine();
  // The pauses between two tries are short; those that a registry asks for are kept.
  docker = await connectDocker(engine.env, { timeoutMs: 20_000, limits: { againMs: 20 } });
});
afterAll(() => engine?.stop());

beforeEach(async () => {
  registry = await startRegistry();
  home = await mkdtemp(join(tmpdir(), 'qd-pull-'));
  context = createTestContext(home, { env: { ...engine.env, HOME: home } });
});
afterEach(async () => {
  await registry.stop();
  await rm(home, { recursive: true, force: true });
});

const install = (reference: string, from = docker) => installImage({ reference }, context, from);
const refusal = (reference: string, from = docker) => toError(install(reference, from));
const small = () => ({ layers: [randomBytes(4096)] });
const count = (text: string) => registry.asked.filter((line) => line.includes(text)).length;
const steps = () => context.said.flatMap((event) => (event.type === 'step-progress' ? [toText(event.text)] : []));
const listImages = async () => (await engine.docker('images', '--all', '--quiet')).trim().split('\n').sort();

describe('an image', () => {
  it('H11: that a registry does not have is not found, and nothing is tried again', async () => {
    const error = await refusal(`${registry.host}/qwen/none:v1`);
    expect(error).toMatchObject({ code: 'docker/image-not-found', exitStatus: 6 });
    expect(count('GET /v2/qwen/none/manifests/v1')).toBe(1);
  });

  it('H11: of which a registry is asked too often comes after the pause that the registry asks for', async () => {
    const { reference } = registry.put('qwen/busy', small());
    const atMs: number[] = [];
    registry.intercept = ({ method, url = '' }, reply) => {
      if (!url.includes('/manifests/')) return false;
      // The engine looks (HEAD), and when that fails it asks (GET): these two are one try.
      if (method === 'HEAD') atMs.push(performance.now());
      if (atMs.length > 2) return false;
      refuse(reply, 429, { code: 'TOOMANYREQUESTS', message: 'retry-after: 400ms, allowed: 44000/minute' });
      return true;
    };
    expect(await install(reference)).toMatchObject({ how: 'pulled' });
    const pauses = atMs.slice(1).map((at, index) => at - (atMs[index] ?? at));
    expect([pauses.length, pauses.every((pause) => pause >= 390)]).toEqual([2, true]);
    expect(steps()).toContain('Trying again in 400 ms · 0 of 0 layers');
  });

  it.each([
    ['after four tries', 'You have reached your pull rate limit', 4],
    ['at once where it would take minutes', 'retry-after: 5m0s', 1],
  ])('H11: of which a registry is always asked too often is given up %s', async (_, message, tries) => {
    registry.intercept = ({ url = '' }, reply) => {
      if (url.includes('/manifests/')) refuse(reply, 429, { code: 'TOOMANYREQUESTS', message });
      return url.includes('/manifests/');
    };
    const error = await refusal(`${registry.host}/qwen/busy:v1`);
    expect(error).toMatchObject({ code: 'engine/image-unreachable', exitStatus: 4 });
    expect(toErrorText(error).message).toContain(message);
    expect(toErrorText(error).hint).toMatch(/docker login.*QWEN_DEPLOY_IMAGE_PREFIX/);
    expect(count('GET /v2/qwen/busy/manifests/v1')).toBe(tries);
  });

  it('H11: whose connection breaks is asked for again', async () => {
    const { reference } = registry.put('qwen/cut', small());
    let cuts = 0;
    registry.intercept = ({ url = '', socket }) => {
      if (!url.includes('/manifests/') || cuts === 2) return false;
      cuts += 1;
      socket.destroy();
      return true;
    };
    expect(await install(reference)).toMatchObject({ how: 'pulled' });
    expect(steps().slice(0, 2)).toEqual(['Trying again in 20 ms · 0 of 0 layers', 'Trying again in 40 ms · 0 of 0 layers']);
  });

  it('H11: that is denied says how to become somebody who may have it', async () => {
    registry.intercept = ({ url = '' }, reply) => {
      if (url.includes('/manifests/')) refuse(reply, 403, { code: 'DENIED', message: 'requested access to the resource is denied' });
      return url.includes('/manifests/');
    };
    const error = await refusal(`${registry.host}/qwen/secret:v1`);
    expect(error).toMatchObject({ code: 'docker/image-denied', exitStatus: 4 });
    expect(toErrorText(error).hint).toContain(`docker login ${registry.host}`);
  });

  it('H11: for somebody with a name and a password comes with those of docker login, and not without', async () => {
    const { reference } = registry.put('qwen/private', small());
    const wanted = `Basic ${Buffer.from('me:pa:ss').toString('base64')}`;
    registry.intercept = ({ headers }, reply) => {
      if (headers.authorization === wanted) return false;
      reply.setHeader('www-authenticate', 'Basic realm="test"');
      refuse(reply, 401, { code: 'UNAUTHORIZED', message: 'authentication required' });
      return true;
    };
    expect(await refusal(reference)).toMatchObject({ code: 'docker/image-denied' });
    const config = join(home, 'config');
    await mkdir(config);
    await writeFile(join(config, 'config.json'), JSON.stringify({ auths: { [registry.host]: { auth: wanted.slice(6) } } }));
    const known = await connectDocker({ ...engine.env, DOCKER_CONFIG: config }, { timeoutMs: 20_000 });
    expect(await install(reference, known)).toMatchObject({ how: 'pulled', images: [{ version: '0.32.0' }] });
    expect(JSON.stringify(context.said)).not.toContain('pa:ss');
  });

  it('H11: for other machines alone is refused, whether it says so before or after', async () => {
    const other = process.arch === 'arm64' ? 'amd64' : 'arm64';
    const { reference, digest } = registry.put('qwen/other', { ...small(), architecture: other });
    const type = 'application/vnd.docker.distribution.manifest.list.v2+json';
    const entry = { mediaType: 'application/vnd.docker.distribution.manifest.v2+json', digest, size: 1 };
    const list = { schemaVersion: 2, mediaType: type, manifests: [{ ...entry, platform: { architecture: other, os: 'linux' } }] };
    expect(await refusal(registry.putManifest('qwen/other', type, list))).toMatchObject({
      code: 'docker/wrong-architecture',
      exitStatus: 4,
    });
    expect(await refusal(reference)).toMatchObject({ code: 'docker/wrong-architecture' });
  });

  it('H11: other than the pinned one, or with other content than it says, is refused at once, and nothing of it stays', async () => {
    const before = await listImages();
    const [asked, another] = [registry.put('qwen/pinned', small()), registry.put('qwen/another', small())];
    const pinned = `${registry.host}/qwen/pinned@${asked.digest}`;
    registry.intercept = (request) => {
      if (request.url?.includes(`manifests/${asked.digest}`)) request.url = `/v2/qwen/another/manifests/${another.digest}`;
      return false;
    };
    const exchanged = await refusal(pinned);
    expect(exchanged).toMatchObject({ code: 'docker/wrong-content', params: { image: pinned }, exitStatus: 4 });
    expect(toErrorText(exchanged).message).toContain(asked.digest);
    registry.intercept = () => false;
    const { reference } = registry.put('qwen/damaged', { ...small(), sent: (blob) => Buffer.from(blob).fill(7, blob.length - 9) });
    expect(await refusal(reference)).toMatchObject({ code: 'docker/wrong-content' });
    expect([count(`pinned/manifests/${asked.digest}`), count('damaged/manifests/v1')]).toEqual([1, 1]);
    expect(await listImages()).toEqual(before);
  });
});

describe('a slow image', () => {
  it('H11: tells how far it is layer by layer, and a broken connection goes on where it broke', async () => {
    const { reference, layers } = registry.put('qwen/slow', { layers: [randomBytes(2 ** 20), randomBytes(3 * 2 ** 20)] });
    const ranges: (string | undefined)[] = [];
    registry.intercept = ({ url = '', headers }, reply) => {
      if (!url.includes(layers[1] ?? '')) return false;
      ranges.push(headers.range);
      return ranges.length === 1 && sendHalf(reply, registry.get(url));
    };
    expect(await install(reference)).toMatchObject({ how: 'pulled' });
    expect(ranges).toEqual([undefined, expect.stringMatching(/^bytes=[1-9]\d*-/)]);
    expect(count(layers[0] ?? '')).toBe(1);
    expect(steps()).toContain('Downloading · 1 of 2 layers');
    expect(steps()).toContain('Trying again in 5.0 s · 1 of 2 layers');
    expect(steps()).toContain('Unpacking · 2 of 2 layers');
  });

  it('H11: that was given up half-way is fetched when it is asked for again', async () => {
    const { reference, layers } = registry.put('qwen/given-up', { layers: [randomBytes(2 ** 20), randomBytes(2 ** 20)] });
    const held = new AbortController();
    onTestFinished(() => held.abort());
    registry.intercept = async ({ url = '' }) => {
      if (url.includes(layers[1] ?? '')) await waitFor(60_000, held.signal);
      return false;
    };
    const giveUp = new AbortController();
    const impatient = { ...context, signal: giveUp.signal };
    const first = toError(installImage({ reference }, impatient, docker));
    await eventually(
      async () => steps(),
      (seen) => seen.includes('Downloading · 1 of 2 layers'),
    );
    giveUp.abort();
    expect(await first).toMatchObject({ code: 'engine/image-interrupted' });
    held.abort();
    expect(await install(reference)).toMatchObject({ how: 'pulled' });
  });
});

/** And then the end of the connection. */
function sendHalf(reply: ServerResponse, blob: Buffer): true {
  reply.writeHead(200, { 'content-length': blob.length });
  reply.write(blob.subarray(0, blob.length / 2), () => setTimeout(() => reply.destroy(), 300));
  return true;
}
