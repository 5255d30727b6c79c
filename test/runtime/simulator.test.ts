import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { parseServeArgs } from '../../src/runtime/simulator/args.ts';
import { type SimulatorOptions, toSimulatorOptions } from '../../src/runtime/simulator/options.ts';
import { createSimulatorServer, type SimulatorServer } from '../../src/runtime/simulator/server.ts';

const opened: SimulatorServer[] = [];

afterEach(() => {
  for (const { http } of opened.splice(0)) {
    http.close();
    http.closeAllConnections();
  }
});

describe('simulated endpoints', () => {
  it('answers the small ones as vLLM does, and says that it is simulated', async () => {
    const { base } = await start();
    for (const path of ['/health', '/ping']) {
      const reply = await fetch(base + path);
      expect([path, reply.status, await reply.text()]).toEqual([path, 200, '']);
      expect(reply.headers.get('x-qwen-deploy-simulated')).toBe('1');
    }
    expect(await getJson(`${base}/version`)).toEqual({ version: '0.0.0+simulated' });
    expect(await getJson(`${base}/load`)).toEqual({ server_load: 0 });
    expect(await getJson(`${base}/v1/models`)).toMatchObject({
      object: 'list',
      data: [
        { id: 'Qwen3-0.6B', owned_by: 'qwen-deploy-simulator', root: 'Qwen/Qwen3-0.6B', max_model_len: 4096 },
        { id: 'alias', owned_by: 'qwen-deploy-simulator' },
      ],
    });
    expect((await fetch(`${base}/health`, { method: 'HEAD' })).status).toBe(405);
    expect((await fetch(`${base}/nonexistent`)).status).toBe(404);
  });

  it.each([
    [
      'an unknown model',
      '/v1/completions',
      { model: 'nope', prompt: 'x' },
      404,
      'The model `nope` does not exist. Valid aliases: Qwen3-0.6B, alias.',
    ],
    ['a body that is not JSON', '/v1/completions', '{bad', 400, "'loc': 'body'"],
    ['no messages', '/v1/chat/completions', { model: 'alias' }, 400, "'loc': 'body.messages'"],
    ['a prompt beyond the context', '/v1/completions', { prompt: 'a '.repeat(5000) }, 400, 'maximum context length is 4096 tokens'],
    ['too many output tokens', '/v1/completions', { prompt: 'a', max_tokens: 100_000 }, 400, 'max_tokens=100000 cannot be greater'],
    ['prompt and output together', '/v1/completions', { prompt: 'a', max_tokens: 4096 }, 400, 'for a total of at least 4097 tokens'],
  ])('refuses %s with vLLM’s words', async (_, path, body, status, words) => {
    const { base } = await start();
    const reply = await post(base + path, body);
    expect(reply.status).toBe(status);
    expect(await reply.json()).toMatchObject({
      error: { message: expect.stringContaining(words), code: status, type: expect.any(String) },
    });
  });

  it.each([
    [['--api-key', 'one', 'two'], {}],
    [[], { VLLM_API_KEY: 'two' }],
  ])('guards /v1 alone with a key (%j %j)', async (flags, env) => {
    const { base } = await start({ flags, env });
    const wrong = await fetch(`${base}/v1/models`, { headers: { authorization: 'Bearer wrong' } });
    expect([wrong.status, await wrong.json()]).toEqual([401, { error: 'Unauthorized' }]);
    expect((await fetch(`${base}/v1/models`, { headers: { authorization: 'Bearer two' } })).status).toBe(200);
    expect((await fetch(`${base}/metrics`)).status).toBe(200);
  });

  it('is 503 and refuses work when its engine is dead, and refuses new work in a drain', async () => {
    const { base, server } = await start();
    server.setMode('draining');
    expect((await fetch(`${base}/health`)).status).toBe(200);
    const drained = await post(`${base}/v1/completions`, { prompt: 'x' });
    expect([drained.status, await drained.text()]).toEqual([500, expect.stringContaining('cannot schedule new futures after shutdown')]);
    server.setMode('dead');
    expect((await fetch(`${base}/health`)).status).toBe(503);
    expect(await (await post(`${base}/v1/completions`, { prompt: 'x' })).text()).toContain('EngineCore encountered an issue');
  });

  it('writes uvicorn’s access lines, but not for the paths that are to be quiet', async () => {
    const { base, lines } = await start({ flags: ['--disable-access-log-for-endpoints', '/health,/metrics'] });
    await (await fetch(`${base}/health`)).text();
    await (await fetch(`${base}/version`)).text();
    await expect.poll(() => lines).toEqual([expect.stringMatching(/^INFO: {5}127\.0\.0\.1:\d+ - "GET \/version HTTP\/1\.1" 200 OK$/)]);
  });
});

describe('simulated answers', () => {
  it('completes with a text that calls itself simulated, one choice per prompt', async () => {
    const { base } = await start();
    const one = await postJson(`${base}/v1/completions`, { prompt: 'Hello', max_tokens: 1 });
    expect(one).toMatchObject({
      object: 'text_completion',
      model: 'Qwen3-0.6B',
      system_fingerprint: 'simulated',
      choices: [{ text: expect.stringMatching(/simulated/i), finish_reason: 'length' }],
      usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
    });
    const two = await postJson(`${base}/v1/completions`, { prompt: ['a', 'b c'], max_tokens: 4 });
    expect(two).toMatchObject({ choices: [{ index: 0 }, { index: 1 }], usage: { prompt_tokens: 3, completion_tokens: 8 } });
    expect(await postJson(`${base}/v1/completions`, { prompt: [1, 2, 3], max_tokens: 2 })).toMatchObject({ usage: { prompt_tokens: 3 } });
  });

  it('gives exactly as many tokens as ignore_eos asks for', async () => {
    const { base } = await start();
    const answer = await postJson(`${base}/v1/completions`, { prompt: 'x', max_tokens: 60, ignore_eos: true });
    expect(answer).toMatchObject({ choices: [{ finish_reason: 'length' }], usage: { completion_tokens: 60 } });
  });

  const messages = [{ role: 'user', content: 'Hello' }];

  it('thinks in its own field, when the request or else the server says so', async () => {
    const { base } = await start();
    const thinking = await postJson(`${base}/v1/chat/completions`, { messages });
    expect(thinking).toMatchObject({
      object: 'chat.completion',
      choices: [
        {
          message: { role: 'assistant', reasoning: expect.stringMatching(/simulated/i), content: expect.stringMatching(/simulated/i) },
          finish_reason: 'stop',
        },
      ],
    });
    const off = await postJson(`${base}/v1/chat/completions`, { messages, chat_template_kwargs: { enable_thinking: false } });
    expect(off).toMatchObject({ choices: [{ message: { reasoning: null, content: expect.stringMatching(/simulated.*Hello/i) } }] });
    expect(readPath(off, 'usage', 'prompt_tokens')).toBeGreaterThan(Number(readPath(thinking, 'usage', 'prompt_tokens')));
  });

  it('takes its default for thinking from the server’s flags', async () => {
    const { base } = await start({ flags: ['--default-chat-template-kwargs', '{"enable_thinking": false}'] });
    expect(await postJson(`${base}/v1/chat/completions`, { messages })).toMatchObject({ choices: [{ message: { reasoning: null } }] });
    const on = await postJson(`${base}/v1/chat/completions`, { messages, chat_template_kwargs: { enable_thinking: true }, max_tokens: 1 });
    expect(on).toMatchObject({ choices: [{ message: { reasoning: expect.any(String), content: null } }] });
  });

  it('streams a chat in frames that join to the whole answer, and counts in the last one', async () => {
    const { base } = await start();
    const reply = await post(`${base}/v1/chat/completions`, { messages, stream: true, stream_options: { include_usage: true } });
    expect(reply.headers.get('content-type')).toContain('text/event-stream');
    const frames = toFrames(await reply.text());
    expect(frames[0]).toMatchObject({ object: 'chat.completion.chunk', choices: [{ delta: { role: 'assistant', content: '' } }] });
    expect(frames.at(-1)).toBe('[DONE]');
    const pieces = frames.slice(1, -2);
    const join = (part: string) => pieces.map((frame) => readPath(frame, 'choices', 0, 'delta', part) ?? '').join('');
    expect(join('reasoning')).toMatch(/^Simulated thinking/);
    expect(join('content')).toMatch(/^Simulated answer.*"Hello"$/);
    expect(pieces.filter((frame) => readPath(frame, 'choices', 0, 'finish_reason') !== null)).toEqual([pieces.at(-1)]);
    expect(frames.at(-2)).toMatchObject({ choices: [], usage: { completion_tokens: pieces.length }, system_fingerprint: 'simulated' });
  });

  it('streams a completion without a usage frame unless it is asked for', async () => {
    const { base } = await start();
    const reply = await post(`${base}/v1/completions`, { prompt: 'x', max_tokens: 3, stream: true });
    const frames = toFrames(await reply.text());
    expect(frames).toHaveLength(4);
    expect(frames[2]).toMatchObject({ choices: [{ finish_reason: 'length' }], system_fingerprint: 'simulated' });
  });

  it('ends streams with an error frame and a normal end when the engine fails', async () => {
    const { base, server } = await start();
    const reply = await post(`${base}/v1/completions`, { prompt: 'x', max_tokens: 4000, ignore_eos: true, stream: true });
    server.engine.fail();
    expect(toFrames(await reply.text()).slice(-2)).toEqual([{ error: expect.objectContaining({ code: 500 }) }, '[DONE]']);
  });

  it('forgets a request whose client has gone', async () => {
    const { base, server } = await start();
    const leave = new AbortController();
    await fetch(`${base}/v1/completions`, {
      ...jsonPost({ prompt: 'x', max_tokens: 4000, ignore_eos: true, stream: true }),
      signal: leave.signal,
    });
    expect(server.engine.inFlight).toBe(1);
    leave.abort();
    await expect.poll(() => server.engine.inFlight).toBe(0);
  });
});

describe('simulated metrics', () => {
  it('have names, types and labels that the real page has', async () => {
    const { base } = await start();
    await postJson(`${base}/v1/completions`, { prompt: 'x' });
    const real: unknown = JSON.parse(readFileSync(new URL('../fixtures/simulator/metric-names.json', import.meta.url), 'utf8'));
    const page = await getText(`${base}/metrics`);
    const types = [...page.matchAll(/^# TYPE (\S+) (\S+)$/gm)];
    expect(types.length).toBeGreaterThan(30);
    for (const [, name = '', type] of types) expect([name, readPath(real, name, 'type')]).toEqual([name, type]);
    for (const [, sample = '', labels = ''] of page.matchAll(/^([^#{\s]+)(?:\{(.*)\})? \S+$/gm)) {
      const name = readPath(real, sample) === undefined ? sample.replace(/_(bucket|sum|count)$/, '') : sample;
      const known = readPath(real, name, 'labels');
      expect([sample, known]).toEqual([sample, expect.arrayContaining([...labels.matchAll(/(\w+)="/g)].map(([, label]) => label))]);
    }
  });

  it('move with work and stand still without', async () => {
    const { base } = await start();
    const before = await getText(`${base}/metrics`);
    await Promise.all([1, 2, 3].map(() => postJson(`${base}/v1/completions`, { prompt: 'a b', max_tokens: 20, ignore_eos: true })));
    const after = await getText(`${base}/metrics`);
    const delta = (name: string) => readSample(after, name) - readSample(before, name);
    expect(delta('vllm:generation_tokens_total')).toBe(60);
    expect(delta('vllm:prompt_tokens_total')).toBe(6);
    expect(delta('vllm:request_success_total{finished_reason="length"')).toBe(3);
    expect(delta('vllm:inter_token_latency_seconds_count')).toBe(57);
    expect(delta('vllm:time_to_first_token_seconds_count')).toBe(3);
    expect(delta('vllm:iteration_tokens_total_sum')).toBe(66);
    // One per step whatever the batch: at least the longest request, fewer than one after the other.
    expect(delta('vllm:iteration_tokens_total_count')).toBeGreaterThanOrEqual(20);
    expect(delta('vllm:iteration_tokens_total_count')).toBeLessThan(60);
    const strip = (page: string) => page.replaceAll(/^process_.*$/gm, '');
    expect(strip(await getText(`${base}/metrics`))).toBe(strip(after));
  });

  it('show who runs and who waits, and open requests under /load', async () => {
    const { base } = await start({ flags: ['--max-num-seqs', '1', '--enable-server-load-tracking'] });
    const leave = new AbortController();
    const open = () =>
      fetch(`${base}/v1/completions`, {
        ...jsonPost({ prompt: 'x', max_tokens: 4000, ignore_eos: true, stream: true }),
        signal: leave.signal,
      });
    await Promise.all([open(), open()]);
    const read = async () => {
      const page = await getText(`${base}/metrics`);
      return [readSample(page, 'vllm:num_requests_running'), readSample(page, 'vllm:num_requests_waiting')];
    };
    await expect.poll(read).toEqual([1, 1]);
    expect(await getJson(`${base}/load`)).toEqual({ server_load: 2 });
    leave.abort();
    await expect.poll(read).toEqual([0, 0]);
  });

  it('leave out every series of vLLM’s own without log stats', async () => {
    const { base } = await start({ flags: ['--disable-log-stats'] });
    const page = await getText(`${base}/metrics`);
    expect(page).not.toContain('vllm:');
    expect(page).toContain('process_resident_memory_bytes');
  });
});

interface StartSettings {
  readonly flags?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

async function start({ flags = [], env = {} }: StartSettings = {}): Promise<{ base: string; server: SimulatorServer; lines: string[] }> {
  const base = [
    'serve',
    'Qwen/Qwen3-0.6B',
    '--host',
    '127.0.0.1',
    '--port',
    '0',
    '--max-model-len',
    '4096',
    '--served-model-name',
    'Qwen3-0.6B',
    'alias',
  ];
  const parsed = parseServeArgs([...base, ...flags]);
  if (parsed.is !== 'serve') throw new Error(`not a serve line: ${parsed.is}`);
  const options: SimulatorOptions = toSimulatorOptions(parsed.args, { QWEN_DEPLOY_SIMULATED_TOKEN_MS: '1', ...env });
  const lines: string[] = [];
  const server = createSimulatorServer(options, { log: (line) => lines.push(line) });
  opened.push(server);
  return { base: `http://127.0.0.1:${await server.listen()}`, server, lines };
}

function jsonPost(body: unknown): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: typeof body === 'string' ? body : JSON.stringify(body) };
}

function post(url: string, body: unknown): Promise<Response> {
  return fetch(url, jsonPost(body));
}

async function postJson(url: string, body: unknown): Promise<unknown> {
  return (await post(url, body)).json();
}

async function getJson(url: string): Promise<unknown> {
  return (await fetch(url)).json();
}

async function getText(url: string): Promise<string> {
  return (await fetch(url)).text();
}

function toFrames(text: string): unknown[] {
  return text
    .split('\n\n')
    .filter((frame) => frame !== '')
    .map((frame) => frame.replace(/^data: /, ''))
    .map((frame) => (frame === '[DONE]' ? frame : JSON.parse(frame)));
}

/** The value of the first sample whose line begins so, labels in the page's order aside from those given. */
function readSample(page: string, start: string): number {
  const [name = '', label = ''] = start.split('{');
  const line = page.split('\n').find((row) => row.startsWith(`${name}{`) && row.includes(label));
  return Number(line?.split(' ').at(-1));
}

function readPath(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined), value);
}
