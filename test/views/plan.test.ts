import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { say } from '../../src/core/message.ts';
import type { LaunchSpec } from '../../src/plan/launch-spec.ts';
import { type Planned, toPlanDocument } from '../../src/views/documents.ts';
import { renderPlan } from '../../src/views/plan.ts';
import { createScreen } from './samples.ts';

const { palette } = createScreen('plain').screen;

const spec: LaunchSpec = {
  backend: 'process',
  program: '/opt/my engines/vllm',
  args: ['serve', '/models/tiny', '--chat-template', "it's {{ messages }}", '--port', '8000'],
  env: { OMP_NUM_THREADS: '2', NOTE: 'a b' },
  secretEnv: { VLLM_API_KEY: 'env:MY_KEY', OTHER: 'file:/run/my secrets/key' },
  endpoint: { host: '127.0.0.1', port: 8000 },
  model: '/models/tiny',
  servedNames: ['Qwen3-0.6B'],
  resources: { cpus: '0-1' },
  drainMs: 30_000,
  health: {
    startDeadlineMs: 1,
    startStallAfterMs: 300_000,
    downloadStallAfterMs: 120_000,
    gateTimeoutMs: 1,
    firstTokenTimeoutMs: 1,
    intervalMs: 1,
    timeoutMs: 1,
    chat: true,
    stallAfterMs: 120_000,
    canaryIntervalMs: 60_000,
  },
  restart: { maxFailures: 6, firstDelayMs: 1, maxDelayMs: 1, stableAfterMs: 1 },
  engineVersion: '0.32.0',
  simulated: false,
  hash: '0123456789abcdef',
};

const planned: Planned = {
  spec,
  plan: {
    profile: 'tiny',
    name: 'tiny',
    description: 'A miniature',
    backend: 'process',
    simulated: false,
    engine: { version: '0.32.0', source: { kind: 'managed', variant: 'cpu', program: '/opt/my engines/vllm', installed: false } },
    model: '/models/tiny',
    decisions: [
      { setting: 'server.port', value: 8000, from: 'profile', reason: say('views.no-deployments') },
      { setting: 'vllm.compilation-config', value: { mode: 0 }, from: 'set', reason: say('views.no-engines') },
      { setting: 'vllm.enforce-eager', value: true, from: 'default', reason: say('views.no-deployments') },
    ],
    findings: [{ code: 'plan/odd', severity: 'warning', message: say('views.no-deployments'), path: 'vllm.x' }],
  },
  changes: [
    { path: 'vllm.max-model-len', from: 4096, to: 8192 },
    { path: 'vllm.enforce-eager', from: undefined, to: true },
  ],
};

test('as text', async () => {
  await expect(renderPlan(planned, palette)).toMatchFileSnapshot('../golden/views/plan.txt');
});

test('its last line can be pasted into a shell', () => {
  const line = renderPlan(planned, palette).trimEnd().split('\n').at(-1) ?? '';
  const script = line
    .replace("'/opt/my engines/vllm'", 'sh -c \'printf "%s|" "$@" "$OMP_NUM_THREADS" "$NOTE" "$VLLM_API_KEY"\' vllm')
    .replace(/OTHER=\S+ '[^']*'\)"/, '');
  const printed = execFileSync('sh', ['-c', script], { env: { ...process.env, MY_KEY: 'k 1' }, encoding: 'utf8' });
  expect(printed).toBe("serve|/models/tiny|--chat-template|it's {{ messages }}|--port|8000|2|a b|k 1|");
});

test('a container is shown as the line that makes it, whole and unchanged', () => {
  const containerLine = "docker run \\\n  --env NOTE='a\nb' \\\n  image\n";
  const text = renderPlan({ ...planned, containerLine }, palette);
  expect(text.endsWith(`\nContainer:\n${containerLine}`)).toBe(true);
  expect(text).not.toContain('Command:');
  const several = renderPlan({ ...planned, containerLine, replicas: [] }, palette);
  expect(several).toContain(`\nContainer of the first one:\n${containerLine}`);
});

test('no secret and no sentence of another kind in the document', () => {
  const document = toPlanDocument(planned);
  expect(document).toMatchObject({
    kind: 'Plan',
    version: 1,
    argv: ['/opt/my engines/vllm', ...spec.args],
    env: { OMP_NUM_THREADS: '2', VLLM_API_KEY: 'env:MY_KEY' },
    decisions: [
      { setting: 'server.port', value: 8000, from: 'profile', reason: 'There is no deployment. qwen-deploy up starts one.' },
      {},
      {},
    ],
    findings: [{ code: 'plan/odd', message: 'There is no deployment. qwen-deploy up starts one.' }],
    changes: [{ path: 'vllm.max-model-len', from: 4096, to: 8192 }, {}],
  });
});

test('the same as what runs', () => {
  expect(renderPlan({ ...planned, changes: [] }, palette)).toContain('nothing would be changed');
  const { changes: _, ...first } = planned;
  expect(renderPlan(first, palette)).not.toContain('changed');
});

test('a simulated plan says so', () => {
  const plan = {
    ...planned.plan,
    simulated: true,
    backend: 'simulator' as const,
    engine: { version: 'none', source: { kind: 'simulator' as const } },
  };
  expect(renderPlan({ plan, spec }, palette).split('\n')[0]).toContain('simulated');
});

test('replicas: what is different about each, and what would be stopped', () => {
  const endpoint = (port: number) => ({ host: '127.0.0.1', port });
  const several: Planned = {
    ...planned,
    replicas: [
      { name: 'tiny-1', endpoint: endpoint(8000), gpus: 'GPU-a', changes: [{ path: 'vllm.max-num-seqs', from: '8', to: '4' }] },
      { name: 'tiny-2', endpoint: endpoint(8001), gpus: 'GPU-b' },
    ],
    surplus: ['tiny-3'],
  };
  const text = renderPlan(several, palette);
  expect(text).toContain(
    'Replicas (2):\n  tiny-1 on 127.0.0.1:8000 (GPU-a)\n    vllm.max-num-seqs: 8 → 4\n  tiny-2 on 127.0.0.1:8001 (GPU-b)\n',
  );
  expect(text).toContain('does not ask for them any more: tiny-3\n');
  expect(text).toContain('Command of the first one:\n');
  expect(toPlanDocument(several)).toMatchObject({ replicas: [{ name: 'tiny-1' }, { name: 'tiny-2' }], surplus: ['tiny-3'] });
});
