/** Two deployments on one GPU, each with a supervisor of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DeploymentEvent } from '../../src/core/event.ts';
import { probePort } from '../../src/host/net.ts';
import { type RunningSupervisor, startSupervisor } from '../../src/operate/supervise.ts';
import { makeWanted } from '../supervisor/make.ts';
import { createTestContext, type TestContext } from './context.ts';

let home: string;
let context: TestContext;
const running: RunningSupervisor[] = [];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'qd-turn-'));
  context = createTestContext(home);
});
afterEach(async () => {
  for (const one of running.splice(0)) {
    await one.supervisor.send({ type: 'down', force: true });
    await one.ended(new AbortController().signal);
  }
  await rm(home, { recursive: true, force: true, maxRetries: 5 });
});

/** It is told to start an engine that never becomes ready. */
async function startOne(name: string, gpu: string): Promise<RunningSupervisor> {
  const free = await probePort('127.0.0.1', 0);
  const endpoint = { host: '127.0.0.1', port: free.is === 'free' ? free.port : 0 };
  const engine = { program: '/bin/bash', args: ['-c', 'exec sleep 83'], model: 'Qwen/Qwen3-0.6B', endpoint };
  const wanted = { ...makeWanted('a', engine), gpus: [gpu] };
  const one = await startSupervisor(name, context, { first: async () => wanted, serve: false, unaskedMs: 300 });
  running.push(one);
  await one.supervisor.send({ type: 'up', wanted, rollback: true, by: 'up' });
  return one;
}

const life = (one: RunningSupervisor) => expect.poll(() => one.supervisor.now.life, { timeout: 5000 });

function notes(one: RunningSupervisor): DeploymentEvent[] {
  const seen: DeploymentEvent[] = [];
  one.journal.follow(0, (event) => event.type === 'note' && seen.push(event))();
  return seen;
}

describe('starts on one GPU', () => {
  it('happen one after another; the wait is said, and is no failure', async () => {
    const first = await startOne('chat', 'GPU-a');
    await life(first).toBe('starting');
    const second = await startOne('code', 'GPU-a');
    await expect.poll(() => notes(second)).toMatchObject([{ note: { id: 'life.start-turn', params: { name: 'chat', gpu: 'GPU-a' } } }]);
    expect(second.supervisor.now).toMatchObject({ life: 'preflight', failures: 0 });
    expect(second.supervisor.now.startedAt).toBeUndefined();
    await first.supervisor.send({ type: 'down', force: true });
    await life(second).toBe('starting');
  });

  it('on two GPUs happen at once', async () => {
    const [first, second] = [await startOne('chat', 'GPU-a'), await startOne('code', 'GPU-b')];
    await life(first).toBe('starting');
    await life(second).toBe('starting');
  });

  it('that wait can be stopped at once', async () => {
    const first = await startOne('chat', 'GPU-a');
    await life(first).toBe('starting');
    const second = await startOne('code', 'GPU-a');
    await expect.poll(() => notes(second)).toHaveLength(1);
    await second.supervisor.send({ type: 'down', force: false });
    expect(second.supervisor.now.life).toBe('stopped');
  });

  it('go on when the supervisor of the one before has ended', async () => {
    const first = await startOne('chat', 'GPU-a');
    await life(first).toBe('starting');
    // An engine that is only being launched is not adopted: what there is of it is ended, and it is started again.
    await expect.poll(() => first.supervisor.now.launch?.process).toBeDefined();
    const gone = new AbortController();
    gone.abort();
    await first.ended(gone.signal);
    running.splice(0);
    const second = await startOne('code', 'GPU-a');
    await life(second).toBe('starting');
    const heir = await startSupervisor('chat', context, { first: async () => undefined, serve: false, unaskedMs: 300 });
    running.push(heir);
    await life(heir).toBe('starting');
  });
});
