/** What of the network takes longer to show. */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, describe, expect, it } from 'vitest';
import { waitFor } from '../../../src/core/clock.ts';
import { findEvent, openKit, quick } from '../kit.ts';

const kit = openKit();
const timeout = 120_000;

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

describe('J3 a thousand status clients', { timeout }, () => {
  const clients = 1000;
  const rounds = 5;
  const everyMs = 1000;

  /** Each asks once a second. How long all the answers took, the quickest first. */
  async function askAll(socketPath: string): Promise<readonly number[]> {
    const agent = new Agent({ keepAlive: true, maxSockets: clients });
    const client = async (phaseMs: number) => {
      await waitFor(phaseMs);
      const took: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const ms = await ask(agent, socketPath);
        took.push(ms);
        await waitFor(Math.max(0, everyMs - ms));
      }
      return took;
    };
    const took = (await Promise.all(Array.from({ length: clients }, (_, index) => client((index * everyMs) / clients)))).flat();
    agent.destroy();
    return took.toSorted((a, b) => a - b);
  }

  function ask(agent: Agent, socketPath: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const askedAt = performance.now();
      const call = request({ socketPath, path: '/v1/deployment', agent }, (reply) => {
        reply.resume();
        reply.once('end', () => resolve(reply.statusCode === 200 ? performance.now() - askedAt : Number.POSITIVE_INFINITY));
      });
      call.once('error', reject);
      call.end();
    });
  }

  /** A server that does nothing else: what this machine and this client can do at this moment. */
  async function startBare(): Promise<string> {
    const path = join(kit.box.home, 'bare.sock');
    const script = `require('node:http').createServer((_, reply) => reply.end('x'.repeat(1500))).listen(${JSON.stringify(path)}, () => console.log(1))`;
    const bare = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    cleanups.push(async () => bare.kill('SIGKILL'));
    await new Promise((done) => bare.stdout.once('data', done));
    return path;
  }

  it('are answered within 200 ms in 99 of 100 cases, or as quickly as this machine can, and the engine is probed on time', async () => {
    const before = await kit.up('', 'health.interval=500ms');
    const lock = await readFile(join(kit.box.home, 'qd/state/deployments/tiny/supervisor.lock'), 'utf8');
    const bare = await askAll(await startBare());
    const took = await askAll(lock.split('\n')[1] ?? '');
    const p99 = (sorted: readonly number[]) => sorted[Math.floor(0.99 * sorted.length)] ?? Number.POSITIVE_INFINITY;
    expect(took).toHaveLength(clients * rounds);
    expect(p99(took)).toBeLessThan(Math.max(200, 2 * p99(bare)));
    expect(await kit.status()).toMatchObject({ state: 'ready', launchId: before.launchId, restarts: { total: 0 } });
    expect((await kit.events()).filter(({ type }) => type === 'health' || type === 'degraded')).toEqual([]);
  });
});

it('J9 packets to the port are dropped: one restart, and when its start is not answered either it has failed; no loop', {
  timeout,
}, async () => {
  const sets = ['health.interval=300ms', 'health.timeout=300ms', 'health.stall-after=2s', 'health.start-deadline=4s', ...quick];
  const first = await kit.up('', ...sets);
  const rule = ['INPUT', '-i', 'lo', '-p', 'tcp', '--dport', String(kit.port), '-j', 'DROP'];
  await execa('iptables', ['-w', '-I', ...rule]);
  cleanups.push(() => execa('iptables', ['-w', '-D', ...rule], { reject: false }));
  const after = await kit.until(({ state }) => state === 'failed', 60_000);
  expect(after).toMatchObject({ lastExit: { cause: 'start-timeout' } });
  const events = await kit.events();
  expect(findEvent(events, 'degraded')?.reason).toContain('ETIMEDOUT');
  expect(findEvent(events, 'unhealthy')).toMatchObject({ cause: 'api', launchId: first.launchId });
  expect(events.filter(({ type }) => type === 'unhealthy')).toHaveLength(1);
  expect(events.filter(({ type }) => type === 'launching').length).toBeLessThanOrEqual(3);
  await execa('iptables', ['-w', '-D', ...rule]);
  expect((await kit.box.cli('restart', 'tiny')).code).toBe(0);
  expect(await kit.status()).toMatchObject({ state: 'ready' });
});
