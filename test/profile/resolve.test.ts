import { describe, expect, it } from 'vitest';
import { mergeLayers } from '../../src/profile/inherit.ts';
import { parseProfile } from '../../src/profile/parse.ts';
import { resolveProfile } from '../../src/profile/resolve.ts';

function resolve(text: string) {
  const { layer, findings } = parseProfile(text, 'p.yaml');
  if (layer === undefined) throw new Error(JSON.stringify(findings));
  return resolveProfile(mergeLayers([layer]), { name: 'p', source: 'p.yaml' });
}

function profileOf(text: string) {
  const resolved = resolve(text);
  if (!('profile' in resolved)) throw new Error(JSON.stringify(resolved.findings));
  return resolved.profile;
}

describe('resolveProfile', () => {
  it('gives every setting a value', () => {
    expect(profileOf('model: Qwen/Qwen3-0.6B')).toEqual({
      name: 'p',
      source: 'p.yaml',
      description: '',
      model: { id: 'Qwen/Qwen3-0.6B', source: 'hub' },
      servedNames: ['Qwen/Qwen3-0.6B'],
      quantization: 'auto',
      engine: { version: '0.32.0', variant: 'gpu', backend: 'auto', mounts: [], env: {} },
      vllm: {},
      resources: { gpus: 'auto', cpus: 'all' },
      server: { host: '127.0.0.1', port: 8000 },
      thinking: 'request',
      health: {
        startDeadlineMs: 1_800_000,
        startStallAfterMs: 300_000,
        downloadStallAfterMs: 120_000,
        gateTimeoutMs: 60_000,
        firstTokenTimeoutMs: 60_000,
        intervalMs: 5_000,
        timeoutMs: 5_000,
        chat: true,
        stallAfterMs: 120_000,
        canaryIntervalMs: 60_000,
      },
      restart: { maxFailures: 6, firstDelayMs: 2_000, maxDelayMs: 300_000, stableAfterMs: 600_000 },
      stop: { drainMs: 30_000 },
      logs: { maxSizeBytes: 100e6, keep: 5 },
      notify: [],
      lora: {},
      replicas: 1,
      labels: {},
      origins: { model: { from: 'profile', file: 'p.yaml', line: 1, column: 1 } },
    });
  });

  it('takes units to one unit', () => {
    const text =
      'model: a\nresources: {memory: 8GiB, shm: 512MB, cpus: 3, gpus: [0, GPU-1]}\nhealth: {start-deadline: 90s}\nrestart: {max-delay: 5m}\nstop: {drain: 1500ms}';
    expect(profileOf(text)).toMatchObject({
      resources: { memoryBytes: 8 * 2 ** 30, shmBytes: 512e6, cpus: '3', gpus: ['0', 'GPU-1'] },
      health: { startDeadlineMs: 90_000 },
      restart: { maxDelayMs: 300_000 },
      stop: { drainMs: 1_500 },
    });
  });

  it.each([
    [
      'a local checkpoint',
      'model: {path: /models/my-qwen}',
      { model: { id: 'my-qwen', source: 'local', path: '/models/my-qwen' }, servedNames: ['my-qwen'] },
    ],
    ['the miniature', 'model: {source: miniature}', { model: { id: 'miniature-qwen3', source: 'miniature' } }],
    ['no GPUs: the CPU engine', 'model: a\nresources: {gpus: none}', { engine: { variant: 'cpu' } }],
    ['the CPU engine: no GPUs', 'model: a\nengine: {variant: cpu}', { resources: { gpus: 'none' } }],
    ['thinking as a boolean', 'model: a\nthinking: false', { thinking: 'off' }],
    ['numbers as variables', 'model: a\nengine: {env: {A: 1}}', { engine: { env: { A: '1' } } }],
  ])('understands %s', (_, text, expected) => {
    expect(profileOf(text)).toMatchObject(expected);
  });

  it.each([
    ['no model', 'thinking: on', 'profile/no-model', 'model'],
    ['local without a path', 'model: {id: a, source: local}', 'profile/wrong-value', 'model.path'],
    ['a path for a hub model', 'model: {id: a, source: hub, path: /x}', 'profile/wrong-value', 'model.path'],
    ['GPUs for the CPU engine', 'model: a\nengine: {variant: cpu}\nresources: {gpus: [0]}', 'profile/conflict', 'resources.gpus'],
    ['no GPUs for the GPU engine', 'model: a\nengine: {variant: gpu}\nresources: {gpus: none}', 'profile/conflict', 'resources.gpus'],
  ])('refuses %s', (_, text, code, path) => {
    const resolved = resolve(text);
    expect('findings' in resolved && resolved.findings).toMatchObject([{ code, path, severity: 'error' }]);
  });
});
