import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { observeDocker } from '../../src/host/docker/observe.ts';
import { importImage, program, startEngine, type TestEngine } from './engine.ts';

interface Answered {
  readonly status: string;
  readonly message: string;
  readonly evidence?: readonly string[];
}

/** Of the document of `doctor -o json`: the checks by id, and the exit status. */
interface Report {
  readonly exit: number;
  readonly checks: Readonly<Record<string, Answered>>;
}

const image = 'qwen-deploy:test';
let engine: TestEngine | undefined;
let home = '';

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'qd-docker-home-'));
  engine = await startEngine();
});
afterAll(async () => {
  await engine?.stop();
  await rm(home, { recursive: true, force: true });
});

function toEngine(): TestEngine {
  if (engine === undefined) throw new Error('the engine did not start');
  return engine;
}

function parseReport(stdout: string, exit: number): Report {
  const { checks } = JSON.parse(stdout) as { readonly checks: readonly (Answered & { readonly id: string })[] };
  return { exit, checks: Object.fromEntries(checks.map(({ id, ...answer }) => [id, answer])) };
}

/** The built program, on this machine. */
function examineHere(env: NodeJS.ProcessEnv): Promise<Report> {
  const main = new URL('../../dist/main.js', import.meta.url).pathname;
  const args = [main, 'doctor', '-p', 'demo', '--offline', '-o', 'json'];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { env: { ...env, QWEN_DEPLOY_HOME: home } }, (error, stdout, stderr) => {
      if (stdout === '') reject(new Error(stderr));
      else resolve(parseReport(stdout, typeof error?.code === 'number' ? error.code : 0));
    });
  });
}

describe('with a Docker engine that runs', () => {
  it('is observed with all that the checks ask for', async () => {
    const { env, socket, docker } = toEngine();
    const seen = await observeDocker(env, { timeoutMs: 5000 });
    const told = await docker('info', '--format', '{{.Driver}} {{.CgroupDriver}} {{.CgroupVersion}} {{.DockerRootDir}}');
    if (seen.is !== 'present') throw new Error(JSON.stringify(seen));
    expect(seen).toMatchObject({ socket, rootless: false, version: (await docker('version', '--format', '{{.Server.Version}}')).trim() });
    expect(`${seen.storageDriver} ${seen.cgroupDriver} ${seen.cgroupVersion} ${seen.rootDirectory}`).toBe(told.trim());
    expect(seen.runtimes).toContain('runc');
  });

  it('passes the checks of Docker', async () => {
    const { env, socket } = toEngine();
    const { checks, exit } = await examineHere(env);
    expect(exit).toBe(0);
    expect(checks['docker.reachable']).toMatchObject({ status: 'pass', message: expect.stringMatching(`answers at ${socket}$`) });
    expect(checks['docker.permission']).toMatchObject({ status: 'pass', message: 'this user may use Docker' });
    expect(checks['docker.api-version']).toMatchObject({ status: 'pass' });
    expect(checks['docker.cgroup-driver']).toMatchObject({ status: 'pass' });
    expect(checks['docker.address-pools']).toMatchObject({ status: 'pass' });
    // Room, and the driver that fits the file system of /tmp, are those of the machine.
    expect(['pass', 'warn']).toContain(checks['docker.storage']?.status);
    expect(checks['docker.nvidia']?.status).not.toBe('fail');
  });

  it('tells that it is gone when it is', async () => {
    const { env } = toEngine();
    const { checks } = await examineHere({ ...env, DOCKER_HOST: `unix://${home}/docker.sock` });
    expect(checks['docker.reachable']).toMatchObject({ status: 'skip', message: `no Docker here: there is no ${home}/docker.sock` });
  });
});

describe('inside of a container', () => {
  beforeAll(() => importImage(toEngine(), image));

  /** What it says of a profile, whatever its exit status. */
  async function examineInside(profile: string, ...limits: readonly string[]): Promise<Report> {
    const doctor = ['doctor', '-p', profile, '--offline', '-o', 'json'];
    const words = ['run', '--rm', '--network', 'none', ...limits, image, ...program, ...doctor];
    const { stdout, code } = await toEngine()
      .docker(...words)
      .then(
        (text) => ({ stdout: text, code: 0 }),
        (error: { readonly stdout: string; readonly code: number }) => error,
      );
    return parseReport(stdout, code);
  }

  it('sees the memory and the CPUs that it was given', async () => {
    const { checks } = await examineInside('demo', '--memory', '512m', '--cpuset-cpus', '0');
    expect(checks['host.container']).toMatchObject({ status: 'pass', message: 'in a container (Docker)' });
    const limits = checks['host.cgroup-limits'];
    expect(limits?.message).toMatch(/memory 512 MiB/);
    expect(limits?.evidence?.join('\n')).toMatch(/: 536870912$/m);
    expect(checks['host.ram']?.message).toMatch(/of 512 MiB free/);
    expect(checks['host.cpu-count']?.message).toMatch(/^CPUs: 1\b.*\(0\)$/);
    expect(limits?.message).toMatch(/cpuset 0$/);
  });

  it('says that a model on the CPU does not fit into so little', async () => {
    const { checks, exit } = await examineInside('cpu', '--memory', '512m', '--cpuset-cpus', '0');
    expect(checks['host.ram']).toMatchObject({ status: 'fail', message: expect.stringMatching(/of 512 MiB free .*; cpu takes about/) });
    expect(exit).toBe(4);
  });

  it('sees the share of time, and how many processes there may be', async () => {
    const { checks } = await examineInside('demo', '--cpus', '0.5', '--pids-limit', '5000');
    const limits = checks['host.cgroup-limits'];
    expect(`${limits?.message} ${limits?.evidence?.join(' ')}`).toMatch(/50000 100000/);
    expect(`${limits?.message} ${limits?.evidence?.join(' ')}`).toMatch(/5000\b/);
  });

  it('sees no limit where there is none', async () => {
    const { checks } = await examineInside('demo');
    expect(checks['host.cgroup-limits']?.message).not.toMatch(/memory/);
    expect(checks['host.ram']?.message).not.toMatch(/limit of this control group/);
  });
});
