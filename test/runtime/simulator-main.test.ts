import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parseHumanInteger, parseServeArgs } from '../../src/runtime/simulator/args.ts';

const folder = mkdtempSync(join(tmpdir(), 'simulator-'));
const program = join(folder, 'simulator.mjs');
const started: ChildProcess[] = [];

beforeAll(() => {
  const entry = fileURLToPath(new URL('../../src/runtime/simulator/main.ts', import.meta.url));
  buildSync({ entryPoints: [entry], outfile: program, bundle: true, format: 'esm', platform: 'node' });
});

afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

afterAll(() => rmSync(folder, { recursive: true }));

describe('simulator program', () => {
  it('goes through vLLM’s phases, marked as simulated, and is gone with status 0 after SIGTERM', async () => {
    const port = await findPort();
    const run = start(['serve', 'some/model', '--host', '127.0.0.1', '--port', String(port), '--shutdown-timeout', '5']);
    await run.waitFor('Application startup complete.');
    expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
    run.child.kill('SIGTERM');
    expect(await run.exit).toEqual([0, null]);
    const text = run.text();
    const marks = [
      'qwen-deploy simulator: no vLLM and no model runs here',
      'vLLM server version 0.0.0+simulated, serving model some/model',
      'Resolved architecture: Qwen3ForCausalLM',
      'Using max model len 40960',
      'Initializing a V1 LLM engine',
      'Starting to load model',
      'KV cache size: 262,144 tokens, Maximum concurrency for 40,960 tokens',
      'init engine (profile, create kv cache, warmup model) took',
      "Supported tasks: ['generate']",
      `Starting vLLM server on http://127.0.0.1:${port}`,
      'Application startup complete.',
      '[shutdown] API server: shutdown triggered',
      'Application shutdown complete.',
    ];
    const places = marks.map((mark) => text.indexOf(mark));
    expect(places.every((place) => place >= 0)).toBe(true);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(text).not.toContain('Finished server process');
  });

  it('lets a stream end within the drain limit, refusing what is new', async () => {
    const port = await findPort();
    const run = start(['serve', 'm', '--host', '127.0.0.1', '--port', String(port), '--shutdown-timeout', '5']);
    await run.waitFor('Application startup complete.');
    const stream = await request(port, { prompt: 'x', max_tokens: 30, ignore_eos: true, stream: true });
    run.child.kill('SIGTERM');
    await run.waitFor('mode=drain timeout=5s');
    expect((await request(port, { prompt: 'x' })).status).toBe(500);
    expect((await stream.text()).match(/^data: /gm)).toHaveLength(31);
    expect(await run.exit).toEqual([0, null]);
  });

  it('aborts streams at once without a drain limit', async () => {
    const port = await findPort();
    const run = start(['serve', 'm', '--host', '127.0.0.1', '--port', String(port)]);
    await run.waitFor('Application startup complete.');
    const stream = await request(port, { prompt: 'x', max_tokens: 3000, ignore_eos: true, stream: true });
    run.child.kill('SIGTERM');
    expect(await stream.text()).toMatch(/"finish_reason":"abort".*\n\ndata: \[DONE\]\n\n$/s);
    expect(await run.exit).toEqual([0, null]);
  });

  it('says in Python’s words that its port is taken', async () => {
    const holder = createServer();
    const port = await new Promise<number>((resolve) => holder.listen(0, '127.0.0.1', () => resolve(toPort(holder))));
    const run = start(['serve', 'm', '--host', '127.0.0.1', '--port', String(port)]);
    expect(await run.exit).toEqual([1, null]);
    expect(run.text()).toContain('OSError: [Errno 98] Address already in use');
    holder.close();
  });

  it.each([
    [['--version'], 0, '0.0.0+simulated'],
    [['chat'], 2, "invalid choice: 'chat'"],
    [['serve', 'm', 'n'], 2, 'unrecognized arguments: n'],
  ])('%j exits %i', async (words, code, text) => {
    const run = start(words);
    expect(await run.exit).toEqual([code, null]);
    expect(run.text()).toContain(text);
  });
});

describe('vLLM’s command line', () => {
  it('is read with lists, equal signs, underscores and bare flags', () => {
    const parsed = parseServeArgs(['serve', 'm', '--served-model-name', 'a', 'b', '--max_model_len=8K', '--enforce-eager', '--seed', '-1']);
    expect(parsed).toEqual({
      is: 'serve',
      args: {
        model: 'm',
        flags: new Map([
          ['served-model-name', ['a', 'b']],
          ['max-model-len', ['8K']],
          ['enforce-eager', []],
          ['seed', ['-1']],
        ]),
      },
    });
  });

  it.each([
    ['8k', 8000],
    ['8K', 8192],
    ['1.5k', 1500],
    ['4096', 4096],
    ['auto', undefined],
    [undefined, undefined],
  ])('reads the number %s as %s', (text, value) => {
    expect(parseHumanInteger(text)).toBe(value);
  });
});

function start(words: readonly string[]) {
  const child = spawn(process.execPath, [program, ...words], {
    env: { QWEN_DEPLOY_SIMULATED_START_MS: '10' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  let text = '';
  const exit = new Promise<readonly [number | null, NodeJS.Signals | null]>((resolve) =>
    child.once('close', (code, signal) => resolve([code, signal])),
  );
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const waitFor = (line: string) => expect.poll(() => text, { timeout: 5000, interval: 5 }).toContain(line);
  return { child, exit, text: () => text, waitFor };
}

function request(port: number, body: unknown): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}/v1/completions`, { method: 'POST', body: JSON.stringify(body) });
}

async function findPort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const port = toPort(server);
      server.close(() => resolve(port));
    });
  });
}

function toPort(server: ReturnType<typeof createServer>): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
