/** A registry of images of a test's own, on 127.0.0.1: Docker takes those without TLS. It counts what it is asked for. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

export interface TestRegistry {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** `GET /v2/NAME/manifests/TAG` of each request, in their order. */
  readonly asked: readonly string[];
  /** Puts an image there. Returns its digests. */
  readonly put: (name: string, image: TestImage) => Stored;
  /** What is there by that path. */
  readonly get: (path: string) => Buffer;
  /** Puts a manifest of another type there, with the tag `many`. Returns its reference. */
  readonly putManifest: (name: string, type: string, manifest: object) => string;
  /** Has the first say on each request; true when it has answered. */
  intercept: Intercept;
  readonly stop: () => Promise<void>;
}

export type Intercept = (request: IncomingMessage, reply: ServerResponse) => boolean | Promise<boolean>;

export interface TestImage {
  readonly tag?: string;
  readonly architecture?: string;
  /** One file each. */
  readonly layers: readonly Buffer[];
  /** The blobs that are sent, in place of the right ones. */
  readonly sent?: (blob: Buffer, index: number) => Buffer;
}

export interface Stored {
  readonly reference: string;
  readonly digest: string;
  readonly layers: readonly string[];
}

const types = {
  manifest: 'application/vnd.docker.distribution.manifest.v2+json',
  config: 'application/vnd.docker.container.image.v1+json',
  layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
} as const;

interface Part {
  readonly type: string;
  readonly body: Buffer;
  readonly digest: string;
}

export async function startRegistry(): Promise<TestRegistry> {
  const parts = new Map<string, Part>();
  const asked: string[] = [];
  const server = createServer(async (request, reply) => {
    asked.push(`${request.method} ${request.url}`);
    if (await registry.intercept(request, reply)) return;
    serve(parts, request, reply);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const keep = (path: string, type: string, body: Buffer) => parts.set(path, { type, body, digest: toDigest(body) });
  const registry: TestRegistry = {
    host,
    asked,
    intercept: () => false,
    put(name, { tag = 'v1', architecture = 'amd64', layers, sent = (blob) => blob }) {
      const archives = layers.map((content, index) => toTar(`layer-${index}`, content));
      const blobs = archives.map((archive) => gzipSync(archive, { level: 1 }));
      const config = Buffer.from(JSON.stringify(toConfig(architecture, archives.map(toDigest))));
      const described = blobs.map((blob) => ({ mediaType: types.layer, size: blob.length, digest: toDigest(blob) }));
      const about = { mediaType: types.config, size: config.length, digest: toDigest(config) };
      const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: types.manifest, config: about, layers: described }));
      blobs.forEach((blob, index) => void keep(`/v2/${name}/blobs/${toDigest(blob)}`, types.layer, sent(blob, index)));
      keep(`/v2/${name}/blobs/${toDigest(config)}`, types.config, config);
      for (const by of [tag, toDigest(manifest)]) keep(`/v2/${name}/manifests/${by}`, types.manifest, manifest);
      return { reference: `${host}/${name}:${tag}`, digest: toDigest(manifest), layers: described.map(({ digest }) => digest) };
    },
    get: (path) => parts.get(path)?.body ?? Buffer.alloc(0),
    putManifest(name, type, manifest) {
      const body = Buffer.from(JSON.stringify(manifest));
      for (const by of ['many', toDigest(body)]) keep(`/v2/${name}/manifests/${by}`, type, body);
      return `${host}/${name}:many`;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
  return registry;
}

function serve(parts: ReadonlyMap<string, Part>, { method, url = '', headers }: IncomingMessage, reply: ServerResponse): void {
  reply.setHeader('Docker-Distribution-Api-Version', 'registry/2.0');
  if (url === '/v2/') return void reply.end('{}');
  const part = parts.get(url);
  if (part === undefined) return refuse(reply, 404, { code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' });
  const [, from = '0'] = /^bytes=(\d+)-/.exec(headers.range ?? '') ?? [];
  const body = part.body.subarray(Number(from));
  reply.writeHead(headers.range ? 206 : 200, {
    'content-type': part.type,
    'content-length': body.length,
    'docker-content-digest': part.digest,
    ...(headers.range ? { 'content-range': `bytes ${from}-${part.body.length - 1}/${part.body.length}` } : {}),
  });
  reply.end(method === 'HEAD' ? undefined : body);
}

/** As registries say what they refuse. */
export function refuse(reply: ServerResponse, status: number, error: { readonly code: string; readonly message: string }): void {
  reply.writeHead(status, { 'content-type': 'application/json' });
  reply.end(JSON.stringify({ errors: [error] }));
}

export function toDigest(bytes: Buffer | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** With a label as vLLM's own images have it. */
export function toConfig(architecture: string, diffIds: readonly string[]): unknown {
  const config = { Labels: { 'ai.vllm.image.tag': 'v0.32.0' }, Entrypoint: ['/vllm', 'serve'] };
  const history = diffIds.map(() => ({ created: '2026-01-01T00:00:00Z' }));
  return { architecture, os: 'linux', created: '2026-01-01T00:00:00Z', config, rootfs: { type: 'layers', diff_ids: diffIds }, history };
}

const blockBytes = 512;

/** An archive of one file. */
export function toTar(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(blockBytes);
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0');
  header.write(name, 0);
  header.write(`${octal(0o755, 7)}\0${octal(0, 7)}\0${octal(0, 7)}\0${octal(content.length, 11)}\0${octal(0, 11)}\0`, 100);
  header.write('        0', 148);
  header.write('ustar\0', 257);
  header.write('00', 263);
  const sum = header.reduce((all, byte) => all + byte, 0);
  header.write(`${octal(sum, 6)}\0 `, 148);
  const fill = Buffer.alloc((blockBytes - (content.length % blockBytes)) % blockBytes);
  return Buffer.concat([header, content, fill, Buffer.alloc(2 * blockBytes)]);
}
