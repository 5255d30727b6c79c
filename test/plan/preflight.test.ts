import { describe, expect, it } from 'vitest';
import { say } from '../../src/core/message.ts';
import type { DockerFacts } from '../../src/plan/docker-facts.ts';
import type { Facts } from '../../src/plan/facts.ts';
import { checkPlan } from '../../src/plan/preflight.ts';
import { checkDocker } from '../../src/plan/preflight-docker.ts';
import type { Profile } from '../../src/profile/profile.ts';
import { toErrorText } from '../../src/text/render.ts';
import { l4, load, machine, toGpu } from './stand-ins.ts';

const gpus = (...all: readonly (typeof l4)[]): Partial<Facts> => ({ gpus: { is: 'present', gpus: all } });
const absent: Facts['gpus'] = { is: 'absent', evidence: say('gpu.no-smi') };
const toDocker = (engine: DockerFacts['engine'], more: Partial<DockerFacts> = {}): DockerFacts => ({
  engine,
  reference: 'vllm/vllm-openai:v0.32.0',
  loadBytes: 1.5 * 2 ** 30,
  hubCache: '/cache/hub',
  ...more,
});
const present: DockerFacts['engine'] = { is: 'present', socket: '/run/x.sock', version: '27.0.0', apiVersion: '1.46', runtimes: ['runc'] };
const taken: Facts['port'] = { is: 'taken', free: 8001, owner: { pid: 42, command: 'node server.js' } };

async function check(name: string, sets: readonly string[], facts: Partial<Facts>) {
  return checkPlan(await load(name, ...sets), { ...machine, ...facts });
}

describe('checkPlan', () => {
  it.each(['demo', 'tiny', 'cpu', 'fp16', 'int8', 'int4', 'fp8'])(
    'finds nothing against %s on a machine that has everything',
    async (name) => {
      expect(await check(name, [], {})).toBeUndefined();
    },
  );

  it.each<[DockerFacts['engine'], string]>([
    [{ is: 'silent', socket: '/run/x.sock', problem: 'ETIMEDOUT' }, 'docker/silent'],
    [{ is: 'silent', socket: '/run/x.sock', problem: 'ECONNREFUSED' }, 'docker/unreachable'],
    [{ is: 'unusable', socket: 'fd://', problem: 'EPROTONOSUPPORT' }, 'docker/bad-address'],
    [{ is: 'unusable', socket: 'work', problem: 'ENOENT' }, 'docker/no-context'],
  ])('refuses to launch in %j', (engine, code) => {
    expect(checkDocker({ engine: { variant: 'cpu' } } as Profile, { docker: toDocker(engine) } as Facts)).toMatchObject({ code });
  });

  it.each<[string, string, readonly string[], Partial<Facts>, string]>([
    ['no GPU', 'int4', [], { gpus: absent }, 'host/no-gpu'],
    [
      'a GPU that does not answer',
      'int4',
      [],
      { gpus: { is: 'silent', signs: ['/dev/nvidia0'], evidence: say('gpu.smi-hangs', { seconds: 10 }) } },
      'host/gpu-silent',
    ],
    ['an old GPU', 'int4', [], gpus(toGpu(0, 'Tesla V100', { gibibytes: 32, capability: '7.0' })), 'host/gpu-unsupported'],
    ['a GPU that is too small', 'fp8', [], gpus(toGpu(0, 'RTX 2060', { gibibytes: 6, capability: '7.5' })), 'host/gpu-small'],
    ['a cache that holds no request', 'int4', ['vllm.kv-cache-memory-bytes=512M'], {}, 'host/gpu-cache'],
    ['a GPU that is full', 'int4', [], gpus(toGpu(0, 'NVIDIA L4', { gibibytes: 22.5, capability: '8.9', freeGib: 2 })), 'host/gpu-memory'],
    [
      'a share that is not free',
      'int4',
      [],
      gpus(toGpu(0, 'NVIDIA L4', { gibibytes: 22.5, capability: '8.9', freeGib: 12 })),
      'host/gpu-share',
    ],
    ['a GPU that is not there', 'int4', ['resources.gpus=[3]'], {}, 'host/gpu-unknown'],
    ['too few GPUs', 'int4', ['vllm.tensor-parallel-size=2'], {}, 'host/gpu-count'],
    ['no Docker', 'tiny', [], { backend: 'docker', docker: toDocker({ is: 'absent', socket: '/run/x.sock' }) }, 'docker/absent'],
    [
      'a Docker of others',
      'tiny',
      [],
      { backend: 'docker', docker: toDocker({ is: 'forbidden', socket: '/run/x.sock', problem: 'EACCES' }) },
      'docker/forbidden',
    ],
    ['a Docker without GPUs', 'int4', [], { backend: 'docker', docker: toDocker(present) }, 'docker/gpu-runtime'],
    ['a port that is taken', 'tiny', [], { port: taken }, 'runtime/port-taken'],
    ['a port that is taken, for the simulator', 'demo', [], { backend: 'simulator', port: taken }, 'runtime/port-taken'],
    ['a low port', 'tiny', [], { port: { is: 'forbidden' } }, 'runtime/port-forbidden'],
    ['a foreign address', 'tiny', [], { port: { is: 'bad-address' } }, 'runtime/bad-address'],
    ['CPUs that are not there', 'tiny', ['resources.cpus=2-5'], {}, 'host/cpus'],
    ['no such model directory', 'tiny', ['model=/x'], { model: { is: 'local', problem: say('plan.does-not-exist') } }, 'model/missing'],
    [
      'no such adapter',
      'lora',
      ['lora.support=/x/support'],
      { adapters: [{ name: 'support', path: '/x/support', problem: say('plan.no-adapter-config') }] },
      'model/adapter',
    ],
    [
      'no such program',
      'tiny',
      ['engine.executable=/x/vllm'],
      { executable: { asked: 'profile', path: '/x/vllm', problem: say('plan.does-not-exist') } },
      'engine/no-executable',
    ],
    [
      'a program of another version',
      'tiny',
      ['engine.executable=/x/vllm'],
      { executable: { asked: 'profile', path: '/x/vllm', version: '0.30.0', writable: true } },
      'engine/version-mismatch',
    ],
  ])('refuses %s', async (_, name, sets, facts, code) => {
    const error = await check(name, sets, facts);
    expect(error).toMatchObject({ code, exitStatus: 4 });
    const { message, hint } = error ? toErrorText(error) : { message: '{}', hint: '' };
    expect(`${message} ${hint}`).not.toMatch(/\{\w+\}|\[object/);
  });

  it.each([
    ['without a key', [], /^server\.host 0\.0\.0\.0 is open to the network, and no server\.api-key/],
    ['with code of the model', ['server.api-key=env:KEY', 'vllm.trust-remote-code=true'], /trust-remote-code runs programs/],
    ['with routes for developers', ['server.api-key=env:KEY', 'engine.env.VLLM_SERVER_DEV_MODE=1'], /VLLM_SERVER_DEV_MODE adds routes/],
  ])('refuses to be reached by others %s', async (_, sets, message) => {
    const error = await check('tiny', ['server.host=0.0.0.0', ...sets], {});
    expect(error).toMatchObject({ code: 'profile/exposed', exitStatus: 3 });
    expect(error && toErrorText(error).message).toMatch(message);
    expect(error && toErrorText(error).hint).toMatch(/127\.0\.0\.1/);
    expect(await check('tiny', ['server.host=127.0.0.2', ...sets], {})).toBeUndefined();
  });

  it('lets others reach what has a key', async () => {
    expect(await check('tiny', ['server.host=0.0.0.0', 'server.api-key=env:KEY'], {})).toBeUndefined();
  });

  it('says what would make it fit', async () => {
    const small = await check('thinking', [], gpus(toGpu(0, 'NVIDIA L4', { gibibytes: 8, capability: '8.9' })));
    expect(small && toErrorText(small).hint).toBe('What would help: shorter requests: --set vllm.max-model-len=11264.');
    const large = await check('fp8', ['model=Qwen/Qwen3-32B'], {});
    expect(large && toErrorText(large).hint).toBe('What would help: a smaller profile (qwen-deploy profiles list).');
  });

  it('says what is needed, as the manual shows it', async () => {
    const error = await check('int4', [], { gpus: absent });
    expect(error && toErrorText(error)).toEqual({
      message: 'This machine has no NVIDIA GPU that answers: nvidia-smi is not installed.',
      hint: 'int4 needs one with ≥ 4.6 GiB free. Without a GPU: --profile tiny (real vLLM on the CPU) or --profile demo (simulated).',
    });
  });

  it('names who holds the port, and a free one', async () => {
    const error = await check('tiny', [], { port: taken });
    expect(error && toErrorText(error)).toEqual({
      message: 'Port 8000 on 127.0.0.1 is taken by process 42 (node server.js).',
      hint: 'Choose another: --set server.port=8001',
    });
  });

  it('cuts a command line that is too long to read', async () => {
    const error = await check('tiny', [], { port: { ...taken, owner: { pid: 42, command: `node \n ${'x'.repeat(500)}` } } });
    expect(error && toErrorText(error).message).toBe(`Port 8000 on 127.0.0.1 is taken by process 42 (node ${'x'.repeat(75)}…).`);
  });

  it.each<[string, string, readonly string[], Partial<Facts>]>([
    ['the CPU engine on a machine with a silent GPU', 'tiny', [], { gpus: { is: 'silent', signs: [], evidence: say('gpu.no-smi') } }],
    ['a GPU that does not tell its memory', 'int4', [], gpus({ index: 0, name: 'NVIDIA GB10', computeCapability: '12.1' })],
    ['a borderline estimate', 'int4', [], gpus(toGpu(0, 'RTX 2060', { gibibytes: 5.3, capability: '7.5', freeGib: 5.2 }))],
    ['a part of a GPU that the environment names', 'int4', [], { ...gpus(l4), visibleGpus: 'MIG-1' }],
    [
      'an explicit cache instead of a share',
      'int4',
      ['vllm.kv-cache-memory-bytes=2G'],
      gpus(toGpu(0, 'NVIDIA L4', { gibibytes: 22.5, capability: '8.9', freeGib: 8 })),
    ],
    [
      'a program on PATH of another version, which nobody asked for',
      'tiny',
      [],
      { executable: { asked: 'path', path: '/x/vllm', version: '0.30.0', writable: true } },
    ],
  ])('lets pass %s', async (_, name, sets, facts) => {
    expect(await check(name, sets, facts)).toBeUndefined();
  });

  it('holds nothing against a deployment that it may have taken itself', async () => {
    const facts: Facts = { ...machine, ...gpus(toGpu(0, 'NVIDIA L4', { gibibytes: 22.5, capability: '8.9', freeGib: 1 })), port: taken };
    expect(checkPlan(await load('int4'), facts, { running: true })).toBeUndefined();
    expect(checkPlan(await load('int4'), facts)?.code).toBe('host/gpu-memory');
  });
});
