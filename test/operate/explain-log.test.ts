import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { explainLog } from '../../src/operate/explain-log.ts';
import { toText } from '../../src/text/render.ts';
import { wraps } from '../vllm-room/wraps.ts';

const home = mkdtempSync(join(tmpdir(), 'qd-explain-log-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const captures = new URL('../fixtures/logs/vllm-0.32.0-cpu/', import.meta.url);
const readCapture = (name: string) => readFileSync(new URL(`${name}.log`, captures), 'utf8');

function explain(text: string | Buffer, env: NodeJS.ProcessEnv = {}) {
  const context = { cwd: home, env: { HOME: home, ...env }, signal: new AbortController().signal };
  return explainLog({ file: '-', stdin: Readable.from([text]) }, context);
}

async function diagnose(text: string | Buffer) {
  const { engines } = await explain(text);
  return engines[0]?.failed?.diagnosis;
}

const failing: readonly (readonly [capture: string, cause: string])[] = [
  ['bad-kv-cache-too-small', 'kv_cache_too_small'],
  ['bad-unknown-flag', 'unknown_argument'],
];

describe.each(failing)('%s', (capture, cause) => {
  const text = readCapture(capture);
  const plain = diagnose(text);

  test('has its cause, proved by lines that stand there', async () => {
    const found = await plain;
    expect(found?.cause).toBe(cause);
    const lines = text.split('\n');
    for (const { line, text: proof } of found?.evidence ?? []) expect(lines[line - 1]).toContain(proof.slice(0, 40));
    expect(found?.evidence.length).toBeGreaterThan(0);
  });

  test.each(Object.keys(wraps))('%s: the same cause and the same lines', async (name) => {
    const wrapped = text.split('\n').map((line, index) => wraps[name]?.(line.replace(/\r$/, ''), index));
    expect(await diagnose(wrapped.join('\n'))).toEqual(await plain);
  });

  test('packed, in UTF-16, behind a thousand other lines', async () => {
    expect(await diagnose(gzipSync(text))).toEqual(await plain);
    expect(await diagnose(Buffer.from(`\uFEFF${text.replaceAll('\n', '\r\n')}`, 'utf16le'))).toEqual(await plain);
    const before = 'INFO 11-21 10:00:00 [x.py:1] nothing of interest\n'.repeat(1000);
    expect((await diagnose(before + text))?.evidence[0]?.line).toBe(((await plain)?.evidence[0]?.line ?? 0) + 1000);
  });
});

test('what never failed has no diagnosis, and one whose launch was mended has that of the launch that failed', async () => {
  const healthy = readHealthy();
  const [engine] = (await explain(healthy)).engines;
  expect(engine).toMatchObject({ isVllm: true, launches: 1 });
  expect(engine?.failed).toBeUndefined();
  const both = await explain(`${readCapture('bad-port-in-use')}\n${readCapture('bad-kv-cache-too-small')}\n${healthy}`);
  expect(both.engines[0]).toMatchObject({ launches: 3, failed: { launch: 2, diagnosis: { cause: 'kv_cache_too_small' } } });
});

test('two pods in one file: both are explained, each with the lines of the file', async () => {
  const [one, other] = ['bad-kv-cache-too-small', 'bad-port-in-use'].map((name) => readCapture(name).split('\n'));
  const lines = Array.from({ length: 200 }, (_, index) => [
    ...(one?.[index] === undefined ? [] : [`[pod/a/vllm] ${one[index]}`]),
    ...(other?.[index] === undefined ? [] : [`[pod/b/vllm] ${other[index]}`]),
  ]).flat();
  const { engines, log } = await explain(lines.join('\n'));
  expect(log.formats).toEqual(['kubectl-prefix']);
  expect(engines.map(({ source, failed }) => [source, failed?.diagnosis.cause])).toEqual([
    ['b/vllm', 'port_in_use'],
    ['a/vllm', 'kv_cache_too_small'],
  ]);
  for (const { failed } of engines)
    for (const { line, text } of failed?.diagnosis.evidence ?? []) expect(lines[line - 1]).toContain(text.slice(0, 40));
});

test('a log that was cut in the middle of the message still says what it can', async () => {
  const text = readCapture('bad-kv-cache-too-small');
  const end = text.indexOf('the estimated maximum model length');
  expect((await diagnose(text.slice(0, end)))?.cause).toBe('kv_cache_too_small');
});

test.each([400, 40_000])('a progress bar that is redrawn %d times hides nothing that stands among its pictures', async (times) => {
  const bar = Array.from({ length: times }, (_, at) => `\u001b[32mLoading weights:\u001b[0m ${at % 100}%|####    | ${at}/40000`).join('\r');
  const line = 'ERROR 11-21 10:00:00 [core.py:1] torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.';
  const { log, engines } = await explain(`one\n${bar}\r${line}\r${bar}\nlast`);
  expect(log.lines).toBe(3);
  const found = engines[0]?.failed?.diagnosis;
  expect({ cause: found?.cause, line: found?.evidence[0]?.line }).toEqual({ cause: 'cuda_oom_weights', line: 2 });
});

test('keys in a log do not come out of it', async () => {
  const token = `hf_${'a1B2c3D4'.repeat(4)}`;
  const text = [
    "INFO 11-21 10:00:00 [api_utils.py:286] non-default args: {'api_key': ['very-secret-key'], 'port': 8000}",
    `vllm: error: unrecognized arguments: --hub ${token} --proxy http://user:hunter22@proxy --api-key very-secret-key --known known-value`,
  ].join('\n');
  const { engines } = await explain(text, { MY_TOKEN: 'known-value' });
  const diagnosis = engines[0]?.failed?.diagnosis;
  expect(diagnosis?.cause).toBe('unknown_argument');
  const remedies = diagnosis?.remedies?.map((remedy) => [toText(remedy.text), remedy.set, remedy.command]);
  const all = JSON.stringify([diagnosis, remedies, diagnosis && toText(diagnosis.title)]);
  for (const secret of [token, 'hunter22', 'very-secret-key', 'known-value']) expect(all).not.toContain(secret);
});

describe('what cannot be read', () => {
  const read = (file: string) =>
    explainLog({ file, stdin: Readable.from([]) }, { cwd: home, env: { HOME: home }, signal: new AbortController().signal });
  mkdirSync(join(home, 'directory'));
  writeFileSync(join(home, 'empty.log'), '');
  writeFileSync(join(home, 'program'), Buffer.alloc(5000, Buffer.from('7f454c4600000001', 'hex')));
  writeFileSync(join(home, "a log's.zst"), Buffer.from('28b52ffd0458290000', 'hex'));

  test.each([
    ['none.log', 'log/no-file', 6],
    ['empty.log', 'log/empty', 6],
    ['directory', 'usage/unreadable-file', 2],
    ['program', 'usage/not-a-log', 2],
    ["a log's.zst", 'usage/packed-log', 2],
    ['-', 'log/empty', 6],
  ])('%s', async (file, code, exitStatus) => {
    await expect(read(file)).rejects.toMatchObject({ code, exitStatus });
  });

  test('of what is packed otherwise the line is said that unpacks it', async () => {
    await expect(read("a log's.zst")).rejects.toMatchObject({ params: { command: "zstd -dc 'a log'\\''s.zst'" } });
  });

  test('of a packed file that ends too early its beginning is read, and that is said', async () => {
    const packed = gzipSync(readCapture('bad-port-in-use').repeat(200));
    const { log, engines } = await explain(packed.subarray(0, packed.length - 40));
    expect(log).toMatchObject({ gzip: true, damage: 'cut' });
    expect(engines[0]?.failed?.diagnosis.cause).toBe('port_in_use');
  });
});

/** The one that ends because it was told to. */
function readHealthy(): string {
  const name = readdirSync(captures).find((file) => /^(?:healthy|stop-sigterm|start-warm)/.test(file));
  if (name === undefined) throw new Error('no capture of a server that was up');
  return readFileSync(new URL(name, captures), 'utf8');
}
