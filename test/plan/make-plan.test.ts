import { describe, expect, it } from 'vitest';
import { say } from '../../src/core/message.ts';
import type { Facts } from '../../src/plan/facts.ts';
import { type PlanRequest, planDeployment } from '../../src/plan/make-plan.ts';
import type { Profile } from '../../src/profile/profile.ts';
import { toText } from '../../src/text/render.ts';
import { load, machine, places, toEngine, toGpu } from './stand-ins.ts';

const l4Like = { gibibytes: 22.5, capability: '8.9' };
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
      VLLM_HOST_IP: '127.0.0.1',
      VLLM_LOGGING_COLOR: '0',
      VLLM_MAX_N_SEQUENCES: '64',
      VLLM_NO_USAGE_STATS: '1',
    });
  });

  it('takes the value of a variable from the profile where it has one', async () => {
    const { spec, plan: made } = plan(await load('tiny', 'engine.env.VLLM_MAX_N_SEQUENCES=8'));
    expect(spec.env.VLLM_MAX_N_SEQUENCES).toBe('8');
    expect(made.decisions.map(({ setting }) => setting)).not.toContain('env.VLLM_MAX_N_SEQUENCES');
  });

  it.each([
    ['an older vLLM, with a key', ['engine.version="0.31.0"', 'server.api-key=env:KEY'], '[]'],
    [
      'an older vLLM, where the profile says it',
      ['engine.version="0.31.0"', 'server.api-key=env:KEY', 'vllm.allowed-origins=["https://a.example"]'],
      'https://a.example',
    ],
    ['an older vLLM, without a key', ['engine.version="0.31.0"'], undefined],
    ['one that has it so by itself', ['server.api-key=env:KEY'], undefined],
  ])('lets no pages of other sites use a key: %s', async (_, sets, expected) => {
    const { args } = plan(await load('tiny', ...sets)).spec;
    const at = args.indexOf('--allowed-origins');
    expect(at < 0 ? undefined : args[at + 1]).toBe(expected);
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
      plan(await load('tiny', 'resources.shm=2GiB', 'fallback=[{profile: demo}]')).plan.findings.map(({ path, severity }) => [
        path,
        severity,
      ]),
    ).toEqual([['resources.shm', 'info']]);
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

describe('LoRA adapters', () => {
  const flags = async (sets: readonly string[], facts: Partial<Facts> = {}) => {
    const { args } = plan(await load('int4', ...sets), facts).spec;
    const words = args.join(' ');
    return { words, modules: args.slice(args.indexOf('--lora-modules') + 1).slice(0, sets.length) };
  };

  it('are given by name and path, and switch LoRA on', async () => {
    const { words, modules } = await flags(['lora.support=/srv/support', 'lora.legal=somebody/legal-lora']);
    expect(modules).toEqual(['support=/srv/support', 'legal=somebody/legal-lora']);
    expect(words).toContain(' --enable-lora ');
    expect(words).toContain(' --max-loras 2 ');
    expect(words).not.toContain('--max-lora-rank');
  });

  it('are JSON where NAME=PATH would be read as something else', async () => {
    const adapter = 'lora.support={path: "/srv/a,b", base-model: Qwen/Qwen3-4B}';
    expect((await flags([adapter])).modules).toEqual(['{"name":"support","path":"/srv/a,b","base_model_name":"Qwen/Qwen3-4B"}']);
    expect((await flags(['lora.support="/srv/a,b"'])).modules).toEqual(['{"name":"support","path":"/srv/a,b"}']);
  });

  it('bring the rank that the largest of them needs', async () => {
    const adapters = [
      { name: 'a', path: '/a', rank: 8 },
      { name: 'b', path: '/b', rank: 24 },
    ];
    expect((await flags(['lora.a=/a', 'lora.b=/b'], { adapters })).words).toContain(' --max-lora-rank 32 ');
    expect((await flags(['lora.a=/a', 'lora.b=/b', 'vllm.max-lora-rank=64'], { adapters })).words).toContain(' --max-lora-rank 64 ');
  });

  it('that are missing are said where LoRA is on', async () => {
    const codes = (profile: Profile) => plan(profile).plan.findings.map(({ code, severity }) => `${severity} ${code}`);
    expect(codes(await load('lora'))).toEqual(['warning plan/no-adapter']);
    expect(codes(await load('lora', 'lora.support=/srv/support'))).toEqual([]);
  });
});

describe('several GPUs', () => {
  const four = { gpus: { is: 'present', gpus: [0, 1, 2, 3].map((index) => toGpu(index, 'NVIDIA L4', l4Like)) } } as const;
  const see = async (...sets: string[]) => {
    const { spec } = plan(await load('fp8', ...sets), four);
    return [spec.args.join(' ').match(/--tensor-parallel-size \d/)?.[0], spec.env.CUDA_VISIBLE_DEVICES];
  };

  it.each<[string, readonly string[], readonly (string | undefined)[]]>([
    ['are used together when a number asks for them', ['resources.gpus=2'], ['--tensor-parallel-size 2', 'GPU-0,GPU-1']],
    ['are used together when a list names them', ['resources.gpus=[1, 3]'], ['--tensor-parallel-size 2', 'GPU-1,GPU-3']],
    ['are used as the profile says', ['resources.gpus=2', 'vllm.pipeline-parallel-size=2'], [undefined, 'GPU-0,GPU-1']],
    ['are as many as the profile spreads over', ['vllm.tensor-parallel-size=4'], ['--tensor-parallel-size 4', undefined]],
    ['are left alone when one is enough', ['resources.gpus=1'], [undefined, 'GPU-0']],
  ])('%s', async (_, sets, expected) => {
    expect(await see(...sets)).toEqual(expected);
  });

  it('say why they are spread over', async () => {
    const { plan: made } = plan(await load('fp8', 'resources.gpus=2'), four);
    const find = (setting: string) => made.decisions.find((decision) => decision.setting === setting);
    expect(toText(find('argv.tensor-parallel-size')?.reason ?? say('plan.written'))).toMatch(/gives it 2 GPUs/);
    expect(find('resources.gpus')).toMatchObject({ value: ['0: NVIDIA L4', '1: NVIDIA L4'], from: 'profile' });
  });
});

describe('memory', () => {
  it('asks for no more of the GPU than it needs when the cache has a size of its own', async () => {
    const { spec, plan: made } = plan(await load('int4', 'vllm.gpu-memory-utilization=', 'vllm.kv-cache-memory-bytes=2G'));
    expect(spec.args.join(' ')).toContain('--gpu-memory-utilization 0.25 --kv-cache-memory-bytes 2G');
    expect(made.decisions).toContainEqual(expect.objectContaining({ setting: 'argv.gpu-memory-utilization', from: 'machine' }));
  });
});

describe('limits', () => {
  it('of processes and open files are a part of what is launched', async () => {
    const { spec, plan: made } = plan(await load('tiny', 'resources.pids=512', 'resources.nofile=65536', 'resources.shm=1GiB'));
    expect(spec.resources).toEqual({ pids: 512, nofile: 65_536 });
    expect(made.decisions).toContainEqual(expect.objectContaining({ setting: 'resources.pids', value: 512, from: 'set' }));
    expect(made.decisions).toContainEqual(expect.objectContaining({ setting: 'resources.nofile', value: 65_536, from: 'set' }));
    expect(made.findings).toContainEqual(expect.objectContaining({ code: 'profile/no-effect', path: 'resources.shm' }));
  });
});

describe('a GPU that is not here', () => {
  const assumed = { gpusAssumed: true } as const;

  it('is said to be assumed', async () => {
    const { plan: made } = plan(await load('fp8'), assumed);
    expect(made.findings).toMatchObject([{ code: 'plan/gpu-assumed', severity: 'info' }]);
    expect(toText(made.findings[0]?.message ?? say('plan.written'))).toContain('NVIDIA L4, 22.5 GiB, 8.9');
    expect(made.decisions).toContainEqual(expect.objectContaining({ setting: 'resources.gpus', from: 'set' }));
  });

  it('changes nothing for what uses none, and that is said', async () => {
    const { plan: made } = plan(await load('tiny'), assumed);
    expect(toText(made.findings[0]?.message ?? say('plan.written'))).toBe('--gpu changes nothing here: tiny uses no GPU.');
  });
});
