import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { isDead, listProcesses, type ProcessFacts, readDescriptor, readProcess } from '../src/host/proc.ts';

const program = fileURLToPath(new URL('./fake-vllm/vllm', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'fake-vllm-'));
const logs: string[] = [];

afterEach(async () => {
  for (const log of logs.splice(0)) for (const { pid } of await findMembers(log)) process.kill(pid, 'SIGKILL');
});

afterAll(() => rmSync(folder, { recursive: true }));

describe('process shape', () => {
  it('is vLLM’s tree in one session, with blank children on the same log; SIGTERM leaves nothing', async () => {
    const run = await startReady();
    const members = await findMembers(run.log);
    expect(members.map(({ comm }) => comm).toSorted()).toEqual(['VLLM::EngineCor', 'VLLM::Worker', 'vllm']);
    const { main, engine, worker } = await findRoles(run);
    expect([engine.ppid, worker.ppid]).toEqual([main.pid, engine.pid]);
    expect(members.map(({ session }) => session)).toEqual([main.pid, main.pid, main.pid]);
    for (const { pid } of [engine, worker]) expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).toBe('');
    expect(readFileSync(`/proc/${main.pid}/cmdline`, 'utf8')).toContain('serve');
    expect(readFileSync(`/proc/${engine.pid}/cmdline`, 'utf8')).toMatch(/^VLLM::EngineCore\0/);
    process.kill(main.pid, 'SIGTERM');
    expect(await run.exit).toEqual([0, null]);
    expect(await findMembers(run.log)).toEqual([]);
    expect(run.text()).toContain('[shutdown] API server: shutdown triggered');
    expect(run.text()).not.toContain('Finished server process');
  });

  it('takes work through EngineCore and Worker: a stopped EngineCore answers nothing while /health is 200', async () => {
    const run = await startReady();
    const { engine } = await findRoles(run);
    process.kill(engine.pid, 'SIGSTOP');
    const answer = complete(run.port);
    expect(await Promise.race([answer, settleAfter(150)])).toBe('nothing');
    expect((await fetch(`${run.base}/health`)).status).toBe(200);
    expect(await (await fetch(`${run.base}/metrics`)).text()).toMatch(/^vllm:num_requests_running\S* 0\.0$/m);
    process.kill(engine.pid, 'SIGCONT');
    expect(await answer).toBe(200);
    process.kill(engine.pid, 'SIGSTOP');
    run.child.kill('SIGTERM');
    expect(await run.exit).toEqual([0, null]);
    await expect.poll(() => findMembers(run.log)).toEqual([]);
  });
});

describe('death', () => {
  it('of EngineCore: a failed stream, 503, then exit 0; the Worker leaves later', async () => {
    const run = await startReady({ FAKE_VLLM: 'deathTime=200ms,workerLinger=500ms' });
    const { engine, worker } = await findRoles(run);
    const stream = await fetch(`${run.base}/v1/completions`, jsonPost({ prompt: 'x', max_tokens: 9000, ignore_eos: true, stream: true }));
    process.kill(engine.pid, 'SIGKILL');
    expect(await stream.text()).toMatch(
      /data: \{"error":\{"message":"EngineCore encountered an issue.*"code":500\}\}\n\ndata: \[DONE\]\n\n$/s,
    );
    expect((await fetch(`${run.base}/health`)).status).toBe(503);
    expect(await run.exit).toEqual([0, null]);
    expect(isDead(await readProcess(worker.pid))).toBe(false);
    expect(run.text()).toContain('[shutdown] MPClient: engine core exited unexpectedly; starting cleanup');
    expect(run.text()).toMatch(/Finished server process \[\d+\]\n/);
    expect(run.text()).not.toContain('shutdown triggered');
    await expect.poll(() => findMembers(run.log)).toEqual([]);
  });

  it('of the Worker: EngineCore says so, exit 0', async () => {
    const run = await startReady();
    process.kill((await findRoles(run)).worker.pid, 'SIGKILL');
    expect(await run.exit).toEqual([0, null]);
    expect(run.text()).toContain('Worker proc VllmWorker-0 died unexpectedly (exit code: None), shutting down executor.');
    expect(run.text()).toContain('EngineCore encountered a fatal error.');
    expect(run.text()).not.toContain('engine core exited unexpectedly');
  });

  it('of the API server: EngineCore and Worker live on, the port is free', async () => {
    const run = await startReady();
    const { main, engine, worker } = await findRoles(run);
    process.kill(main.pid, 'SIGKILL');
    expect(await run.exit).toEqual([null, 'SIGKILL']);
    await settleAfter(100);
    expect((await findMembers(run.log)).map(({ pid }) => pid).toSorted()).toEqual([engine.pid, worker.pid].toSorted());
    expect(await canConnect(run.port)).toBe(false);
  });

  it('of EngineCore during the start: exit 1 with vLLM’s last line', async () => {
    const run = await start({ FAKE_VLLM: 'phase=kv-cache:silent' });
    await run.waitFor('Starting to load model');
    process.kill((await findRoles(run)).engine.pid, 'SIGKILL');
    expect(await run.exit).toEqual([1, null]);
    expect(run.text()).toMatch(/RuntimeError: Engine core initialization failed\. See root cause above\. Failed core proc\(s\): \{\}\n$/);
  });
});

describe('start-up habits', () => {
  it.each([
    [
      'exit at a phase',
      { exit: 'kv-cache:3', stderr: 'Traceback (most recent call last):\nValueError: no room' },
      [3, null],
      'ValueError: no room',
    ],
    ['memory', { oom: 'loading' }, [1, null], 'torch.OutOfMemoryError: CUDA out of memory.'],
    ['exit while serving', { exitAfter: '50ms:7' }, [7, null], 'Application startup complete.'],
  ])('%s', async (_, faults, exit, text) => {
    const run = await start({ FAKE_VLLM: JSON.stringify(faults) });
    expect(await run.exit).toEqual(exit);
    expect(run.text()).toContain(text);
    expect(await findMembers(run.log)).toEqual([]);
  });

  it('swallows the first SIGTERM of a start on demand and becomes ready', async () => {
    const run = await start({ FAKE_VLLM: 'swallowSigterm,phase=loading:300ms' });
    await run.waitFor('Initializing a V1 LLM engine');
    run.child.kill('SIGTERM');
    await run.waitFor('Application startup complete.');
    run.child.kill('SIGTERM');
    expect(await run.exit).toEqual([0, null]);
  });

  it('ends by SIGINT at the second one', async () => {
    const run = await start({ FAKE_VLLM: 'swallowSigterm,phase=loading:silent' });
    await run.waitFor('Initializing a V1 LLM engine');
    run.child.kill('SIGTERM');
    await settleAfter(100);
    run.child.kill('SIGTERM');
    expect(await run.exit).toEqual([null, 'SIGINT']);
    expect(run.text()).toContain('KeyboardInterrupt: terminated');
    // Its children end when they see that it has gone.
    await expect.poll(() => findMembers(run.log), { timeout: 5000 }).toEqual([]);
  });

  it('finds a taken port before it loads', async () => {
    const holder = createServer();
    const port = await listen(holder);
    const run = await start({}, port);
    expect(await run.exit).toEqual([1, null]);
    expect(run.text()).toContain('OSError: [Errno 98] Address already in use');
    expect(run.text()).not.toContain('Starting to load model');
    holder.close();
  });

  it('refuses a switch that does not exist', async () => {
    const run = await start({ FAKE_VLLM: 'ignoreSigtrem' });
    expect((await run.exit)[0]).toBe(1);
    expect(run.text()).toContain('unknown switch ignoreSigtrem');
  });
});

describe('stop habits', () => {
  it('ignores SIGTERM', async () => {
    const run = await startReady({ FAKE_VLLM: 'ignoreSigterm' });
    run.child.kill('SIGTERM');
    await settleAfter(150);
    expect((await fetch(`${run.base}/health`)).status).toBe(200);
  });

  it('waits for a connected client after the drain limit, its engine and port gone', async () => {
    const run = await startReady({ FAKE_VLLM: 'hangOnClients' });
    const client = new AbortController();
    // Held on to: an answer that nobody refers to is collected, and its connection closed with it.
    const held = await fetch(`${run.base}/v1/completions`, {
      ...jsonPost({ prompt: 'x', max_tokens: 9000, ignore_eos: true, stream: true }),
      signal: client.signal,
    });
    run.child.kill('SIGTERM');
    await run.waitFor('Waiting for connections to close. (CTRL+C to force quit)');
    expect(await canConnect(run.port)).toBe(false);
    expect((await findMembers(run.log)).map(({ comm }) => comm)).toEqual(['vllm']);
    expect(held.bodyUsed).toBe(false);
    client.abort();
    expect(await run.exit).toEqual([0, null]);
  });

  it('leaves a grandchild in a session of its own, or one that keeps the port', async () => {
    const own = await startReady({ FAKE_VLLM: 'orphan' });
    own.child.kill('SIGTERM');
    expect(await own.exit).toEqual([0, null]);
    const [orphan] = await findMembers(own.log);
    expect(orphan?.session).toBe(orphan?.pid);
    const keeping = await startReady({ FAKE_VLLM: 'keepPort' });
    keeping.child.kill('SIGTERM');
    expect(await keeping.exit).toEqual([0, null]);
    expect(await findMembers(keeping.log)).toHaveLength(1);
    expect(await canConnect(keeping.port)).toBe(true);
  });
});

describe('habits over HTTP, set while it runs', () => {
  it('shows them one after the other', async () => {
    const run = await startReady({ FAKE_VLLM: 'servedName=other,printSecrets', VLLM_API_KEY: 'sk-secret' });
    const headers = { authorization: 'Bearer sk-secret' };
    expect(run.text()).toContain('sk-secret');
    expect(await (await fetch(`${run.base}/v1/models`, { headers })).text()).toContain('"id":"other","object":"model"');
    await fault(run, { healthStatus: 503 });
    expect((await fetch(`${run.base}/health`)).status).toBe(503);
    await fault(run, { healthStatus: null, chat: 400, inference: '500:1' });
    expect((await fetch(`${run.base}/health`)).status).toBe(200);
    expect((await fetch(`${run.base}/v1/chat/completions`, jsonPost({ messages: [] }, headers))).status).toBe(400);
    expect([await complete(run.port, headers), await complete(run.port, headers)]).toEqual([500, 200]);
    await fault(run, { metrics: 'garbage' });
    expect(await getMetrics(run)).toContain('<html>');
    await fault(run, { metrics: null, frozenMetrics: true });
    const frozen = await getMetrics(run);
    await complete(run.port, headers);
    expect(await getMetrics(run)).toBe(frozen);
    await fault(run, { frozenMetrics: false, resetCounters: true });
    expect(await getMetrics(run)).toMatch(/^vllm:generation_tokens_total\S* 0\.0$/m);
    await fault(run, { hang: true });
    const hanging = complete(run.port, headers);
    expect(await Promise.race([hanging, settleAfter(100)])).toBe('nothing');
    await fault(run, { hang: false });
    expect(await hanging).toBe(200);
    await fault(run, { flood: 1000 });
    await run.waitFor('flood 100 ');
    expect((await fetch(`${run.base}/__fault`, jsonPost({ nonsense: true }))).status).toBe(400);
    await fault(run, { crashOn: 'MARK' });
    await fetch(`${run.base}/v1/completions`, jsonPost({ prompt: 'MARK' }, headers)).catch(() => undefined);
    expect(await run.exit).toEqual([0, null]);
  });
});

interface Run {
  readonly child: ChildProcess;
  readonly log: string;
  readonly port: number;
  readonly base: string;
  readonly exit: Promise<readonly [number | null, NodeJS.Signals | null]>;
  text(): string;
  waitFor(line: string): Promise<void>;
}

/** In its own session and on an appended file, as the process backend starts an engine. */
async function start(env: Readonly<Record<string, string>> = {}, wanted?: number): Promise<Run> {
  const port = wanted ?? (await findPort());
  const log = join(folder, `${logs.length}-${port}.log`);
  logs.push(log);
  const descriptor = openSync(log, 'a');
  const words = [
    'serve',
    '/models/m',
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
    '--served-model-name',
    'm',
    '--shutdown-timeout',
    '1',
  ];
  const speed = { QWEN_DEPLOY_SIMULATED_START_MS: '0', QWEN_DEPLOY_SIMULATED_TOKEN_MS: '1' };
  const child = spawn(program, words, {
    detached: true,
    stdio: ['ignore', descriptor, descriptor],
    env: { PATH: process.env['PATH'], ...speed, ...env },
  });
  closeSync(descriptor);
  const text = () => readFileSync(log, 'utf8');
  return {
    child,
    log,
    port,
    base: `http://127.0.0.1:${port}`,
    exit: new Promise((resolve) => child.once('exit', (code, signal) => resolve([code, signal]))),
    text,
    waitFor: async (line) => expect.poll(text, { timeout: 8000, interval: 10 }).toContain(line),
  };
}

async function startReady(env: Readonly<Record<string, string>> = {}): Promise<Run> {
  const run = await start(env);
  await run.waitFor('Application startup complete.');
  return run;
}

/** Live processes whose standard output is this log: what the stand-in started, whoever its parent is now. */
async function findMembers(log: string): Promise<readonly ProcessFacts[]> {
  const all = (await listProcesses()).filter((facts) => !isDead(facts));
  const outputs = await Promise.all(all.map(({ pid }) => readDescriptor(pid, 1)));
  return all.filter((_, index) => outputs[index] === log);
}

async function findRoles({
  log,
}: Run): Promise<{ readonly main: ProcessFacts; readonly engine: ProcessFacts; readonly worker: ProcessFacts }> {
  const members = await findMembers(log);
  const role = (comm: string) => {
    const found = members.find((facts) => facts.comm === comm);
    if (found === undefined) throw new Error(`no ${comm} among ${members.map((facts) => facts.comm).join(', ')}`);
    return found;
  };
  return { main: role('vllm'), engine: role('VLLM::EngineCor'), worker: role('VLLM::Worker') };
}

function jsonPost(body: unknown, headers: Readonly<Record<string, string>> = {}): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}

async function complete(port: number, headers: Readonly<Record<string, string>> = {}): Promise<number> {
  const reply = await fetch(`http://127.0.0.1:${port}/v1/completions`, jsonPost({ prompt: 'x', max_tokens: 3 }, headers));
  await reply.text();
  return reply.status;
}

async function fault({ base }: Run, switches: unknown): Promise<void> {
  expect((await fetch(`${base}/__fault`, jsonPost(switches))).status).toBe(200);
}

async function getMetrics({ base }: Run): Promise<string> {
  const page = await (await fetch(`${base}/metrics`)).text();
  return page.replaceAll(/^process_.*$/gm, '');
}

function settleAfter(ms: number): Promise<'nothing'> {
  return new Promise((resolve) => setTimeout(() => resolve('nothing'), ms));
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function findPort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function listen(server: ReturnType<typeof createServer>): Promise<number> {
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    }),
  );
}
