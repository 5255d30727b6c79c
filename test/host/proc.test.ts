import { type ChildProcess, spawn } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { inTurns, isDead, listProcesses, readBootId, readCommandLine, readDescriptor, readProcess } from '../../src/host/proc.ts';

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** Starts bash with a script that says `ready`. */
async function start(script: string, detached = false): Promise<number> {
  const child = spawn('bash', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'], detached });
  children.push(child);
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  return child.pid ?? -1;
}

describe('readProcess', () => {
  it.each(['a b', 'a) (b', ') S 1 2', '((('])('is not led astray by the name %j', async (name) => {
    const pid = await start(`printf '%s' '${name}' > /proc/$$/comm; echo ready; kill -STOP $$`, true);
    expect(await readProcess(pid)).toMatchObject({ pid, comm: name, ppid: process.pid, session: pid });
    expect((await readProcess(pid))?.startTicks).toBeGreaterThan(0);
  });

  it('gives nothing for a number that nobody has', async () => {
    const facts = await readProcess(2 ** 30);
    expect(facts).toBeUndefined();
    expect(isDead(facts)).toBe(true);
  });

  it('G2 calls a zombie dead', async () => {
    const pid = await start('sleep 0.01 & echo ready; exec sleep 60');
    const children = async () => (await listProcesses()).filter(({ ppid }) => ppid === pid);
    await expect.poll(async () => (await children()).map(({ state }) => state)).toEqual(['Z']);
    expect((await children()).map((child) => isDead(child))).toEqual([true]);
  });
});

it('lists this process among the others', async () => {
  const all = await listProcesses();
  expect(all.find(({ pid }) => pid === process.pid)?.ppid).toBe(process.ppid);
  expect(new Set(all.map(({ pid }) => pid)).size).toBe(all.length);
});

it('reads where descriptors lead, and the words of a command', async () => {
  const pid = await start('exec 5</dev/null; echo ready; exec sleep 60');
  await expect.poll(() => readCommandLine(pid)).toBe('sleep 60');
  expect(await readDescriptor(pid, 5)).toBe('/dev/null');
  expect(await readDescriptor(pid, 77)).toBeUndefined();
  expect(await readCommandLine(2 ** 30)).toBe('');
  expect(await readBootId()).toMatch(/^[0-9a-f-]{36}$/);
});

it('lets others have their turn while it looks at many', async () => {
  let turn = false;
  setImmediate(() => {
    turn = true;
  });
  const seen = await inTurns([...Array(200).keys()], async () => turn);
  expect([seen.length, seen[0], seen.at(-1)]).toEqual([200, false, true]);
});
