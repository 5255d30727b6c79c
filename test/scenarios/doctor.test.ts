/** `doctor` on machines in miniature: what it says, how it ends, and that it changes nothing. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSandbox, eventually, freePort, killQuietly, root, type Sandbox } from './sandbox.ts';

interface Report {
  readonly kind: string;
  readonly version: number;
  readonly verdict: string;
  readonly checks: readonly { readonly id: string; readonly group: string; readonly status: string; readonly message: string }[];
  readonly gpus: readonly { readonly name: string; readonly problems: readonly object[] }[];
  readonly profile: object;
}

const boxes: Sandbox[] = [];
afterAll(() => Promise.all(boxes.map((box) => box.dispose())));

/** No program on PATH but those that are given: name → the script that stands in. */
async function createMachine(programs: Readonly<Record<string, string>> = {}): Promise<Sandbox> {
  const env: NodeJS.ProcessEnv = {};
  const box = await createSandbox({ env });
  boxes.push(box);
  const bin = join(box.home, 'bin');
  await mkdir(bin);
  for (const [name, file] of Object.entries(programs)) await symlink(file, join(bin, name));
  const tools = ['sh', 'awk', 'cat', 'dirname', 'readlink', 'sleep'];
  for (const tool of tools) await symlink(execFileSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim(), join(bin, tool));
  Object.assign(box.env, { PATH: bin, DOCKER_HOST: `unix://${box.home}/no-docker.sock` });
  return box;
}

const python = join(root, 'test/fixtures/engine/fake-python.sh');
const h100 = join(root, 'test/fixtures/doctor/nvidia-smi-h100.sh');
const rtx4090 = `index, name, driver_version, memory.total [MiB], memory.used [MiB], memory.free [MiB], compute_cap
0, NVIDIA GeForce RTX 4090, 580.95.05, 24564 MiB, 412 MiB, 23671 MiB, 8.9
`;

describe('without a GPU and without Docker', () => {
  let box: Sandbox;
  beforeAll(async () => {
    box = await createMachine({ python3: python });
  });

  it('says exactly so, proposes what runs here, and leaves nothing behind', async () => {
    const { code, stdout, stderr } = await box.cli('doctor', '--offline');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^gpu +none that answers: nvidia-smi is not installed$/m);
    expect(stdout).toMatch(/^docker +none: there is no .*no-docker\.sock$/m);
    expect(stdout).toMatch(/^ +GPU +\d+ checks: no NVIDIA GPU to look at$/m);
    expect(stdout).toMatch(/^ +Docker +\d+ checks: no Docker to ask$/m);
    expect(stdout).toMatch(/^ +runs +cpu, tiny, demo$/m);
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('     Next: qwen-deploy up -p tiny');
    expect(stdout).not.toContain('\u001b');
    expect((await readdir(join(box.home, 'qd'))).filter((name) => name !== 'cache')).toEqual([]);
  });

  it('and without Python: the simulator is what is left', async () => {
    const bare = await createMachine();
    const { code, stdout } = await bare.cli('doctor', '--offline');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^process +no engine is installed, and neither uv nor python3 is on PATH/m);
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('     Next: qwen-deploy up -p demo');
  });

  it('as one document', async () => {
    const result = await box.cli('doctor', '--offline', '-o', 'json');
    const report = result.json<Report>();
    expect(report).toMatchObject({
      kind: 'DoctorReport',
      version: 1,
      gpus: [],
      profile: { name: 'tiny', asked: false, running: false },
      backends: { simulator: { available: true }, docker: { available: false } },
      host: { node: process.versions.node },
    });
    expect(result.stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(new Set(report.checks.map(({ status }) => status))).toEqual(new Set(['pass', 'warn', 'skip']));
    expect(report.checks.filter(({ message }) => message === '' || message.includes('{'))).toEqual([]);
    expect(new Set(report.checks.map(({ group }) => group))).toEqual(new Set(['gpu', 'host', 'engine', 'docker', 'network', 'service']));
  });

  it('a profile for GPUs ends with 4, and --strict with 10 for what is only worth a look', async () => {
    const refused = await box.cli('doctor', '-p', 'fp8', '--offline');
    expect(refused.code).toBe(4);
    expect(refused.stdout).toMatch(/^ +fail gpu\.present +no NVIDIA GPU/m);
    expect(refused.stdout).toMatch(/\nfail fp8 cannot run here .*\n +Next: qwen-deploy up\n$/);
    expect((await box.cli('doctor', '-p', 'tiny', '--offline', '--strict')).code).toBe(10);
  });

  it('a profile that cannot be read ends with 3, comes first, and the machine is judged all the same', async () => {
    await writeFile(join(box.home, 'mine.yaml'), 'extends: base/cpu\nmodell: Qwen/Qwen3-0.6B\n');
    const { code, stdout } = await box.cli('doctor', '-p', './mine.yaml', '--offline');
    expect(code).toBe(3);
    expect(stdout).toMatch(/^error: The profile .*mine\.yaml cannot be used/);
    expect(stdout).toContain('modell');
    expect(stdout).toMatch(/^ +ok +host\.ram/m);
    expect(stdout).toContain('Next: qwen-deploy profiles check ./mine.yaml');
    const unknown = await box.cli('doctor', '-p', 'tinny', '-o', 'json');
    expect([unknown.code, unknown.json()]).toMatchObject([6, { kind: 'Error', code: 'profile/unknown' }]);
  });

  it.each([
    [['--gpu', 'L4', '--nvidia-smi', 'x'], 'usage/invalid'],
    [['--fix', '--gpu', 'L4'], 'usage/invalid'],
    [['--nvidia-smi', 'none.txt'], 'usage/unreadable-file'],
    [['--gpu', 'RTX 4091'], 'host/gpu-name'],
  ])('%j is a mistake in the line', async (args, code) => {
    const result = await box.cli('doctor', ...args, '-o', 'json');
    expect([result.code, result.json()]).toMatchObject([2, { kind: 'Error', code }]);
  });

  it('--fix needs an answer, and with --yes it mends what is ours', async () => {
    const state = join(box.home, 'qd/state');
    await mkdir(state, { recursive: true });
    await chmod(state, 0o777);
    const line = ['doctor', '-p', 'demo', '--offline', '--fix', '-o', 'json'];
    const asked = await box.cli(...line);
    expect([asked.code, asked.json()]).toMatchObject([8, { kind: 'Error', code: 'confirm/needed' }]);
    expect((await stat(state)).mode & 0o777).toBe(0o777);
    const fixed = await box.cli(...line, '--yes');
    expect(fixed.json()).toMatchObject({ kind: 'DoctorReport', fixes: [{ is: 'mode', path: state, checks: [{ after: 'pass' }] }] });
    expect((await stat(state)).mode & 0o777).toBe(0o700);
  });

  it('--bundle writes an archive once, for this user alone, and lists it', async () => {
    const line = ['doctor', '-p', 'demo', '--offline', '--bundle', './help.tar.gz'];
    const { stderr } = await box.cli(...line);
    expect(stderr).toMatch(/help\.tar\.gz: [\d.]+ KiB, readable by you alone/);
    expect(stderr).toMatch(/^ +doctor\.json +[\d.]+ KiB +the report as a document$/m);
    expect((await stat(join(box.home, 'help.tar.gz'))).mode & 0o777).toBe(0o600);
    execFileSync('tar', ['xzf', 'help.tar.gz'], { cwd: box.home });
    const report = JSON.parse(await readFile(join(box.home, 'help/doctor.json'), 'utf8'));
    expect(report).toMatchObject({ kind: 'DoctorReport' });
    expect(await readFile(join(box.home, 'help/doctor.json'), 'utf8')).not.toContain(box.home);
    const again = await box.cli(...line, '-o', 'json');
    expect([again.code, again.json()]).toMatchObject([2, { code: 'usage/file-exists' }]);
  });
});

it('what is up is judged as such: its port is its own', async () => {
  const box = await createSandbox();
  boxes.push(box);
  const port = `server.port=${await freePort()}`;
  expect((await box.cli('up', 'mine', '-p', 'demo', '--set', port)).code).toBe(0);
  for (const line of [['mine'], ['mine', '-p', 'demo', '--set', port]]) {
    const result = await box.cli('doctor', ...line, '--offline', '-o', 'json');
    expect(result.code, result.stdout).toBe(0);
    expect(result.json()).toMatchObject({ profile: { name: 'demo', deployment: 'mine', running: true }, next: 'qwen-deploy status mine' });
  }
  const other = await box.cli('doctor', '-p', 'demo', '--set', port, '--offline', '-o', 'json');
  expect([other.code, other.json()]).toMatchObject([4, { profile: { running: false } }]);
  expect(other.json<{ readonly next: string }>().next).toMatch(/^qwen-deploy up -p demo --set server\.port=\d+$/);
});

describe('with a GPU', () => {
  it('an H100 is read, judged, and gets its profile', async () => {
    const box = await createMachine({ 'nvidia-smi': h100, python3: python });
    const result = await box.cli('doctor', '--offline', '-o', 'json');
    const report = result.json<Report>();
    expect(report.gpus).toMatchObject([
      {
        index: 0,
        name: 'NVIDIA H100 80GB HBM3',
        computeCapability: '9.0',
        memoryTotalBytes: 81_559 * 2 ** 20,
        driverVersion: '590.48.01',
        cudaVersion: '13.1',
        problems: [],
      },
    ]);
    expect(report.profile).toMatchObject({ name: 'fp8', asked: false });
    const answers = Object.fromEntries(report.checks.map(({ id, status }) => [id, status]));
    expect(answers).toMatchObject({ 'gpu.present': 'pass', 'gpu.capability': 'pass', 'gpu.memory-free': 'pass' });
    expect(result.code, JSON.stringify(report.checks.filter(({ status }) => status === 'fail'))).toBe(0);
  });

  it('one whose nvidia-smi hangs is unknown within seconds, and never taken for none', { timeout: 60_000 }, async () => {
    const box = await createMachine();
    await writeFile(join(box.home, 'bin/nvidia-smi'), '#!/bin/sh\nexec sleep 600\n', { mode: 0o755 });
    const start = performance.now();
    const result = await box.cli('doctor', '--offline', '-o', 'json');
    expect(performance.now() - start).toBeLessThan(20_000);
    expect(result.code).toBe(4);
    const report = result.json<Report>();
    expect(report.profile).toMatchObject({ name: 'auto', problem: { code: 'host/gpu-silent' } });
    expect(report.checks.find(({ id }) => id === 'gpu.present')).toMatchObject({ status: 'fail' });
    expect(report.checks.find(({ id }) => id === 'host.ram')).toMatchObject({ status: 'pass' });
    await eventually(
      () => box.processes(),
      (seen) => seen.length === 0,
    );
  });

  it('Ctrl-C ends it at once', async () => {
    const box = await createMachine();
    await writeFile(join(box.home, 'bin/nvidia-smi'), `#!/bin/sh\necho $$ > ${box.home}/asked\nexec sleep 600\n`, { mode: 0o755 });
    const running = box.start('doctor', '--offline');
    await eventually(
      () => readFile(join(box.home, 'asked'), 'utf8').catch(() => ''),
      (text) => text !== '',
    );
    killQuietly(running.pid, 'SIGINT');
    expect((await running.result).code).toBe(130);
    await eventually(
      () => box.processes(),
      (seen) => seen.length === 0,
    );
  });
});

describe('another machine, by what its nvidia-smi printed', () => {
  it('in a file, from any directory', async () => {
    const box = await createMachine();
    await mkdir(join(box.home, 'theirs'));
    await writeFile(join(box.home, 'theirs/smi.csv'), rtx4090);
    for (const file of ['theirs/smi.csv', join(box.home, 'theirs/smi.csv')]) {
      const result = await box.cli('doctor', '--nvidia-smi', file, '-o', 'json');
      expect(result.code, result.stdout).toBe(0);
      expect(result.json()).toMatchObject({
        elsewhere: 'smi.csv',
        profile: { name: 'fp8' },
        gpus: [{ name: 'NVIDIA GeForce RTX 4090', memoryTotalBytes: 24_564 * 2 ** 20, driverVersion: '580.95.05' }],
      });
      const others = result.json<Report>().checks.filter(({ group }) => group !== 'gpu');
      expect(new Set(others.map(({ status }) => status))).toEqual(new Set(['skip']));
    }
  });

  it('on standard input; what nvidia-smi did not print is refused', async () => {
    const box = await createMachine();
    const ask = (input: string) => {
      const line = [join(root, 'dist/main.js'), 'doctor', '--nvidia-smi', '-', '-o', 'json'];
      const { status, stdout } = spawnSync(process.execPath, line, { env: box.env, cwd: box.home, input, encoding: 'utf8' });
      return [status, JSON.parse(stdout)];
    };
    expect(ask(rtx4090)).toMatchObject([0, { elsewhere: '-', gpus: [{ name: 'NVIDIA GeForce RTX 4090' }] }]);
    expect(ask('hello world\n')).toMatchObject([2, { kind: 'Error', code: 'usage/not-smi' }]);
    expect(ask('')).toMatchObject([2, { kind: 'Error', code: 'usage/not-smi' }]);
  });
});
