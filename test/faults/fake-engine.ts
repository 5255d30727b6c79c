/** A supervisor with a clock of its own and an engine that does what the test says: for delays that nobody waits for. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { waitFor } from '../../src/core/clock.ts';
import type { DeploymentEvent, Survivor } from '../../src/core/event.ts';
import { probePort } from '../../src/host/net.ts';
import type { LaunchSpec } from '../../src/plan/launch-spec.ts';
import type { Exit, Instance, LaunchOrder, LaunchRecord, Runtime } from '../../src/runtime/runtime.ts';
import { Journal } from '../../src/supervisor/journal.ts';
import type { Deployable, State } from '../../src/supervisor/state.ts';
import { Supervisor } from '../../src/supervisor/supervisor.ts';
import { createFakeClock, type FakeClock } from '../supervisor/fake-clock.ts';
import { makeState, makeWanted } from '../supervisor/make.ts';

/** An engine without processes. */
export class FakeEngine implements Runtime {
  readonly launched: LaunchOrder[] = [];
  /** Whether a new supervisor finds the engine alive. */
  alive = false;
  kills: () => Promise<readonly Survivor[]> = async () => [];
  members: () => Promise<readonly Survivor[]> = async () => [];
  /** Whether `launch` answers before the test says so. */
  answers: Promise<void> = Promise.resolve();
  end: (exit: Exit) => void = () => undefined;
  /** It is over by the time at which `launch` answers. */
  overAtOnce: Exit | undefined;

  async launch(order: LaunchOrder): Promise<Instance> {
    this.launched.push(order);
    await this.answers;
    return this.toInstance({ ...order.record, process: { pid: 2 ** 30, startTicks: 1 } });
  }

  async adopt(record: LaunchRecord): Promise<Instance | undefined> {
    return this.alive ? this.toInstance(record) : undefined;
  }

  remains() {
    return { members: () => this.members(), kill: () => this.kills(), tidy: async () => undefined };
  }

  private toInstance(record: LaunchRecord): Instance {
    const exited = new Promise<Exit>((resolve) => {
      this.end = resolve;
      if (this.overAtOnce !== undefined) resolve(this.overAtOnce);
    });
    return {
      ...this.remains(),
      record,
      exited,
      sample: async () => undefined,
      terminate: async () => undefined,
      release: () => undefined,
    };
  }
}

export interface Stage {
  readonly clock: FakeClock;
  readonly engine: FakeEngine;
  supervisor: Supervisor;
  readonly wanted: Deployable;
  /** Another supervisor in place of this one, which is let go without a word; from this state, or the last one's. */
  replace(state?: State): Promise<void>;
  up(): Promise<number>;
  life(): State['life'];
  /** Step by step, with room for what files and sockets take in between. */
  passTime(ms: number, stepMs?: number): Promise<void>;
  passTimeUntil(life: State['life'], withinMs?: number): Promise<void>;
  /** Time stands still; only what is under way comes to its end. */
  untilLife(life: State['life']): Promise<void>;
  events(): readonly DeploymentEvent[];
  end(): Promise<void>;
}

export async function createStage(changes: Partial<LaunchSpec> = {}, clock = createFakeClock()): Promise<Stage> {
  const directory = await mkdtemp(join(tmpdir(), 'qd-stage-'));
  const free = await probePort('127.0.0.1', 0);
  const port = free.is === 'free' ? free.port : 0;
  const wanted = makeWanted('a', { model: 'Qwen/Qwen3-0.6B', endpoint: { host: '127.0.0.1', port }, ...changes });
  const engine = new FakeEngine();
  const journal = await Journal.open(join(directory, 'events.ndjson'));
  const open = (state: State) =>
    new Supervisor({
      state,
      stateFile: join(directory, 'state.json'),
      journal,
      runtimeOf: () => engine,
      crashDirectory: join(directory, 'crashes'),
      filesOf: (id) => ({ logFile: join(directory, `${id}.log`), exitFile: join(directory, `${id}.json`), tmpDir: join(directory, id) }),
      clock,
      random: () => 0,
    });
  const stage: Stage = {
    clock,
    engine,
    wanted,
    supervisor: open(makeState({ wanted })),
    async replace(state) {
      const last = stage.supervisor.now;
      await stage.supervisor.release();
      stage.supervisor = open(state ?? last);
      await stage.supervisor.recover();
    },
    up: () => stage.supervisor.send({ type: 'up', wanted, rollback: false, by: 'up' }),
    life: () => stage.supervisor.now.life,
    async passTime(ms, stepMs = 1000) {
      for (let passed = 0; passed < ms; passed += stepMs) {
        await clock.advance(Math.min(stepMs, ms - passed));
        await waitFor(1);
      }
    },
    async passTimeUntil(life, withinMs = 600_000) {
      for (let passed = 0; passed < withinMs && stage.life() !== life; passed += 1000) await stage.passTime(1000);
      expect(stage.life()).toBe(life);
    },
    untilLife: (life) => expect.poll(stage.life, { timeout: 5000, interval: 5 }).toBe(life),
    events() {
      const seen: DeploymentEvent[] = [];
      journal.follow(0, (event) => seen.push(event))();
      return seen;
    },
    async end() {
      await stage.supervisor.release();
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  return stage;
}
