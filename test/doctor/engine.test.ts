import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { say } from '../../src/core/message.ts';
import type { DoctorSubject } from '../../src/doctor/check.ts';
import { engineChecks } from '../../src/doctor/checks/engine.ts';
import { listEngines, writeMarker } from '../../src/engine/installed.ts';
import type { ExecutableFact } from '../../src/plan/facts.ts';
import { createFakeMachine } from '../engine/fake-machine.ts';
import { toEngine } from '../plan/stand-ins.ts';
import { createMachine, createSubject, runCheck, type StandInMachine } from './stand-ins.ts';

function put(path: string, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, '', { mode });
}

/** An engine that is whole, with or without compiled code. */
async function putEngine({ places }: StandInMachine, id: string, { compiled = true, noted = true } = {}): Promise<string> {
  const directory = join(places.data, 'engines', id);
  for (const name of ['vllm', 'python']) put(join(directory, 'venv/bin', name), 0o755);
  put(join(directory, 'venv/lib/python3.11/site-packages/vllm/__init__.py'));
  if (compiled) put(join(directory, 'venv/lib/python3.11/site-packages/vllm/__pycache__/version.cpython-311.pyc'));
  const [variant, version = ''] = id.split('-');
  const facts = { torch: '2.13.0', pythonVersion: '3.11.9', installedAt: '2026-01-01T00:00:00.000Z', sizeBytes: 1, bytecode: noted };
  await writeMarker(directory, { variant: variant === 'gpu' ? 'gpu' : 'cpu', version, ...facts });
  return directory;
}

const onPath = (version: string | undefined, writable = true): ExecutableFact => ({
  asked: 'path',
  path: '/opt/bin/vllm',
  variant: 'cpu',
  writable,
  ...(version ? { version } : {}),
});
const named = (fact: object): ExecutableFact => ({ asked: 'profile', path: '/opt/bin/vllm', writable: true, ...fact });
const executable = 'engine.executable=/opt/bin/vllm';

type Make = () => Promise<DoctorSubject | undefined>;
const none: Make = async () => undefined;
const installed: Make = () => createSubject('cpu');
const missing: Make = () => createSubject('cpu', { facts: { engines: [] } });
const contained: Make = () => createSubject('cpu', { sets: ['engine.backend=docker'], facts: { backend: 'docker' } });
const simulated: Make = () => createSubject('demo', { facts: { backend: 'simulator' } });
const withProgram = (fact: object, ...sets: readonly string[]): Make => {
  return () => createSubject('cpu', { sets: [executable, ...sets], facts: { engines: [], executable: named(fact) } });
};

describe('engine.installed', () => {
  it.each<[string, Make, string, RegExp]>([
    ['installed', installed, 'pass', /^vLLM 0\.32\.0 is installed \(cpu-0\.32\.0\)$/],
    ['not yet', missing, 'warn', /^cpu-0\.32\.0 is not installed yet$/],
    ['another version', () => createSubject('cpu', { facts: { engines: [toEngine('cpu', '0.31.0')] } }), 'warn', /not installed yet/],
    [
      'on PATH',
      () => createSubject('cpu', { facts: { engines: [], executable: onPath('0.32.0') } }),
      'pass',
      /0\.32\.0 at \/opt\/bin\/vllm/,
    ],
    ['named', withProgram({ version: '0.32.0+cpu' }), 'pass', /0\.32\.0 at \/opt\/bin\/vllm/],
    ['named, of another version', withProgram({ version: '0.30.0' }), 'warn', /is vLLM 0\.30\.0; the profile is checked against 0\.32\.0/],
    ['named, of no version', withProgram({}), 'pass', /does not tell its version/],
    ['named, and not there', withProgram({ problem: say('engine.program-absent') }), 'fail', /\/opt\/bin\/vllm does not exist/],
    ['the simulator', simulated, 'skip', /needs no vLLM/],
    ['a container', contained, 'skip', /image/],
    ['no profile and no engine', none, 'skip', /no vLLM is installed/],
  ])('%s', async (_, make, status, message) => {
    const subject = await make();
    const answer = await runCheck(engineChecks, 'engine.installed', createMachine(subject ? { subject } : {}));
    expect(answer).toMatchObject({ status, message: expect.stringMatching(message) });
    expect(answer.hint !== '').toBe(status === 'warn' || status === 'fail');
  });

  it('tells what is there without a profile, and an installation that did not end', async () => {
    const machine = createMachine();
    await putEngine(machine, 'cpu-0.31.0');
    put(join(machine.places.data, 'engines/cpu-0.32.0/venv/bin/python'), 0o755);
    const evidence = ['cpu-0.31.0', 'cpu-0.32.0: engine.json is absent or its program is'];
    expect(await runCheck(engineChecks, 'engine.installed', machine)).toMatchObject({
      status: 'pass',
      message: 'installed: cpu-0.31.0',
      evidence,
    });
    const answer = await runCheck(engineChecks, 'engine.installed', {
      ...machine,
      subject: await createSubject('cpu', { facts: { engines: [] } }),
    });
    expect(answer).toMatchObject({ status: 'warn', message: expect.stringMatching(/^cpu-0\.32\.0 was not installed to its end/) });
    expect(answer.fix).toEqual({ is: 'command', command: 'qwen-deploy engine install cpu --engine-version 0.32.0' });
  });
});

describe('engine.python', () => {
  type Tools = Parameters<typeof createFakeMachine>[0];
  it.each<[string, Tools, NodeJS.ProcessEnv, string, RegExp]>([
    ['one that suits', ['python3'], { FAKE_PYTHON: '3.12.3' }, 'pass', /^Python 3\.12\.3 \(.*\/python3\)$/],
    ['one without venv', ['python3'], { FAKE_PYTHON_LACKS: 'venv' }, 'pass', /without venv; pip fetches/],
    ['one with neither', ['python3'], { FAKE_PYTHON_LACKS: 'venv pip' }, 'fail', /has neither venv nor pip$/],
    ['one with neither, and uv', ['python3', 'uv'], { FAKE_PYTHON_LACKS: 'venv pip' }, 'pass', /^Python 3\.11\.9/],
    ['an old one', ['python3'], { FAKE_PYTHON: '3.9.2' }, 'fail', /^no Python >=3\.11,<3\.14 on PATH: .*\(3\.9\.2\)$/],
    ['none', [], {}, 'fail', /^no Python/],
    ['that of uv', ['uv'], { FAKE_UV_PYTHON: '/uv/python3.12' }, 'pass', /^Python of uv \(\/uv\/python3\.12\)$/],
    ['none, and uv', ['uv'], {}, 'warn', /uv would download one/],
  ])('%s', async (_, tools, variables, status, message) => {
    const fake = await createFakeMachine(tools, variables);
    onTestFinished(() => fake.dispose());
    const subject = await createSubject('cpu', { facts: { engines: [] } });
    const answer = await runCheck(engineChecks, 'engine.python', createMachine({ env: fake.env, subject }));
    expect(answer).toMatchObject({ status, message: expect.stringMatching(message), needed: true });
    expect(answer.hint !== '').toBe(status !== 'pass');
  });

  it('knows the package of Debian', async () => {
    const fake = await createFakeMachine(['python3'], { FAKE_PYTHON_LACKS: 'venv pip' });
    onTestFinished(() => fake.dispose());
    const debian = createMachine({ env: fake.env, files: { '/etc/debian_version': '12.5\n' } });
    const fix = { is: 'command', command: 'sudo apt-get install python3.11-venv' };
    expect(await runCheck(engineChecks, 'engine.python', debian)).toMatchObject({ status: 'fail', fix, needed: false });
  });

  it.each<[string, Make]>([
    ['an engine is there', installed],
    ['the simulator', simulated],
    ['a container', contained],
  ])('is not looked for: %s', async (_, make) => {
    const subject = await make();
    const answer = await runCheck(engineChecks, 'engine.python', createMachine(subject ? { subject } : {}));
    expect(answer).toMatchObject({ status: 'skip', needed: false });
  });
});

describe('engine.uv', () => {
  it.each<[string, object | undefined, string, RegExp]>([
    ['new', { stdout: 'uv 0.13.8 (x86_64-unknown-linux-gnu)' }, 'pass', /^uv 0\.13\.8$/],
    ['old', { stdout: 'uv 0.5.1' }, 'warn', /uv 0\.5\.1 is passed over: 0\.6\.9/],
    ['something else of that name', { stdout: 'usage: uv' }, 'warn', /does not tell its version: exit 0/],
    ['broken', { code: undefined, problem: 'EACCES' }, 'warn', /EACCES/],
    ['absent', undefined, 'skip', /^no uv on PATH/],
  ])('%s', async (_, uv, status, message) => {
    const machine = createMachine({ programs: uv ? { 'uv --version': uv } : {} });
    expect(await runCheck(engineChecks, 'engine.uv', machine)).toMatchObject({ status, message: expect.stringMatching(message) });
  });
});

describe('engine.security', () => {
  const version = (text: string, ...sets: readonly string[]): Make => withProgram({ version: text }, ...sets);
  it.each<[string, Make, string, RegExp]>([
    ['the newest', installed, 'pass', /^vLLM 0\.32\.0 has none of the \d+ known holes$/],
    ['newer than the list', version('0.40.1'), 'pass', /none/],
    ['one before', version('0.31.0+cpu'), 'warn', /^vLLM 0\.31\.0 has 2 known holes$/],
    ['older, and open', version('0.30.0', 'server.host=0.0.0.0'), 'fail', /has 3 known holes, and 0\.0\.0\.0 can be reached/],
    ['before a hole came', version('0.7.0'), 'warn', /known holes/],
    ['of an image', () => createSubject('cpu', { sets: ['engine.version=0.30.0', 'engine.backend=docker'] }), 'warn', /0\.30\.0 has 3/],
    ['a program that does not tell', withProgram({}), 'skip', /no vLLM whose version is known/],
    ['the simulator', simulated, 'skip', /no vLLM/],
    ['no profile', none, 'skip', /no vLLM/],
  ])('%s', async (_, make, status, message) => {
    const subject = await make();
    const answer = await runCheck(engineChecks, 'engine.security', createMachine(subject ? { subject } : {}));
    expect(answer).toMatchObject({ status, message: expect.stringMatching(message) });
    if (status === 'warn' || status === 'fail') expect(answer.hint).toMatch(/^vLLM 0\.32\.0 or later/);
  });

  it('names them, and not those that came later', async () => {
    const subject = await createSubject('cpu', { sets: [executable], facts: { engines: [], executable: named({ version: '0.14.2' }) } });
    const { evidence } = await runCheck(engineChecks, 'engine.security', createMachine({ subject }));
    expect(evidence).toContain('CVE-2026-48746: < 0.22.0');
    expect(evidence.join('\n')).not.toMatch(/CVE-2026-115911|CVE-2026-22778/);
    expect(evidence.at(-1)).toMatch(/^osv\.dev .* \d{4}-\d\d-\d\d$/);
  });
});

describe('engine.version-known', () => {
  it('knows those that come with the program, and those that were read', async () => {
    const machine = createMachine({ subject: await createSubject('cpu') });
    const message = 'the settings of vLLM 0.32.0 are known';
    expect(await runCheck(engineChecks, 'engine.version-known', machine)).toMatchObject({ status: 'pass', message });
    const other = { ...machine, subject: await createSubject('cpu', { sets: ['engine.version=0.41.0'], facts: { engines: [] } }) };
    const answer = await runCheck(engineChecks, 'engine.version-known', other);
    expect(answer).toMatchObject({ status: 'warn', message: expect.stringMatching(/0\.41\.0 are not known/) });
    expect(answer.fix).toEqual({ is: 'command', command: 'qwen-deploy engine sync-flags 0.41.0' });
    mkdirSync(join(machine.places.data, 'flags'), { recursive: true });
    writeFileSync(join(machine.places.data, 'flags/0.41.0.json'), '{"schema": 1, "flags": {}, "groups": []}');
    expect(await runCheck(engineChecks, 'engine.version-known', other)).toMatchObject({
      status: 'pass',
      message: expect.stringMatching(/read/),
    });
  });

  it('is not asked without an engine', async () => {
    expect(await runCheck(engineChecks, 'engine.version-known', createMachine())).toMatchObject({ status: 'skip' });
  });
});

describe('engine.bytecode', () => {
  const subjectOf = async (machine: StandInMachine) => createSubject('cpu', { facts: { engines: await listEngines(machine.places) } });

  it.each([
    ['compiled', { compiled: true }, 'pass'],
    ['compiled since', { compiled: true, noted: false }, 'pass'],
    ['not compiled', { compiled: false, noted: false }, 'warn'],
    ['deleted since', { compiled: false }, 'warn'],
  ])('%s', async (_, how, status) => {
    const machine = createMachine();
    const directory = await putEngine(machine, 'cpu-0.32.0', how);
    const answer = await runCheck(engineChecks, 'engine.bytecode', { ...machine, subject: await subjectOf(machine) });
    expect(answer.status).toBe(status);
    expect(await runCheck(engineChecks, 'engine.bytecode', machine)).toEqual(answer);
    const command = `${directory}/venv/bin/python -m compileall -q -j 0 ${directory}/venv/lib`;
    expect(answer.fix).toEqual(status === 'warn' ? { is: 'command', command } : undefined);
  });

  it('takes what was noted where the packages are not found', async () => {
    const machine = createMachine();
    rmSync(join(await putEngine(machine, 'cpu-0.32.0', { noted: false }), 'venv/lib'), { recursive: true });
    expect(await runCheck(engineChecks, 'engine.bytecode', machine)).toMatchObject({ status: 'warn' });
  });

  it.each<[string, Make, string, RegExp]>([
    ['a program that may write', withProgram({ version: '0.32.0' }), 'pass', /beside it$/],
    ['a program that may not', withProgram({ version: '0.32.0', writable: false }), 'pass', /in our cache$/],
    ['nothing installed', missing, 'skip', /no vLLM/],
    ['the simulator', simulated, 'skip', /simulator/],
    ['no profile', none, 'skip', /no vLLM/],
  ])('%s', async (_, make, status, message) => {
    const subject = await make();
    const answer = await runCheck(engineChecks, 'engine.bytecode', createMachine(subject ? { subject } : {}));
    expect(answer).toMatchObject({ status, message: expect.stringMatching(message) });
  });
});
