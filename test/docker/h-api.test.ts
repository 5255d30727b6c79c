/** Rows of the fault matrix that a real Docker engine cannot be brought to show, against one that is told what to do. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { connectDocker } from '../../src/host/docker/connect.ts';
import { createDockerRuntime } from '../../src/runtime/docker/runtime.ts';
import type { Instance, Notice } from '../../src/runtime/runtime.ts';
import { GpuDoor } from '../../src/supervisor/gpu/door.ts';
import { explainExit } from '../../src/supervisor/launch/explain-exit.ts';
import { eventually } from '../scenarios/sandbox.ts';
import { cutReply, type FakeAnswer, type FakeApi, type FakeOptions, sendChunks, sendJson, startFakeApi, toFrame } from './fake-api.ts';
import { id, inspectCall, makeFakeLaunch, toAnswers, toEnded } from './fake-launch.ts';

let home = '';
let api: FakeApi | undefined;
let instance: Instance | undefined;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'qd-rows-'));
});
afterEach(async () => {
  instance?.release();
  instance = undefined;
  await api?.stop();
  api = undefined;
  await rm(home, { recursive: true, force: true });
});

const start = async (answers: Readonly<Record<string, FakeAnswer>>, options: FakeOptions = {}) => {
  api = await startFakeApi(answers, options);
  return api;
};

const countCalls = (fake: FakeApi, call: string) => fake.calls.filter((one) => one.split('?', 1)[0] === call).length;

describe('an engine whose', () => {
  it('H9: answer to create is lost has made one container, which is found by its label and started', async () => {
    const order = await makeFakeLaunch(home);
    const fake = await start({ ...toAnswers(order), 'POST /containers/create': cutReply });
    instance = await createDockerRuntime({ ...fake.env, HOME: home }).launch(order);
    expect(instance.record.containerId).toBe(id);
    expect([countCalls(fake, 'POST /containers/create'), countCalls(fake, `POST /containers/${id}/start`)]).toEqual([1, 1]);
  });

  it('H12: stream of the log is cut is asked again from there; no line is lost or twice, and nobody calls that an end', async () => {
    const order = await makeFakeLaunch(home);
    const [one, two] = ['2026-01-01T00:00:01.000000001Z one\n', '2026-01-01T00:00:02.000000002Z two\n'];
    const answers: FakeAnswer[] = [
      sendChunks([toFrame(1, one), toFrame(1, two).subarray(0, 20)], 'cut'),
      sendChunks([toFrame(1, one), toFrame(1, two)], 'silence'),
    ];
    let asked = 0;
    const logs: FakeAnswer = (...call) => answers[Math.min(asked++, 1)]?.(...call);
    const fake = await start({ ...toAnswers(order), [`GET /containers/${id}/logs`]: logs });
    instance = await createDockerRuntime({ ...fake.env, HOME: home }).launch(order);
    let ended = false;
    void instance.exited.then(() => {
      ended = true;
    });
    const text = await eventually(
      () => readFile(order.record.logFile, 'utf8').catch(() => ''),
      (log) => log.includes('two'),
    );
    expect([text, ended]).toEqual(['one\ntwo\n', false]);
    expect(asked).toBe(2);
  });

  it('H8: stream of events breaks again and again is looked at all the same', async () => {
    const order = await makeFakeLaunch(home);
    const answers = toAnswers(order);
    let isOver = false;
    const look: FakeAnswer = (...call) => {
      const labels = { 'qwen-deploy.launch-id': order.record.launchId };
      const times = { StartedAt: '2026-01-01T00:00:00Z', FinishedAt: '2026-01-01T00:01:00Z' };
      const ended = { Id: id, State: { Status: 'exited', Pid: 0, ExitCode: 3, ...times }, Config: { Labels: labels } };
      return (isOver ? sendJson(ended) : answers[`GET /containers/${id}/json`])?.(...call);
    };
    const fake = await start({
      ...answers,
      [`GET /containers/${id}/json`]: look,
      [`GET /containers/${id}/logs`]: sendChunks([], 'end'),
      'GET /events': sendChunks(['{"Type":"container","Action":"start","Actor":{"ID":"'], 'cut'),
    });
    instance = await createDockerRuntime({ ...fake.env, HOME: home }).launch(order);
    isOver = true;
    expect(await instance.exited).toEqual({ code: 3 });
  });

  it('H19: memory ran out for a child: said, and served on; when the engine ends of it, that is the cause', async () => {
    const order = await makeFakeLaunch(home);
    const answers = toAnswers(order);
    const asked: ServerResponse[] = [];
    const tell = (action: string) => {
      const [timeNano, actor] = [Date.now() * 1e6, { ID: id, Attributes: {} }];
      for (const reply of asked) reply.write(`${JSON.stringify({ Type: 'container', Action: action, Actor: actor, timeNano })}\n`);
    };
    let isOver = false;
    const look: FakeAnswer = (...call) => (isOver ? sendJson(toEnded(order, { exitCode: 1 })) : answers[inspectCall])?.(...call);
    const events: FakeAnswer = (_, reply) => {
      reply.writeHead(200).flushHeaders();
      asked.push(reply);
    };
    const fake = await start({
      ...answers,
      [inspectCall]: look,
      'GET /events': events,
      [`GET /containers/${id}/logs`]: sendChunks([], 'end'),
    });
    instance = await createDockerRuntime({ ...fake.env, HOME: home }).launch(order);
    const notices: Notice[] = [];
    instance.notices?.((notice) => notices.push(notice));
    await eventually(
      async () => asked.length,
      (streams) => streams > 0,
    );
    tell('oom');
    await eventually(
      async () => notices,
      (seen) => seen.length > 0,
    );
    expect(notices).toEqual([{ type: 'note', note: { id: 'life.docker-oom', params: {} } }]);
    const still = await Promise.race([instance.exited, new Promise((done) => setImmediate(() => done('runs')))]);
    expect(still).toBe('runs');
    isOver = true;
    tell('die');
    const exit = await instance.exited;
    expect(exit).toEqual({ code: 1, outOfMemory: true });
    const gpus = new GpuDoor({ clock: systemClock, note: () => undefined });
    const explained = await explainExit(exit, instance.record, {
      spec: order.spec,
      given: {},
      gpus,
      clock: systemClock,
      onProblem: () => undefined,
    });
    expect(explained).toMatchObject({ exit: { cause: 'oom', reason: 'host_oom_killed', code: 1 }, permanent: false });
  });

  it.each([
    ['too old', { apiVersion: '1.40', minApiVersion: '1.12' }, 'docker/api-too-old'],
    ['newer than what is known', { apiVersion: '1.99', minApiVersion: '1.44' }, '1.51'],
    ['so new that it has given up what is known', { apiVersion: '1.99', minApiVersion: '1.60' }, '1.60'],
  ])('H14: version of the API is %s', async (_, versions, expected) => {
    const fake = await start({}, versions);
    const spoken = connectDocker(fake.env, { timeoutMs: 2000 }).then(
      ({ apiVersion }) => apiVersion,
      (error: { readonly code: string }) => error.code,
    );
    expect(await spoken).toBe(expected);
  });
});
