/** GPUs and containers: lost inside although the machine has them, and not to be had yet just after a boot. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { DeployError } from '../../src/core/error.ts';
import type { LifeEvent } from '../../src/core/event.ts';
import { connectDocker } from '../../src/host/docker/connect.ts';
import { LostGpuLook } from '../../src/runtime/docker/lost-gpus.ts';
import { createDockerRuntime } from '../../src/runtime/docker/runtime.ts';
import { EngineWork } from '../../src/supervisor/engine-work.ts';
import { toLaunchFailed } from '../../src/supervisor/launch/failure.ts';
import { reduce } from '../../src/supervisor/reduce/reduce.ts';
import type { Recovery, RunSignal, Signal } from '../../src/supervisor/signal.ts';
import type { State } from '../../src/supervisor/state.ts';
import { toText } from '../../src/text/render.ts';
import { l4 } from '../faults/gpu-machine.ts';
import { eventually } from '../scenarios/sandbox.ts';
import { createFakeClock, type FakeClock } from '../supervisor/fake-clock.ts';
import { makeRecord, makeState, makeWanted } from '../supervisor/make.ts';
import { startNetworkedEngine } from './engine.ts';
import { type FakeAnswer, type FakeApi, sendChunks, sendJson, startFakeApi, toFrame } from './fake-api.ts';
import { id, inspectCall, makeFakeLaunch, toAnswers, toEnded } from './fake-launch.ts';
import { importStandIn } from './images.ts';

const bin = new URL('../faults/gpu-bin', import.meta.url).pathname;
const words = 'Failed to initialize NVML: Unknown Error';
const moment = { wallMs: Date.parse('2026-01-01T00:10:00Z'), random: 0 };
let home: string;
let world: World | undefined;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'qd-gpus-'));
  vi.stubEnv('HOME', home);
  vi.stubEnv('PATH', [bin, process.env['PATH']].join(delimiter));
  await showGpus('answers');
  await writeFile(join(home, 'kernel-log'), '[ 0.0] Linux\n');
});
afterEach(async () => {
  world?.work.release();
  await world?.api.stop();
  world?.engine.close();
  world = undefined;
  vi.unstubAllEnvs();
  await rm(home, { recursive: true, force: true });
});

/** What this machine's own nvidia-smi says. */
const showGpus = (mode: 'answers' | 'garbage') => writeFile(join(home, 'gpus.json'), JSON.stringify({ mode, gpus: [l4] }));

interface World {
  readonly api: FakeApi;
  readonly engine: Server;
  readonly work: EngineWork;
  readonly clock: FakeClock;
  readonly state: State;
  /** What nvidia-smi says inside from now on, and its exit code. */
  inside: readonly [string, number];
  isOver: boolean;
  readonly notes: () => readonly string[];
  readonly next: <T extends RunSignal['type']>(type: T) => Promise<Extract<RunSignal, { type: T }>>;
}

/** The supervisor's hands on a container with a GPU, which runs. */
async function openWorld(): Promise<World> {
  const { spec: plainSpec, record: plain } = await makeFakeLaunch(home);
  const spec = { ...plainSpec, health: { ...plainSpec.health, canaryIntervalMs: 0 } };
  const record = { ...plain, gpuBaselines: [{ index: 0, uuid: l4.uuid, owners: [] }], lastXid: '' };
  const order = { deployment: 'tiny', spec, record, secrets: {} };
  const answers = toAnswers(order);
  const look: FakeAnswer = (...call) => (opened.isOver ? sendJson(toEnded(order, { exitCode: 1 })) : answers[inspectCall])?.(...call);
  const api = await startFakeApi({
    ...answers,
    [inspectCall]: look,
    [`GET /containers/${id}/logs`]: sendChunks([], 'end'),
    [`POST /containers/${id}/exec`]: sendJson({ Id: 'e1' }, 201),
    'POST /exec/e1/start': (...call) => sendChunks([toFrame(1, opened.inside[0])])(...call),
    'GET /exec/e1/json': (...call) => sendJson({ ExitCode: opened.inside[1] })(...call),
  });
  const engine = await serveMetrics(spec.endpoint.port);
  const [signals, events]: [(RunSignal | Recovery)[], LifeEvent[]] = [[], []];
  const clock = createFakeClock();
  const work = new EngineWork({
    runtimeOf: () => createDockerRuntime({ ...api.env, HOME: home }),
    filesOf: () => record,
    crashDirectory: join(home, 'crashes'),
    clock,
    push: (signal) => signals.push(signal),
    append: (event) => events.push(event),
  });
  const wanted = { ...makeWanted('a', spec), spec, gpus: [l4.uuid] };
  const opened: World = {
    ...{ api, engine, work, clock, inside: ['GPU 0: NVIDIA L4', 0], isOver: false },
    state: makeState({ life: 'ready', desired: 'up', run: 1, launch: record, wanted }),
    notes: () => events.flatMap((event) => (event.type === 'note' ? [toText(event.note)] : [])),
    async next(type) {
      const found = () => signals.find((signal): signal is Extract<RunSignal, { type: typeof type }> => signal.type === type);
      await eventually(
        async () => found(),
        (signal) => signal !== undefined,
      );
      const [signal] = signals.splice(
        signals.findIndex((one) => one.type === type),
        1,
      );
      return signal as Extract<RunSignal, { type: typeof type }>;
    },
  };
  world = opened;
  work.begin('launch', opened.state);
  await opened.next('launched');
  return opened;
}

/** Idle, and well. */
async function serveMetrics(port: number): Promise<Server> {
  const server = createServer((_, response) => response.setHeader('connection', 'close').end('vllm:num_requests_running{engine="0"} 0\n'));
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  return server;
}

const run = (state: State, ...signals: readonly Signal[]) => signals.reduce((now, signal) => reduce(now, signal, moment)[0], state);
const countCalls = ({ calls }: FakeApi, call: string) => calls.filter((one) => one.split('?', 1)[0] === call).length;

describe('GPUs that are lost inside of a container', () => {
  it('I6: are the reason of a hang, and of what comes after it: a new container, and never docker restart', async () => {
    const opened = await openWorld();
    opened.inside = [`${words}\n`, 255];
    const hangs = run(opened.state, { type: 'stalled', run: 1, cause: 'stall', forMs: 120_000 });
    opened.work.begin('bundle', hangs);
    const bundled = await opened.next('bundled');
    expect(bundled.why).toEqual({ cause: 'gpu-lost-in-container', reason: 'gpu-lost-in-container', line: words });
    expect(opened.notes()).toEqual([expect.stringMatching(/has lost its GPUs.*new container.*CDI.*native\.cgroupdriver=cgroupfs/)]);
    opened.isOver = true;
    const exited = await opened.next('exited');
    expect(exited).toMatchObject({ exit: { cause: 'gpu-lost-in-container', code: 1 }, permanent: false });
    const after = run(hangs, bundled, exited, { type: 'reclaimed', run: 1, survivors: [] });
    expect(after).toMatchObject({ life: 'backoff', lastExit: { cause: 'gpu-lost-in-container', line: words } });
    // From here on it is a start like every other.
    expect(run(after, { type: 'timer', run: 1, timer: 'next-start' })).toMatchObject({ life: 'preflight', run: 2 });
    expect(opened.api.calls.filter((call) => call.includes('/restart'))).toEqual([]);
  });

  it('I6: are noticed within a minute while it serves, and are the cause when it ends later', async () => {
    const opened = await openWorld();
    opened.work.begin('watch-health', opened.state);
    opened.inside = [`${words}\n`, 255];
    await eventually(
      async () => opened.clock.advance(15_000),
      () => opened.notes().length > 0,
    );
    const slow = await eventually(
      () => opened.next('slow'),
      ({ reason }) => reason !== undefined,
    );
    expect(slow.reason).toBe('gpu-lost');
    expect(run(opened.state, slow)).toMatchObject({ life: 'degraded', health: { slow: 'gpu-lost' } });
    opened.isOver = true;
    expect(await opened.next('exited')).toMatchObject({ exit: { cause: 'gpu-lost-in-container', line: words }, permanent: false });
    expect(opened.notes()).toHaveLength(1);
  });

  it.each<[string, readonly [string, number], 'answers' | 'garbage']>([
    ['they are there', ['GPU 0: NVIDIA L4', 0], 'answers'],
    ['there is no nvidia-smi inside', ['exec failed: "nvidia-smi": executable file not found in $PATH', 127], 'answers'],
    ['this machine cannot reach them either', [`${words}\n`, 255], 'garbage'],
  ])('I6: are not the reason where %s', async (_, inside, mode) => {
    const opened = await openWorld();
    opened.inside = inside;
    await showGpus(mode);
    opened.work.begin('bundle', opened.state);
    expect((await opened.next('bundled')).why).toBeUndefined();
    expect(countCalls(opened.api, `POST /containers/${id}/exec`)).toBe(1);
  });
});

describe('a look into a real container', () => {
  it('I6: tells what nvidia-smi says there, that there is none, and that it hangs', async () => {
    const engine = await startNetworkedEngine();
    onTestFinished(engine.stop);
    await importStandIn(engine, 'qd-look:test');
    const script = join(home, 'nvidia-smi');
    await writeFile(script, `#!/bin/sh\nif [ "$1" = hang ]; then exec sleep 60; fi\necho '${words}' >&2\nexit 255\n`, { mode: 0o755 });
    const start = async (...options: readonly string[]) =>
      (await engine.docker('run', '--detach', '--init', ...options, '--entrypoint', 'sleep', 'qd-look:test', '300')).trim();
    const [lost, without] = [await start('--volume', `${script}:/usr/local/bin/nvidia-smi:ro`), await start()];
    const docker = await connectDocker(engine.env, { timeoutMs: 20_000 });
    const look = (container: string) => new LostGpuLook(async () => docker, container).look();
    expect(await docker.exec(lost, ['nvidia-smi', '-L'], 5000)).toEqual({ code: 255, text: `${words}\n` });
    expect([await look(lost), await look(without)]).toEqual([words, undefined]);
    expect([126, 127]).toContain((await docker.exec(without, ['nvidia-smi', '-L'], 5000))?.code);
    expect(await docker.exec(lost, ['nvidia-smi', 'hang'], 500)).toBeUndefined();
    await engine.docker('rm', '--force', without);
    expect(await look(without)).toBeUndefined();
  });
});

describe('a Docker without a way to GPUs', () => {
  const problem = 'could not select device driver "nvidia" with capabilities: [[gpu]]';
  const error = DeployError.of('docker/gpu-runtime', { problem });
  const starting = makeState({ life: 'starting', desired: 'up', run: 1, launch: makeRecord(1), wanted: makeWanted() });
  const fail = (upForMs: number) => ({ ...toLaunchFailed(error, '2026-01-01T00:00:00Z', upForMs), run: 1 });
  const reclaimed = { type: 'reclaimed', run: 1, survivors: [] } as const;

  it('H16: is waited for within ten minutes of the boot, however often, and nothing counts as failed', () => {
    let state = starting;
    for (let run = 1; run <= 20; run += 1) {
      const failed = [
        { ...fail(9 * 60_000), run },
        { ...reclaimed, run },
      ];
      state = failed.reduce((now, signal) => reduce(now, signal, moment)[0], state);
      expect(state).toMatchObject({
        life: 'backoff',
        waits: true,
        failures: 0,
        lastExit: { reason: 'docker/gpu-runtime', line: problem },
      });
      const again = reduce(state, { type: 'timer', run, timer: 'next-start' }, moment)[0];
      state = reduce(again, { type: 'preflight-passed', run: run + 1, record: makeRecord(run + 1) }, moment)[0];
    }
  });

  it('H16: is failed later, with the reason', () => {
    const state = run(starting, fail(11 * 60_000), reclaimed);
    expect(state).toMatchObject({ life: 'failed', lastExit: { reason: 'docker/gpu-runtime', line: problem } });
  });
});
