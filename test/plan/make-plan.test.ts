import { describe, expect, it } from 'vitest';
import type { Facts } from '../../src/plan/facts.ts';
import { type PlanRequest, planDeployment } from '../../src/plan/make-plan.ts';
import type { Profile } from '../../src/profile/profile.ts';
import { toText } from '../../src/text/render.ts';
import { load, machine, places, toEngine, toGpu } from './stand-ins.ts';

const simulatorEntry = '/opt/qwen-deploy/dist/simulator.js';

function plan(profile: Profile, facts: Partial<Facts> = {}, more: Partial<PlanRequest> = {}) {
  return planDeployment({ profile, name: profile.name, facts: { ...machine, ...facts }, places, simulatorEntry, ...more });
}

describe('planDeployment', () => {
  it('makes the command line of tiny', async () => {
    const { spec } = plan(await load('tiny'), { model: { is: 'miniature' } });
    expect([spec.program, ...spec.args].join(' ')).toBe(
      '/home/me/qwen/data/engines/cpu-0.32.0/venv/bin/vllm serve /home/me/qwen/data/models/miniature-qwen3-v1' +
        ' --host 127.0.0.1 --port 8000 --served-model-name Qwen3-0.6B Qwen/Qwen3-0.6B Qwen-0.6B' +
        ' --disable-access-log-for-endpoints /health,/metrics,/load --dtype bfloat16 --enable-server-load-tracking --enforce-eager' +
        ' --kv-cache-memory-bytes 64M --load-format dummy --max-model-len 4096 --max-num-seqs 8 --shutdown-timeout 10',
    );
    expect(spec.env).toEqual({
      DO_NOT_TRACK: '1',
      HF_HUB_OFFLINE: '1',
      PYTHONUNBUFFERED: '1',
      TRANSFORMERS_OFFLINE: '1',
      VLLM_CPU_CI_ENV: '1',
      VLLM_DISABLE_LOG_LOGO: '1',
      VLLM_LOGGING_COLOR: '0',
      VLLM_NO_USAGE_STATS: '1',
    });
  });

  it('makes the command line of demo, which runs nothing but ourselves', async () => {
    const { plan: made, spec } = plan(await load('demo'));
    expect(spec).toMatchObject({ backend: 'simulator', simulated: true, program: process.execPath, env: {}, engineVersion: 'simulated' });
    expect(spec.args.join(' ')).toBe(
      `${simulatorEntry} serve Qwen/Qwen3-0.6B --host 127.0.0.1 --port 8000 --served-model-name Qwen3-0.6B Qwen/Qwen3-0.6B` +
        ' --disable-access-log-for-endpoints /health,/metrics,/load --enable-server-load-tracking --max-model-len 4096 --max-num-seqs 8 --shutdown-timeout 5',
    );
    expect(made.engine).toEqual({ version: 'simulated', source: { kind: 'simulator' } });
  });

  it('makes the command line of fp8', async () => {
    const { spec } = plan(await load('fp8'));
    expect([spec.program, ...spec.args].join(' ')).toBe(
      '/home/me/qwen/data/engines/gpu-0.32.0/venv/bin/vllm serve Qwen/Qwen3-4B-FP8 --host 127.0.0.1 --port 8000 --served-model-name Qwen3-4B Qwen/Qwen3-4B' +
        ' --disable-access-log-for-endpoints /health,/metrics,/load --enable-server-load-tracking --gpu-memory-utilization 0.85' +
        ' --max-model-len 8192 --max-num-seqs 32 --reasoning-parser qwen3 --shutdown-timeout 30',
    );
    expect(spec.env).not.toHaveProperty('HF_HUB_OFFLINE');
    expect(spec.env).not.toHaveProperty('CUDA_VISIBLE_DEVICES');
  });

  it.each(['demo', 'tiny', 'cpu', 'fp16', 'int8', 'int4', 'fp8'])('has a reason for every word and every variable of %s', async (name) => {
    const { plan: made, spec } = plan(await load(name));
    const decided = made.decisions.map(({ setting }) => setting.replace(/^(argv|vllm|server|stop|env|engine\.env)\./, ''));
    const renamed: Readonly<Record<string, string>> = {
      'served-model-name': 'served-names',
      'shutdown-timeout': 'drain',
      'default-chat-template-kwargs': 'thinking',
    };
    const flags = spec.args.filter((word) => word.startsWith('--')).map((word) => word.slice(2));
    for (const flag of flags) expect(decided).toContain(renamed[flag] ?? flag);
    for (const variable of Object.keys(spec.env)) expect(decided).toContain(variable);
    for (const setting of ['program', 'model', 'engine.backend', 'engine.version', 'resources.cpus']) expect(decided).toContain(setting);
    for (const { reason } of made.decisions) expect(toText(reason)).not.toMatch(/\{\w+\}|^plan\./);
  });

  it('says where a value comes from', async () => {
    const { plan: made } = plan(await load('int4', 'vllm.max-model-len=4096'));
    const find = (setting: string) => made.decisions.find((decision) => decision.setting === setting);
    expect(find('vllm.max-model-len')).toMatchObject({ value: 4096, from: 'set' });
    expect(find('vllm.max-num-seqs')).toMatchObject({ value: 32, from: 'profile' });
    expect(find('model')).toMatchObject({ value: 'Qwen/Qwen3-4B-AWQ', from: 'profile' });
    expect(find('argv.enable-server-load-tracking')).toMatchObject({ value: true, from: 'default' });
    expect(find('resources.gpus')).toMatchObject({ value: ['0: NVIDIA L4'], from: 'machine' });
  });

  it.each([
    ['thinking=off', '{"enable_thinking":false}'],
    ['thinking=on', '{"enable_thinking":true}'],
    ['thinking=request', undefined],
  ])('%s', async (set, expected) => {
    const { spec } = plan(await load('int4', set));
    const at = spec.args.indexOf('--default-chat-template-kwargs');
    expect(at < 0 ? undefined : spec.args[at + 1]).toBe(expected);
    expect(spec.args.includes('--override-generation-config')).toBe(set === 'thinking=off');
  });

  it('joins the thinking switch with other arguments of the chat template', async () => {
    const { spec } = plan(await load('int4', 'thinking=off', 'vllm.default-chat-template-kwargs={style: brief}'));
    expect(spec.args).toContain('{"style":"brief","enable_thinking":false}');
  });

  it('always says how much memory the engine may have', async () => {
    const gpu = plan(await load('int4', 'vllm.gpu-memory-utilization='));
    expect(gpu.spec.args.join(' ')).toContain('--gpu-memory-utilization 0.85');
    const cpu = plan(await load('cpu', 'vllm.kv-cache-memory-bytes='));
    expect(cpu.spec.args.join(' ')).toContain('--kv-cache-memory-bytes 2048M');
    expect(cpu.plan.decisions.find(({ setting }) => setting === 'argv.kv-cache-memory-bytes')?.from).toBe('machine');
  });

  it('gives a version no flag that it does not have', async () => {
    expect(plan(await load('tiny', 'engine.version="0.19.1"')).spec.args).not.toContain('--shutdown-timeout');
  });

  it('keeps secrets out of everything but their reference', async () => {
    const { plan: made, spec } = plan(
      await load('tiny', 'server.api-key=env:QWEN_KEY', 'engine.env.MY_TOKEN=file:/run/token', 'engine.env.MODE=env:plain'),
    );
    expect(spec.secretEnv).toEqual({ MY_TOKEN: 'file:/run/token', VLLM_API_KEY: 'env:QWEN_KEY' });
    expect(spec.apiKey).toBe('env:QWEN_KEY');
    expect(spec.env.MODE).toBe('env:plain');
    expect(spec.args).not.toContain('--api-key');
    expect(made.decisions.find(({ setting }) => setting === 'server.api-key')?.value).toBe('env:QWEN_KEY');
  });

  it('says of a setting without effect that it has none', async () => {
    expect(
      plan(await load('tiny', 'health.stall-after=2m', 'fallback=[{profile: demo}]')).plan.findings.map(({ path, severity }) => [
        path,
        severity,
      ]),
    ).toEqual([
      ['fallback', 'info'],
      ['health.stall-after', 'info'],
    ]);
  });
});

describe('which engine', () => {
  it.each<[string, readonly string[], Partial<Facts>, object]>([
    ['the installed one', [], {}, { kind: 'managed', variant: 'cpu', installed: true }],
    [
      'the one to install',
      [],
      { engines: [toEngine('gpu'), toEngine('cpu', '0.31.0')] },
      { kind: 'managed', variant: 'cpu', installed: false, program: toEngine('cpu').program },
    ],
    [
      'the one on PATH when it fits',
      [],
      { engines: [], executable: { asked: 'path', path: '/opt/v/bin/vllm', version: '0.32.0', variant: 'cpu', writable: true } },
      { kind: 'executable', program: '/opt/v/bin/vllm' },
    ],
    [
      'not one on PATH of another version',
      [],
      { engines: [], executable: { asked: 'path', path: '/opt/v/bin/vllm', version: '0.30.0', variant: 'cpu', writable: true } },
      { kind: 'managed', installed: false },
    ],
    [
      'not one on PATH of the other kind',
      [],
      { engines: [], executable: { asked: 'path', path: '/opt/v/bin/vllm', version: '0.32.0', variant: 'gpu', writable: true } },
      { kind: 'managed', installed: false },
    ],
    [
      'ours before the one on PATH',
      [],
      { executable: { asked: 'path', path: '/opt/v/bin/vllm', version: '0.32.0', variant: 'cpu', writable: true } },
      { kind: 'managed', installed: true },
    ],
    [
      'the one named, always',
      ['engine.executable=/opt/v/bin/vllm'],
      { executable: { asked: 'profile', path: '/opt/v/bin/vllm', writable: true } },
      { kind: 'executable', program: '/opt/v/bin/vllm' },
    ],
  ])('%s', async (_, sets, facts, expected) => {
    expect(plan(await load('tiny', ...sets), facts).plan.engine.source).toMatchObject(expected);
  });

  it('keeps bytecode elsewhere only for an environment that cannot be written', async () => {
    const facts = (writable: boolean): Partial<Facts> => ({
      executable: { asked: 'profile', path: '/opt/v/bin/vllm', version: '0.32.0', variant: 'cpu', writable },
    });
    const profile = await load('tiny', 'engine.executable=/opt/v/bin/vllm');
    expect(plan(profile, facts(true)).spec.env).not.toHaveProperty('PYTHONPYCACHEPREFIX');
    expect(plan(profile, facts(false)).spec.env.PYTHONPYCACHEPREFIX).toBe('/home/me/qwen/cache/pycache');
  });
});

describe('which GPU', () => {
  const small = toGpu(0, 'Quadro P400', { gibibytes: 2, capability: '6.1' });
  const big = toGpu(1, 'NVIDIA A100', { gibibytes: 40, capability: '8.0' });
  const twin = toGpu(2, 'NVIDIA A100', { gibibytes: 40, capability: '8.0', freeGib: 1 });
  const three: Partial<Facts> = { gpus: { is: 'present', gpus: [small, big, twin] } };

  it.each<[string, readonly string[], Partial<Facts>, string | undefined]>([
    ['the largest that vLLM supports, whatever is free on it now', [], three, 'GPU-1'],
    ['as many as work together', ['vllm.tensor-parallel-size=2'], three, 'GPU-1,GPU-2'],
    ['those named, by index or UUID', ['resources.gpus=[2, GPU-1]'], three, 'GPU-2,GPU-1'],
    ['what the environment says stays as it is', [], { ...three, visibleGpus: '2' }, undefined],
    ['the only one needs no name', [], {}, undefined],
  ])('%s', async (_, sets, facts, expected) => {
    const { spec } = plan(await load('int4', ...sets), facts);
    expect(spec.env.CUDA_VISIBLE_DEVICES).toBe(expected);
    expect(spec.env.CUDA_DEVICE_ORDER).toBe(expected === undefined ? undefined : 'PCI_BUS_ID');
  });
});

describe('the hash', () => {
  it('is the same for the same launch, however it was written', async () => {
    const one = plan(await load('int4', 'vllm.seed=1', 'vllm.block-size=16')).spec;
    const two = plan(
      await load('int4', 'vllm.block-size=16', 'vllm.seed=1'),
      { cpus: [0], model: { is: 'hub', cached: false } },
      { name: 'other' },
    ).spec;
    expect(two).toEqual(one);
    expect(one.hash).toMatch(/^[0-9a-f]{16}$/);
  });

  it.each(['server.port=8001', 'vllm.seed=2', 'engine.env.A=1', 'resources.nice=5', 'health.interval=9s', 'served-names=[x]'])(
    'changes with %s',
    async (set) => {
      expect(plan(await load('int4', set)).spec.hash).not.toBe(plan(await load('int4')).spec.hash);
    },
  );
});
