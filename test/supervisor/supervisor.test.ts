import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../../src/core/clock.ts';
import { DeployError } from '../../src/core/error.ts';
import { probePort } from '../../src/host/net.ts';
import type { LaunchSpec } from '../../src/plan/launch-spec.ts';
import type { Exit, Instance, LaunchOrder, Runtime } from '../../src/runtime/runtime.ts';
import { Journal } from '../../src/supervisor/journal.ts';
import type { Deployable, State } from '../../src/supervisor/state.ts';
import { readState } from '../../src/supervisor/store.ts';
import { Supervisor, type SupervisorParts } from '../../src/supervisor/supervisor.ts';
import { createFakeClock, type FakeClock } from './fake-clock.ts';
import { makeRecord, makeState, makeWanted } from './make.ts';

let directory: string;
let port: number;
let clock: FakeClock;
let journal: Journal;
let runtime: FakeRuntime;
let supervisor: Supervisor;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'qd-supervisor-'));
  const free = await probePort('127.0.0.1', 0);
  port = free.is === 'free' ? free.port : 0;
  clock = createFakeClock();
  runtime = new FakeRuntime();
  supervisor = await open();
});
afterEach(async () => {
  await supervisor.release();
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
});

const stateFile = () => join(directory, 'state.json');

async function open(state: State = makeState(), file = stateFile(), onStep?: SupervisorParts['onStep']): Promise<Supervisor> {
  journal = await Journal.open(join(directory, 'events.ndjson'));
  return new Supervisor({
    state,
    stateFile: file,
    journal,
    runtimeOf: () => runtime,
    crashDirectory: join(directory, 'crashes'),
    filesOf: (id) => ({ logFile: join(directory, `${id}.log`), exitFile: join(directory, `${id}.json`), tmpDir: join(directory, id) }),
    clock,
    random: () => 0,
    ...(onStep ? { onStep } : {}),
  });
}

function wanted(changes: Partial<LaunchSpec> = {}): Deployable {
  return makeWanted('a', { model: 'Qwen/Qwen3-0.6B', endpoint: { host: '127.0.0.1', port }, ...changes });
}

const up = (changes: Partial<LaunchSpec> = {}) => supervisor.send({ type: 'up', wanted: wanted(changes), rollback: true, by: 'up' });
const down = (force = false) => supervisor.send({ type: 'down', force });
const life = () => expect.poll(() => supervisor.now.life, { timeout: 5000 });

/** The record is in the state before the engine is launched: whoever wants to end it waits for the launch. */
async function started(): Promise<void> {
  await life().toBe('starting');
  await expect.poll(() => runtime.launched.at(-1)?.record.run, { timeout: 5000 }).toBe(supervisor.now.run);
  await waitFor(1);
}

/** Second by second, with room for what files and sockets take in between. */
async function passTimeUntil(wished: State['life']): Promise<void> {
  for (let n = 0; n < 500 && supervisor.now.life !== wished; n += 1) {
    await clock.advance(1000);
    await waitFor(2);
  }
  expect(supervisor.now.life).toBe(wished);
}

/** What the journal says, notes in their parameters. */
async function told(): Promise<string[]> {
  const seen: string[] = [];
  journal.follow(0, (event) =>
    seen.push(event.type === 'note' ? `${event.note.id} ${Object.values(event.note.params).join(' ')}` : event.type),
  )();
  return seen;
}

/** An engine that does what the test says. */
class FakeRuntime implements Runtime {
  readonly launched: LaunchOrder[] = [];
  readonly done: string[] = [];
  beforeLaunch: (order: LaunchOrder) => Promise<void> = async () => undefined;
  kills: () => Promise<readonly []> = async () => [];
  tidies: () => Promise<void> = async () => undefined;
  terminates: () => Promise<void> = async () => undefined;
  end: (exit: Exit) => void = () => undefined;
  fail: (error: Error) => void = () => undefined;

  async launch(order: LaunchOrder): Promise<Instance> {
    this.launched.push(order);
    await this.beforeLaunch(order);
    const record = { ...order.record, process: { pid: 2 ** 30, startTicks: 1 } };
    const exited = new Promise<Exit>((resolve, reject) => {
      this.end = resolve;
      this.fail = reject;
    });
    return {
      ...this.remains(),
      record,
      exited,
      sample: async () => undefined,
      terminate: () => this.note('terminate', this.terminates),
      release: () => undefined,
    };
  }

  adopts: () => Promise<Instance | undefined> = async () => undefined;

  adopt(): Promise<Instance | undefined> {
    return this.adopts();
  }

  remains() {
    return { members: async () => [], kill: () => this.note('kill', this.kills), tidy: () => this.note('tidy', this.tidies) };
  }

  private note<T>(what: string, how: () => Promise<T>): Promise<T> {
    this.done.push(what);
    return how();
  }
}

const errno = (code: string) => Object.assign(new Error(`${code}: it is so`), { code });

describe('the order of things', () => {
  it('has the launch record on disk before the engine is started', async () => {
    let onDisk: State | undefined;
    runtime.beforeLaunch = async () => {
      onDisk = await readState(stateFile(), 'tiny');
    };
    await up();
    await started();
    await expect.poll(() => onDisk).toBeDefined();
    expect(onDisk).toMatchObject({ life: 'starting', desired: 'up', launch: { launchId: runtime.launched[0]?.record.launchId } });
  });

  it('tells after which event a command took effect, whatever waited before it', async () => {
    const first = down();
    const second = up();
    await Promise.all([first, second]);
    const seen: string[] = [];
    journal.follow(await second, ({ type }) => seen.push(type))();
    expect(seen.slice(0, 2)).toEqual(['requested', 'preflight']);
  });

  it('is busy while a command waits behind another one, which the state does not show', async () => {
    const told = [down(), up()];
    expect([supervisor.now.life, supervisor.isBusy]).toEqual(['stopped', true]);
    await Promise.all(told);
    expect(supervisor.now.desired).toBe('up');
    await expect.poll(() => supervisor.isBusy).toBe(false);
  });

  it('stops an engine whose launch it overtakes', async () => {
    let go: () => void = () => undefined;
    runtime.beforeLaunch = () => new Promise((resolve) => (go = resolve));
    await up();
    await expect.poll(() => runtime.launched.length).toBe(1);
    await down();
    expect(runtime.done).toEqual([]);
    go();
    await expect.poll(() => runtime.done).toEqual(['terminate']);
    runtime.end({ code: 0 });
    await life().toBe('stopped');
  });

  it('ends an engine that comes out of a launch given up long ago', async () => {
    let go: () => void = () => undefined;
    runtime.beforeLaunch = () => new Promise((resolve) => (go = resolve));
    await up();
    await expect.poll(() => runtime.launched.length).toBe(1);
    await down(true);
    await passTimeUntil('stopped');
    runtime.done.length = 0;
    go();
    await expect.poll(() => runtime.done).toEqual(['kill', 'tidy']);
    expect(supervisor.now.life).toBe('stopped');
  });

  it('proves the old port free when the new configuration has another', async () => {
    await up();
    await started();
    const server = createServer();
    await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
    await supervisor.send({
      type: 'up',
      wanted: {
        ...wanted({ endpoint: { host: '127.0.0.1', port: 1 } }),
        spec: { ...wanted({ endpoint: { host: '127.0.0.1', port: 1 } }).spec, hash: 'b' },
      },
      rollback: true,
      by: 'up',
    });
    runtime.done.length = 0;
    runtime.end({ code: 0 });
    // Its owner is this test, which can be seen and is nobody of the launch.
    await expect.poll(() => runtime.done).toContain('kill');
    await new Promise((done) => server.close(done));
  });

  it('keeps secrets out of everything that is written', async () => {
    supervisor.give({ KEY: 'sk-very-secret' });
    await up({ secretEnv: { VLLM_API_KEY: 'env:KEY' } });
    await started();
    await expect.poll(() => runtime.launched[0]?.secrets).toEqual({ VLLM_API_KEY: 'sk-very-secret' });
    await journal.flush();
    for (const file of ['state.json', 'events.ndjson']) expect(await readFile(join(directory, file), 'utf8')).not.toContain('sk-very');
  });

  it('clears away what launches of long ago left, once a new one is made', async () => {
    let pruned = 0;
    const pruneLaunches = async () => {
      pruned += 1;
      throw errno('EACCES');
    };
    supervisor = new Supervisor({
      state: makeState(),
      stateFile: stateFile(),
      journal,
      runtimeOf: () => runtime,
      crashDirectory: join(directory, 'crashes'),
      filesOf: (id) => ({ logFile: join(directory, id), exitFile: id, tmpDir: id }),
      pruneLaunches,
      clock,
    });
    await up();
    await expect.poll(() => pruned).toBe(1);
    await started();
  });
});

describe('trouble of ours', () => {
  it.each([
    ['a full disk', errno('ENOSPC'), 'backoff'],
    ['too many processes', DeployError.of('runtime/spawn-failed', { program: 'sh', problem: 'EAGAIN' }), 'backoff'],
    ['a directory for the log that cannot be made', DeployError.of('runtime/launch-files', { path: '/x', problem: 'ENOSPC' }), 'backoff'],
    ['a mistake', new TypeError('x is not a function'), 'backoff'],
    ['no such program', DeployError.of('runtime/spawn-failed', { program: '/no/vllm', problem: 'ENOENT' }), 'failed'],
    ['a secret that is not there', DeployError.of('runtime/secret', { ref: 'env:KEY', problem: 'the variable is not set' }), 'failed'],
  ])('at a launch, %s: %o → %s', async (_, error, state) => {
    runtime.beforeLaunch = () => Promise.reject(error);
    await up();
    await life().toBe(state);
    expect(supervisor.now.lastExit).toMatchObject({ cause: 'launch' });
    expect(supervisor.now.lastExit?.line).not.toContain('{"');
  });

  it('before a launch: is tried again later', async () => {
    const loop = join(directory, 'loop');
    await symlink(loop, loop);
    await up({ model: loop });
    await life().toBe('backoff');
    expect(supervisor.now.lastExit).toMatchObject({ cause: 'preflight', reason: 'host/io-failed' });
  });

  it('does not hide that the engine has ended', async () => {
    await up();
    await started();
    await mkdir(supervisor.now.launch?.logFile ?? '');
    runtime.end({ code: 3 });
    await life().toBe('backoff');
    expect(supervisor.now.lastExit).toMatchObject({ cause: 'exit', code: 3 });
    expect(await told()).toContainEqual(expect.stringMatching(/^life.work-failed exit EISDIR/));
  });

  it('that keeps us from seeing how it ended counts as an end', async () => {
    await up();
    await started();
    runtime.fail(new Error('nothing can be seen'));
    await life().toBe('backoff');
  });

  it('at a stop: the deadline kills', async () => {
    runtime.terminates = () => Promise.reject(errno('EMFILE'));
    await up();
    await started();
    await down();
    await expect.poll(told).toContainEqual('life.work-failed terminate EMFILE: it is so');
    await clock.advance(15_000);
    await life().toBe('stopped');
    expect(runtime.done).toContain('kill');
  });

  it('at a kill: is insisted, and only then believed', async () => {
    let tries = 0;
    runtime.kills = async () => {
      tries += 1;
      if (tries < 4) throw errno('EMFILE');
      return [];
    };
    await up();
    await started();
    await down(true);
    await passTimeUntil('stopped');
    expect(tries).toBeGreaterThanOrEqual(4);
    expect((await told()).filter((line) => line.startsWith('life.work-failed kill'))).toHaveLength(1);
  });

  it('at a kill that lasts: what cannot be looked at is not called gone', async () => {
    runtime.kills = () => Promise.reject(errno('EMFILE'));
    await up();
    await started();
    await down(true);
    await passTimeUntil('unkillable');
    runtime.kills = async () => [];
    await passTimeUntil('stopped');
  });

  it('with temporary files keeps nobody up', async () => {
    runtime.tidies = () => Promise.reject(errno('EBUSY'));
    await up();
    await started();
    await down(true);
    await life().toBe('stopped');
    expect(await told()).toContainEqual('life.work-failed reclaim EBUSY: it is so');
  });

  it('that keeps us from looking at the last engine: nothing is started or ended until we can, then what was asked is done', async () => {
    await supervisor.release();
    runtime.adopts = () => Promise.reject(errno('EMFILE'));
    supervisor = await open(makeState({ desired: 'up', life: 'ready', run: 1, launch: makeRecord(1), wanted: wanted() }));
    await supervisor.recover();
    expect(supervisor.now).toMatchObject({ life: 'unknown', before: 'ready' });
    await down();
    expect(supervisor.now).toMatchObject({ life: 'unknown', desired: 'down' });
    expect(runtime.done).toEqual([]);
    runtime.adopts = async () => undefined;
    await passTimeUntil('stopped');
    expect(runtime.launched).toEqual([]);
    expect((await told()).filter((line) => line === 'unknown')).toHaveLength(1);
  });

  it.each([86_400_000, -86_400_000])(
    'E14 with the clock of the day, set by %i ms: said once, and no delay is other than it was',
    async (byMs) => {
      await up();
      await started();
      runtime.end({ code: 1 });
      await life().toBe('backoff');
      clock.setWall(byMs);
      await clock.advance(1900);
      expect(supervisor.now.life).toBe('backoff');
      await passTimeUntil('starting');
      await started();
      const notes = (await told()).filter((line) => line.startsWith('life.clock'));
      expect(notes).toEqual([`life.clock-${byMs > 0 ? 'forward' : 'back'} 1d`]);
    },
  );

  it('with the state file: goes on from memory, says so once, and writes when it can again', async () => {
    await supervisor.release();
    const file = join(directory, 'not/there/state.json');
    await writeFile(join(directory, 'not'), 'in the way');
    supervisor = await open(makeState(), file);
    await up();
    await started();
    await expect.poll(() => runtime.launched.length).toBe(1);
    expect((await told()).filter((line) => line.startsWith('life.persistence'))).toEqual(['life.persistence-degraded ENOTDIR']);
    await rm(join(directory, 'not'));
    await mkdir(join(directory, 'not/there'), { recursive: true });
    await supervisor.send({ type: 'health', run: 1, ok: true });
    expect(await told()).toContain('life.persistence-restored ');
    expect(await readState(file, 'tiny')).toMatchObject({ life: 'starting' });
  });

  it('with a signal of another version: it is left out, and the next one is not', async () => {
    await supervisor.send({ type: 'up', rollback: true } as never);
    await up();
    await started();
    expect(await told()).toContainEqual(expect.stringMatching(/^life.work-failed up TypeError/));
  });
});

describe('letting go', () => {
  it('in the middle of a step: it is written down before the next supervisor comes, and what follows from it is left to that one', async () => {
    let written = 0;
    let gone: { readonly whole: Promise<void> } | undefined;
    supervisor = await open(makeState(), stateFile(), (step, when) => {
      if (step !== 'persist' || supervisor.now.life !== 'starting') return;
      if (when === 'before') gone = { whole: supervisor.release() };
      else written += 1;
    });
    await up();
    await expect.poll(() => gone).toBeDefined();
    await gone?.whole;
    expect(written).toBe(1);
    await waitFor(20);
    expect(runtime.launched).toEqual([]);
    expect(await readState(stateFile(), 'tiny')).toMatchObject({ life: 'starting', desired: 'up' });
  });
});

it('an adopted engine is heard of when it ends, also when a slower look found it dead already', async () => {
  await supervisor.release();
  const looks: ((found: Instance | undefined) => void)[] = [];
  runtime.adopts = () => new Promise((resolve) => looks.push(resolve));
  supervisor = await open(makeState({ desired: 'up', life: 'ready', run: 1, launch: makeRecord(1), wanted: wanted() }));
  void supervisor.recover();
  await expect.poll(() => looks.length).toBe(1);
  for (let n = 0; n < 60 && looks.length < 2; n += 1) {
    await clock.advance(1000);
    await waitFor(2);
  }
  expect(looks).toHaveLength(2);
  let released = false;
  const instance: Instance = {
    ...runtime.remains(),
    record: makeRecord(1),
    exited: new Promise(() => undefined),
    sample: async () => undefined,
    terminate: async () => undefined,
    release: () => {
      released = true;
    },
  };
  looks[0]?.(instance);
  await life().toBe('ready');
  looks[1]?.(undefined);
  await waitFor(20);
  expect(released).toBe(false);
});

describe('a port that a stranger takes while ours is being cleared away', () => {
  it('does not hold up the stop for long', async () => {
    await up();
    await started();
    const server = createServer((socket) => socket.resume());
    await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
    const startedAt = performance.now();
    runtime.end({ code: 0 });
    await life().toBe('backoff');
    expect(performance.now() - startedAt).toBeLessThan(5000);
    await new Promise((done) => server.close(done));
  });
});

it('a file that is no state does not reach the supervisor', async () => {
  await writeFile(stateFile(), 'rotten');
  await expect(readState(stateFile(), 'tiny')).rejects.toMatchObject({ code: 'state/corrupt' });
});
