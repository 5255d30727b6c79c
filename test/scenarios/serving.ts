/**
 * What holds for every engine, stand-in or real: an obligation, a command, and what can be seen from outside.
 * `test/scenarios` runs these against the stand-in, `test/vllm` against the real vLLM.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeploymentEvent } from '../../src/core/event.ts';
import type { Answer } from '../../src/operate/ask.ts';
import type { Deployment } from '../../src/supervisor/deployment.ts';
import { createSandbox, eventually, freePort, isPortOpen, killQuietly, type Sandbox, type SandboxOptions } from './sandbox.ts';

export interface EngineUnderTest {
  readonly title: string;
  readonly sandbox: SandboxOptions;
  /** Arguments of `up` that choose the engine. */
  readonly up: readonly string[];
  /** How long one start may take here. */
  readonly startMs: number;
  /** Clients that only this engine can be asked with. */
  readonly checkClients?: (port: number) => Promise<void>;
}

export function describeServing(engine: EngineUnderTest): void {
  describe(`serving with ${engine.title}`, () => {
    let box: Sandbox;
    let port: number;
    const upArgs = () => ['up', '-p', 'tiny', ...engine.up, '--set', `server.port=${port}`];
    const status = async () => (await box.cli('status', 'tiny', '-o', 'json')).json<Deployment>();
    const untilReady = (since: number) =>
      eventually(status, (seen) => seen.state === 'ready' && seen.restarts.total > since, engine.startMs);

    beforeAll(async () => {
      box = await createSandbox(engine.sandbox);
      port = await freePort();
    });
    afterAll(() => box.dispose());

    it('up ends with exit 0 and a Deployment that is ready', { timeout: engine.startMs + 30_000 }, async () => {
      const result = await box.cli(...upArgs(), '-o', 'json');
      expect(result.code, result.stderr + result.stdout).toBe(0);
      expect(result.json()).toMatchObject({
        kind: 'Deployment',
        version: 1,
        name: 'tiny',
        state: 'ready',
        desired: 'up',
        backend: 'process',
        port,
        endpoint: `http://127.0.0.1:${port}/v1`,
        health: { ready: true },
        supervised: true,
        simulated: false,
        restarts: { total: 0 },
        run: 1,
      });
      expect(result.stdout.trim().split('\n')).toHaveLength(1);
    });

    it('answers plain HTTP: completion, chat, stream', { timeout: 60_000 }, async () => {
      const completion = await post(port, '/v1/completions', { model: 'Qwen3-0.6B', prompt: 'Hello', max_tokens: 4 });
      expect(completion.status).toBe(200);
      expect(JSON.parse(completion.text)).toMatchObject({ object: 'text_completion', usage: { completion_tokens: expect.any(Number) } });
      const chat = await post(port, '/v1/chat/completions', toChat(false));
      expect(JSON.parse(chat.text)).toMatchObject({ object: 'chat.completion', model: 'Qwen3-0.6B' });
      const stream = await post(port, '/v1/chat/completions', toChat(true));
      expect(stream.text).toMatch(/^data: \{/);
      expect(stream.text.trimEnd()).toMatch(/data: \[DONE\]$/);
    });

    if (engine.checkClients) {
      const { checkClients } = engine;
      it('answers the clients that people use', { timeout: 180_000 }, () => checkClients(port));
    }

    it('ask streams an answer and counts its tokens', { timeout: 60_000 }, async () => {
      const result = await box.cli('ask', 'Hello', '--max-tokens', '8', '-o', 'json');
      expect(result.code, result.stderr).toBe(0);
      const answer = result.json<Answer>();
      expect(answer).toMatchObject({ kind: 'Answer', model: 'Qwen3-0.6B', usage: { completionTokens: expect.any(Number) } });
      expect(answer.ttftMs).toBeLessThanOrEqual(answer.totalMs);
    });

    it('up again changes nothing', { timeout: 30_000 }, async () => {
      const before = await status();
      const again = await box.cli(...upArgs(), '-o', 'json');
      expect(again.code, again.stderr).toBe(0);
      expect(again.json()).toMatchObject({ state: 'ready', run: before.run, launchId: before.launchId, pid: before.pid });
    });

    it('M6 a changed profile is shown and asked for, never just done', { timeout: 30_000 }, async () => {
      const before = await status();
      const refused = await box.cli(...upArgs(), '--set', 'vllm.max-num-seqs=4');
      expect(refused.code).toBe(8);
      expect(refused.stderr).toMatch(/max-num-seqs.*8.*4/);
      expect(refused.stderr).toContain('--yes');
      expect(await status()).toMatchObject({ state: 'ready', launchId: before.launchId });
    });

    it('A1 A2 kill -9 of the API process: ready again by itself, the cause in events', { timeout: engine.startMs + 30_000 }, async () => {
      const before = await status();
      killQuietly(before.pid ?? -1);
      const after = await untilReady(before.restarts.total);
      expect(after).toMatchObject({ restarts: { total: 1 }, run: 2, lastExit: { cause: 'exit', signal: 'SIGKILL' } });
      expect(after.launchId).not.toBe(before.launchId);
      expect(await box.cli('events', '-o', 'json')).toMatchObject({ stdout: expect.stringMatching(/"type":"exited".*SIGKILL/) });
    });

    it('A3 kill -9 of EngineCore (vLLM then exits 0): ready again, the cause right', { timeout: engine.startMs + 30_000 }, async () => {
      const before = await status();
      const core = (await box.processes()).find(({ command }) => command.startsWith('VLLM::EngineCore'));
      expect(core).toBeDefined();
      killQuietly(core?.pid ?? -1);
      const after = await untilReady(before.restarts.total);
      expect(after).toMatchObject({ lastExit: { cause: 'exit', code: 0, reason: 'engine_dead_runtime' }, run: 3 });
    });

    it('E1 kill -9 of the supervisor: the engine stays, status says so, up takes over', { timeout: 60_000 }, async () => {
      const before = await status();
      killQuietly(before.supervisor?.pid ?? -1);
      const alone = await eventually(status, (seen) => !seen.supervised);
      expect(alone).toMatchObject({ state: 'ready', pid: before.pid, supervised: false });
      expect((await post(port, '/v1/completions', { model: 'Qwen3-0.6B', prompt: 'Hi', max_tokens: 1 })).status).toBe(200);
      expect((await box.cli('status')).stdout).toContain('unsupervised');
      const healed = await box.cli(...upArgs(), '-o', 'json');
      expect(healed.code, healed.stderr).toBe(0);
      expect(healed.json()).toMatchObject({
        state: 'ready',
        pid: before.pid,
        supervised: true,
        restarts: { total: before.restarts.total },
      });
      expect(healed.json<Deployment>().supervisor?.pid).not.toBe(before.supervisor?.pid);
    });

    it('logs shows the engine’s own lines, of the launch before too', { timeout: 30_000 }, async () => {
      expect((await box.cli('logs', '--tail', '500')).stdout).toContain('Application startup complete');
      const previous = await box.cli('logs', '--launch', 'previous');
      expect(previous.code, previous.stderr).toBe(0);
    });

    it('down proves that nothing is left', { timeout: 90_000 }, async () => {
      const { pid } = await status();
      const result = await box.cli('down', '-o', 'json');
      expect(result.code, result.stderr).toBe(0);
      expect(result.json()).toMatchObject({ kind: 'Deployment', state: 'stopped', desired: 'down' });
      expect(await isPortOpen(port)).toBe(false);
      expect(pid).toBeGreaterThan(0);
      expect(
        await eventually(
          () => box.processes(),
          (seen) => seen.length === 0,
        ),
      ).toEqual([]);
    });

    it('the record is readable after all of it', { timeout: 30_000 }, async () => {
      expect(await status()).toMatchObject({ state: 'stopped', restarts: { total: 2 }, supervised: false });
      const events = (await box.cli('events', '-o', 'json')).json<{ events: readonly DeploymentEvent[] }>().events;
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
      expect(events.filter(({ type }) => type === 'ready').length).toBeGreaterThanOrEqual(3);
      const forgotten = await box.cli('forget', 'tiny');
      expect(forgotten.code, forgotten.stderr).toBe(0);
      expect((await box.cli('status', 'tiny')).code).toBe(6);
    });
  });
}

function toChat(stream: boolean): object {
  return { model: 'Qwen3-0.6B', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 6, stream };
}

async function post(port: number, path: string, body: object): Promise<{ status: number; text: string }> {
  const reply = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: reply.status, text: await reply.text() };
}
