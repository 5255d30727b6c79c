import { link, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../../src/core/clock.ts';
import { runProgram } from '../../src/host/exec.ts';
import { isDead, readBootId, readDescriptor, readProcess } from '../../src/host/proc.ts';
import type { LaunchSpec } from '../../src/plan/launch-spec.ts';
import { createProcessRuntime } from '../../src/runtime/process.ts';
import type { Instance, LaunchRecord } from '../../src/runtime/runtime.ts';
import { makeSpec } from '../supervisor/make.ts';

let directory: string;
let started: Instance[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'qd-test-'));
  started = [];
});

afterEach(async () => {
  for (const instance of started) {
    await instance.kill(5000);
    await instance.tidy();
  }
  await rm(directory, { recursive: true, force: true });
});

async function launch(
  script: string,
  changes: Partial<LaunchSpec> = {},
  env: NodeJS.ProcessEnv = process.env,
  places: Partial<LaunchRecord> = {},
): Promise<Instance> {
  const record: LaunchRecord = {
    launchId: `0190-${started.length}`,
    run: 1,
    backend: 'process',
    createdAt: new Date().toISOString(),
    bootId: await readBootId(),
    logFile: join(directory, `engine-${started.length}.log`),
    exitFile: join(directory, `exit-${started.length}.json`),
    tmpDir: join(directory, `tmp-${started.length}`),
    port: 1,
    host: '127.0.0.1',
    ...places,
  };
  const spec = makeSpec({ program: '/bin/bash', args: ['-c', script], ...changes });
  const instance = await createProcessRuntime(env).launch({ deployment: 'x', spec, record, secrets: { SECRET: 'shh' } });
  started.push(instance);
  return instance;
}

async function waitForLog(instance: Instance, text: string): Promise<string> {
  for (let n = 0; n < 200; n += 1) {
    const log = await readFile(instance.record.logFile, 'utf8');
    if (log.includes(text)) return log;
    await waitFor(20);
  }
  throw new Error(`no ${text} in ${await readFile(instance.record.logFile, 'utf8')}`);
}

describe('a process launch', () => {
  it.each([
    ['exit 0', { code: 0 }],
    ['exit 3', { code: 3 }],
    ['kill -9 $$', { signal: 'SIGKILL' }],
    ['kill -15 $$', { signal: 'SIGTERM' }],
    ['kill -34 $$', { signal: 'SIG34' }],
    ['exit 255', { code: 255 }],
  ])('knows how it ended: %s', async (script, exit) => {
    expect(await (await launch(script)).exited).toEqual(exit);
  });

  it('is not started when the program is not there', async () => {
    await expect(launch('', { program: '/no/such/vllm' })).rejects.toMatchObject({ code: 'runtime/spawn-failed' });
  });

  it('has its own session, its log as descriptor (no pipe), and only the variables it should', async () => {
    const env = { PATH: process.env.PATH, VLLM_PORT: 'tcp://10.0.0.1:80', PYTHONDONTWRITEBYTECODE: '1', SOME_TOKEN: 'x', HOME: '/root' };
    const instance = await launch('readlink /proc/self/fd/1; env; echo done; sleep 60', { env: { MINE: 'yes' } }, env);
    const log = await waitForLog(instance, 'done');
    expect(log).toContain(instance.record.logFile);
    for (const there of ['MINE=yes', 'SECRET=shh', `TMPDIR=${instance.record.tmpDir}`, 'QWEN_DEPLOY_LAUNCH_ID=0190-0', 'HOME=/root']) {
      expect(log).toContain(there);
    }
    for (const stray of ['VLLM_PORT', 'PYTHONDONTWRITEBYTECODE', 'SOME_TOKEN']) expect(log).not.toContain(stray);
    const facts = await readProcess(instance.record.process?.pid ?? 0);
    expect(facts?.session).toBe(instance.record.keeper?.pid);
    expect((await stat(instance.record.logFile)).mode & 0o777).toBe(0o600);
  });

  it('has a keeper that does not pass for the engine: the log is not its output', async () => {
    const instance = await launch('echo done; exec sleep 60');
    await waitForLog(instance, 'done');
    const keeper = instance.record.keeper?.pid ?? 0;
    expect(await Promise.all([1, 2].map((descriptor) => readDescriptor(keeper, descriptor)))).toEqual(['/dev/null', '/dev/null']);
  });

  it('runs on the processors it is given', async () => {
    const instance = await launch('taskset -cp $$; nice; echo done; sleep 60', { resources: { cpus: '0', nice: 5 } });
    const log = await waitForLog(instance, 'done');
    expect(log).toMatch(/affinity list: 0\n/);
    expect(log).toMatch(/^5$/m);
  });

  it('counts as members children without environment, orphans, and those in a session of their own', async () => {
    const instance = await launch('env -i sleep 61 & setsid sleep 62 & (sleep 63 &) ; echo done; exec sleep 60');
    await waitForLog(instance, 'done');
    const commands = async () => (await instance.members()).map(({ command }) => command).sort();
    expect(await commands()).toEqual(['sleep 60', 'sleep 61', 'sleep 62', 'sleep 63']);
    process.kill(instance.record.process?.pid ?? 0, 'SIGKILL');
    expect(await instance.exited).toEqual({ signal: 'SIGKILL' });
    expect(await commands()).toEqual(['sleep 61', 'sleep 62', 'sleep 63']);
    expect(await instance.kill(5000)).toEqual([]);
    expect(await commands()).toEqual([]);
  });

  it('counts nobody else as a member', async () => {
    const mine = await launch('echo done; exec sleep 60');
    const other = await launch('echo done; exec sleep 64');
    await waitForLog(mine, 'done');
    await waitForLog(other, 'done');
    expect((await mine.members()).map(({ command }) => command)).toEqual(['sleep 60']);
    await mine.kill(5000);
    expect((await other.members()).map(({ command }) => command)).toEqual(['sleep 64']);
  });

  it('is asked to stop by a signal to the main process alone, also when it is frozen', async () => {
    const instance = await launch('trap "echo term; exit 0" TERM; sleep 65 & echo done; while :; do sleep 0.05; done');
    await waitForLog(instance, 'done');
    process.kill(instance.record.process?.pid ?? 0, 'SIGSTOP');
    await instance.terminate();
    expect(await instance.exited).toEqual({ code: 0 });
    expect((await instance.members()).map(({ command }) => command)).toContain('sleep 65');
  });

  it('is adopted by pid and start time, and its exit is still known', async () => {
    const first = await launch('echo done; sleep 0.4; exit 7');
    first.release();
    const adopted = await createProcessRuntime(process.env).adopt(first.record);
    expect(await adopted?.exited).toEqual({ code: 7 });
  });

  it('G1 F12 is not adopted when the number belongs to another process, or the machine was restarted', async () => {
    const { record } = await launch('exec sleep 66');
    const runtime = createProcessRuntime(process.env);
    const pid = record.process?.pid ?? 0;
    expect(await runtime.adopt({ ...record, process: { pid, startTicks: 1 } })).toBeUndefined();
    expect(await runtime.adopt({ ...record, bootId: 'another' })).toBeUndefined();
    expect(isDead(await readProcess(pid))).toBe(false);
  });

  it('G1 never signals a process whose start time differs', async () => {
    const instance = await launch('exec sleep 67');
    const pid = instance.record.process?.pid ?? 0;
    const stranger = { ...instance.record, keeper: { pid: 1, startTicks: 2 ** 50 }, process: { pid, startTicks: 1 }, logFile: '/nowhere' };
    const remains = createProcessRuntime(process.env).remains(stranger);
    expect(await remains.kill(500)).toEqual([]);
    expect(isDead(await readProcess(pid))).toBe(false);
  });

  it('is noticed when the keeper is killed, with an unknown status', async () => {
    const instance = await launch('echo done; sleep 0.5');
    await waitForLog(instance, 'done');
    process.kill(instance.record.keeper?.pid ?? 0, 'SIGKILL');
    expect(await instance.exited).toEqual({});
  });

  it('survives a signal to the whole session as far as the keeper goes: the exit is recorded', async () => {
    const instance = await launch('echo done; exec sleep 60');
    await waitForLog(instance, 'done');
    process.kill(-(instance.record.keeper?.pid ?? 0), 'SIGTERM');
    expect(await instance.exited).toEqual({ signal: 'SIGTERM' });
  });

  it.each([
    ['ends by itself', undefined],
    ['is stopped', 'SIGSTOP'],
  ] as const)('has no keeper left when it has been tidied: one that %s', async (_, signal) => {
    const instance = await launch('sleep 60');
    const keeper = instance.record.keeper?.pid ?? 0;
    if (signal) process.kill(keeper, signal);
    expect(await instance.kill(5000)).toEqual([]);
    await instance.tidy();
    expect(isDead(await readProcess(keeper))).toBe(true);
  });

  it('leaves no temporary directory', async () => {
    const instance = await launch('touch $TMPDIR/a-socket');
    await instance.exited;
    await instance.tidy();
    expect(await readdir(directory)).not.toContain('tmp-0');
  });

  it('is capped in memory where the host allows it, and says so where it does not', async () => {
    const instance = await launch('cat /proc/self/cgroup; echo done; exec sleep 60', { resources: { memoryBytes: 256 * 2 ** 20 } });
    const log = await waitForLog(instance, 'done');
    if (instance.record.memoryGroup === undefined) expect(instance.record.memoryCapProblem).toMatch(/\w/);
    else expect(log).toContain('qwen-deploy-0190-0');
  });

  it('says which CPUs it has where some of those that were asked for are not there', async () => {
    const asked = { resources: { cpus: `0,${cpus().length + 1}` } };
    expect((await launch('exec sleep 60', asked)).record).toMatchObject({ cpusProblem: '0' });
    expect((await launch('exec sleep 60', { resources: { cpus: '0' } })).record).not.toHaveProperty('cpusProblem');
  });

  it('that takes more memory than its cap is killed, and the group goes with it', async () => {
    const instance = await launch('exec tail /dev/zero', { resources: { memoryBytes: 64 * 2 ** 20 } });
    const group = instance.record.memoryGroup;
    // Where the host allows no cap it would take all the memory there is.
    if (group === undefined) return expect(instance.record.memoryCapProblem).toMatch(/\w/);
    expect(await instance.exited).toEqual({ signal: 'SIGKILL' });
    await instance.tidy();
    await expect(stat(group)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('is capped in processes where the host allows it, together with its memory, and nothing of the caps stays', async () => {
    const instance = await launch('for i in {1..100}; do sleep 30 & done 2>/dev/null; wait', {
      resources: { pids: 64, memoryBytes: 256 * 2 ** 20 },
    });
    const { pidsGroup, memoryGroup, pidsCapProblem } = instance.record;
    if (pidsGroup === undefined) return expect(pidsCapProblem).toMatch(/\w/);
    expect(await readFile(join(pidsGroup, 'pids.max'), 'utf8')).toBe('64\n');
    while (Number(await readFile(join(pidsGroup, 'pids.current'), 'utf8')) < 64) await waitFor(20);
    await instance.kill(5000);
    await instance.tidy();
    for (const group of [pidsGroup, memoryGroup ?? pidsGroup]) await expect(stat(group)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('has as many open files as it was given', async () => {
    const instance = await launch('ulimit -n; ulimit -Hn; echo done; exec sleep 60', { resources: { nofile: 2048 } });
    expect(await waitForLog(instance, 'done')).toBe('2048\n2048\ndone\n');
    expect(instance.record.nofileProblem).toBeUndefined();
  });

  it('has as many open files as it may have when more were asked for, and says so', async () => {
    const instance = await launch('ulimit -n; echo done; exec sleep 60', { resources: { nofile: 1_073_741_816 } });
    const [limit] = (await waitForLog(instance, 'done')).split('\n');
    expect(instance.record.nofileProblem).toBe(limit);
  });
});

describe('a launch whose supervisor died before it could write down what it had started', () => {
  const unfinished = ({ keeper: _, process: __, ...record }: LaunchRecord): LaunchRecord => record;

  it('is found by its log, and ended with all that belongs to it', async () => {
    const instance = await launch('sleep 71 >/dev/null 2>&1 & echo done; exec sleep 70');
    await waitForLog(instance, 'done');
    const remains = createProcessRuntime(process.env).remains(unfinished(instance.record));
    expect((await remains.members()).map(({ command }) => command)).toEqual(expect.arrayContaining(['sleep 70', 'sleep 71']));
    expect(await remains.kill(5000)).toEqual([]);
    expect(await remains.members()).toEqual([]);
    expect(await instance.members()).toEqual([]);
  });
});

describe('what is left of a launch', () => {
  /** A session without its leader: `command` is the only process in it. */
  async function startOrphan(command: string): Promise<{ session: number; pid: number }> {
    const { stdout } = await runProgram('setsid', ['bash', '-c', `${command} >/dev/null 2>&1 </dev/null & echo $$ $!`]);
    const [session = 0, pid = 0] = stdout.split(' ').map(Number);
    return { session, pid };
  }

  it('G1 is not the leaderless session of a stranger that has got the number of the keeper', async () => {
    const { session, pid } = await startOrphan('sleep 72');
    const { record } = await launch('exit 0');
    const remains = createProcessRuntime(process.env).remains({ ...record, keeper: { pid: session, startTicks: 1 } });
    expect((await readProcess(pid))?.session).toBe(session);
    expect(await remains.kill(200)).toEqual([]);
    expect(isDead(await readProcess(pid))).toBe(false);
    process.kill(pid, 'SIGKILL');
  });

  it('F12 is nothing once the machine was restarted', async () => {
    const instance = await launch('echo done; exec sleep 73');
    await waitForLog(instance, 'done');
    const remains = createProcessRuntime(process.env).remains({ ...instance.record, bootId: 'another' });
    expect(await remains.members()).toEqual([]);
    expect(await remains.kill(200)).toEqual([]);
    expect(isDead(await readProcess(instance.record.process?.pid ?? 0))).toBe(false);
  });

  it('is found although the path of its log leads over a link', async () => {
    const link = join(directory, 'link');
    await symlink(directory, link);
    const instance = await launch('sleep 74 & echo done; exec sleep 75', {}, process.env, { logFile: join(link, 'engine-0.log') });
    await waitForLog(instance, 'done');
    const { keeper: _, ...record } = instance.record;
    expect((await createProcessRuntime(process.env).remains(record).members()).length).toBeGreaterThanOrEqual(2);
  });

  it('includes what left session and log behind, if it was seen while its parent lived', async () => {
    const instance = await launch('(sleep 0.3; setsid sleep 76 >/dev/null 2>&1) & echo done; exec sleep 60');
    await waitForLog(instance, 'done');
    await expect.poll(async () => (await instance.members()).map(({ command }) => command)).toContain('sleep 76');
    process.kill(instance.record.process?.pid ?? 0, 'SIGKILL');
    await instance.exited;
    expect(await instance.kill(5000)).toEqual([]);
  });

  it('is tidied of shared memory too, when the engine was killed with all its processes', async () => {
    const [known, mapped] = ['psm_qdtest1', 'psm_qdtest2'].map((name) => `/dev/shm/${name}-${process.pid}`);
    for (const path of [known, mapped]) await writeFile(path ?? '', 'x'.repeat(5000));
    const map = `exec perl -e 'open my $f, "<:mmap", $ARGV[0] or die; getc $f; print "done\\n"; $| = 1; print "" ; sleep 60' ${mapped}`;
    const instance = await launch(map);
    await waitForLog(instance, 'done');
    await instance.sample();
    process.kill(instance.record.process?.pid ?? 0, 'SIGKILL');
    await instance.exited;
    // A new supervisor knows the record only.
    const remains = createProcessRuntime(process.env).remains(instance.record);
    expect(await remains.members()).toEqual([]);
    await remains.tidy();
    await expect(stat(mapped ?? '')).rejects.toMatchObject({ code: 'ENOENT' });
    await rm(known ?? '');
  });

  it.each([
    ['semaphores', 'sem.mp-qdtest'],
    ['what workers share', 'vllm_dist_qdtest-tp:0-[0-1]-cpushm_0'],
  ])('is tidied of %s, though the maker has it mapped under another name', async (_, name) => {
    const [made, named] = ['sem.qdtest', name].map((one) => `/dev/shm/${one}-${process.pid}`);
    await writeFile(made ?? '', 'x'.repeat(5000));
    const map = `exec perl -e 'open my $f, "<:mmap", $ARGV[0] or die; getc $f; print "done\\n"; $| = 1; print "" ; sleep 60' ${made}`;
    const instance = await launch(map);
    await waitForLog(instance, 'done');
    // As the C library does it.
    await link(made ?? '', named ?? '');
    await rm(made ?? '');
    await instance.sample();
    expect(await instance.kill(5000)).toEqual([]);
    await instance.tidy();
    await expect(stat(named ?? '')).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('a launch that cannot be made', () => {
  it('says which file or directory is in the way, and leaves nothing', async () => {
    await writeFile(join(directory, 'file'), '');
    await expect(launch('exit 0', {}, process.env, { logFile: join(directory, 'file/0190/engine.log') })).rejects.toMatchObject({
      code: 'runtime/launch-files',
      params: { problem: 'ENOTDIR' },
    });
  });

  it('ends what it had started', async () => {
    const exitFile = join(directory, 'no/such/directory/exit.json');
    await expect(launch('exec sleep 77', {}, process.env, { exitFile })).rejects.toMatchObject({ code: 'runtime/spawn-failed' });
    const { stdout } = await runProgram('pgrep', ['-f', '^sleep 77$']);
    expect(stdout).toBe('');
  });
});

describe('an instance that was let go', () => {
  it('says nothing about an end that it has not seen', async () => {
    const instance = await launch('echo done; exec sleep 60');
    await waitForLog(instance, 'done');
    const adopted = await createProcessRuntime(process.env).adopt(instance.record);
    adopted?.release();
    const outcome = await Promise.race([adopted?.exited, waitFor(2300).then(() => 'nothing')]);
    expect(outcome).toBe('nothing');
  });
});
