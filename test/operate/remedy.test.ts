import { describe, expect, test } from 'vitest';
import { DeployError } from '../../src/core/error.ts';
import type { DeployEvent } from '../../src/core/event.ts';
import type { Diagnosis, Remedy } from '../../src/core/finding.ts';
import { say } from '../../src/core/message.ts';
import { type Doors, mend } from '../../src/operate/remedy.ts';
import type { Trial } from '../../src/operate/remedy-choice.ts';
import type { SettledUp } from '../../src/operate/settle-up.ts';
import type { UpRequest } from '../../src/operate/up.ts';
import type { LaunchSpec } from '../../src/plan/launch-spec.ts';
import type { Deployment } from '../../src/supervisor/deployment.ts';
import type { Fix } from '../../src/supervisor/state.ts';

type Asked = SettledUp<UpRequest>;
type Settings = Fix['set'];

const asked: Asked = {
  name: 'chat',
  profile: 'mine',
  chosen: { ref: 'mine', auto: false },
  sets: [],
  fixes: [],
  install: true,
  wait: true,
  yes: false,
  rollback: true,
  foreground: false,
};
const ready = { kind: 'Deployment', name: 'chat', state: 'ready' } as Deployment;
const written: Settings = { 'vllm.max-model-len': 32_768, 'vllm.max-num-seqs': 64 };

/** What is launched with the written settings and those of `--fix`. */
function toSpec(fixes: readonly Pick<Fix, 'set'>[]): LaunchSpec {
  const settings: Settings = Object.assign({}, written, ...fixes.map(({ set }) => set));
  const flags = Object.entries(settings).filter(([path, value]) => path.startsWith('vllm.') && value !== null);
  const args = ['serve', 'Qwen/Qwen3-0.6B', ...flags.flatMap(([path, value]) => [`--${path.slice(5)}`, String(value)])];
  const rest = {
    backend: 'process',
    program: 'vllm',
    env: {},
    secretEnv: {},
    resources: {},
    health: {},
    restart: {},
    engineVersion: '0.32.0',
  };
  return { ...rest, args } as unknown as LaunchSpec;
}

function diagnose(...remedies: readonly (Settings | undefined)[]): Diagnosis {
  const toRemedy = (set: Settings | undefined): Remedy => ({ text: say('plan.sentence', { text: 'x' }), ...(set ? { set } : {}) });
  return {
    cause: 'kv_cache_too_small',
    title: say('plan.sentence', { text: 'KV cache too small' }),
    permanent: true,
    confidence: 'sure',
    evidence: [],
    remedies: remedies.map(toRemedy),
  };
}

function fail(...remedies: readonly (Settings | undefined)[]): DeployError {
  return DeployError.of('engine/failed', { name: 'chat', line: 'ValueError' }, { diagnosis: diagnose(...remedies) });
}

interface Setup {
  /** What each start ends in; the last one again and again. */
  readonly starts: readonly (DeployError | undefined)[];
  readonly plan?: (fixes: readonly Pick<Fix, 'set'>[]) => Partial<Trial>;
  readonly fix?: boolean;
  readonly canMend?: boolean;
  readonly confirm?: () => Promise<boolean>;
}

async function run({ starts, plan = () => ({}), fix = true, canMend = true, confirm = async () => false }: Setup) {
  const said: DeployEvent[] = [];
  const started: Asked[] = [];
  const doors: Doors = {
    async start(request) {
      started.push(request);
      const error = starts[Math.min(started.length, starts.length) - 1];
      if (error) throw error;
      return ready;
    },
    try: async ({ fixes }) => ({ spec: toSpec(fixes), problems: [], blockers: [], ...plan(fixes) }),
    now: () => new Date('2026-11-21T10:00:00Z'),
  };
  const context = { emit: (event: DeployEvent) => void said.push(event), confirm, signal: new AbortController().signal };
  const outcome = await mend(asked, { fix, canMend, ...doors }, context).catch((error: unknown) => error);
  const lines = said.flatMap((event) => (event.type === 'said' ? [event.text] : []));
  return { outcome, started, lines, ids: lines.map(({ id }) => id) };
}

describe('--fix', () => {
  test('the best remedy that sets something is made, shown, and kept with its cause', async () => {
    const { outcome, started, lines } = await run({ starts: [fail(undefined, { 'vllm.max-model-len': 8192 }), undefined] });
    const fix = {
      set: { 'vllm.max-model-len': 8192 },
      cause: 'kv_cache_too_small',
      at: '2026-11-21T10:00:00.000Z',
      changes: [{ path: 'vllm.max-model-len', from: '32768', to: '8192' }],
    };
    expect(outcome).toMatchObject({ deployed: ready, made: [fix] });
    expect(started.map(({ fixes, yes }) => ({ fixes, yes }))).toEqual([
      { fixes: [], yes: false },
      { fixes: [fix], yes: true },
    ]);
    expect(lines.at(-1)).toEqual(say('remedy.change', { path: 'vllm.max-model-len', from: '32768', to: '8192' }));
  });

  test('null takes a setting away', async () => {
    const { started } = await run({ starts: [fail({ 'vllm.max-num-seqs': null }), undefined] });
    expect(started[1]?.fixes[0]).toMatchObject({ changes: [{ path: 'vllm.max-num-seqs', from: '64', to: undefined }] });
  });

  test('a remedy that would be refused, or changes nothing, gives way to the next', async () => {
    const refused = (fixes: readonly Pick<Fix, 'set'>[]) =>
      fixes.some(({ set }) => 'vllm.block-size' in set) ? { problems: ['profile/block-on-cpu vllm.block-size'] } : {};
    const remedies = [{ 'vllm.block-size': 7 }, { 'vllm.max-num-seqs': 64 }, { 'vllm.max-model-len': 4096 }];
    const { started } = await run({ starts: [fail(...remedies), undefined], plan: refused });
    expect(started[1]?.fixes.map(({ set }) => set)).toEqual([{ 'vllm.max-model-len': 4096 }]);
  });

  test('the same remedy is made once, and all that was tried is said', async () => {
    const { outcome, started } = await run({ starts: [fail({ 'vllm.max-model-len': 8192 }, { 'vllm.max-num-seqs': 8 })] });
    expect(started).toHaveLength(3);
    expect(outcome).toMatchObject({ code: 'engine/not-mended', exitStatus: 5, diagnosis: { cause: 'kv_cache_too_small' } });
    expect((outcome as DeployError).params.tried).toBe(
      'vllm.max-model-len 8192 for kv_cache_too_small; vllm.max-num-seqs 8 for kv_cache_too_small',
    );
  });

  test('what did not help is not done again before something else was tried', async () => {
    const starts = [8192, 4096].map((length) => fail({ 'vllm.max-model-len': length }, { 'vllm.max-num-seqs': 8 }));
    const { started } = await run({ starts: [...starts, undefined] });
    expect(started.at(-1)?.fixes.map(({ set }) => set)).toEqual([{ 'vllm.max-model-len': 8192 }, { 'vllm.max-num-seqs': 8 }]);
  });

  test('three changes are the most', async () => {
    const { started } = await run({ starts: [fail(...[8, 4, 2, 1, 16].map((seqs) => ({ 'vllm.max-num-seqs': seqs })))] });
    expect(started).toHaveLength(4);
  });

  test.each<[string, Settings]>([
    ['a key', { 'server.api-key': 'env:KEY' }],
    ['a token of the hub', { 'engine.env.HF_TOKEN': 'abc' }],
    ['a path', { 'vllm.chat-template': '/models/chat.jinja' }],
    ['a model', { 'model.path': 'x' }],
    ['a blank to be filled', { 'vllm.tool-call-parser': '<PARSER>' }],
  ])('%s is never made up', async (_, set) => {
    const error = fail(set);
    const { outcome, started } = await run({ starts: [error, undefined] });
    expect(started).toHaveLength(1);
    expect(outcome).toBe(error);
  });

  test('what findings offer is tried all together first', async () => {
    const about = { severity: 'error', message: say('plan.sentence', { text: 'x' }) } as const;
    const findings = [
      { ...about, code: 'profile/a', fix: { 'vllm.max-num-seqs': 8 } },
      { ...about, code: 'profile/b', fix: { 'vllm.max-model-len': 4096 } },
      { ...about, code: 'profile/c', severity: 'warning', fix: { 'vllm.seed': 1 } } as const,
    ];
    const refused = DeployError.of('plan/refused', { name: 'chat', count: 2 }, { findings });
    const plan = (fixes: readonly unknown[]) => (fixes.length === 0 ? { problems: ['a', 'b'] } : {});
    const { started } = await run({ starts: [refused, undefined], plan });
    expect(started[1]?.fixes).toMatchObject([{ set: { 'vllm.max-num-seqs': 8, 'vllm.max-model-len': 4096 }, cause: 'profile/a' }]);
  });

  test('of a taken port our own check knows a free one', async () => {
    const taken = DeployError.of('runtime/port-taken', { port: 8000, host: '127.0.0.1', owner: 'x', free: 8001 });
    const plan = (fixes: readonly Pick<Fix, 'set'>[]) =>
      fixes.length === 0 ? { problems: [taken.code], blockers: [taken] } : { problems: [] };
    // The stand-in plan has no port of its own, so that something else has to differ.
    const both = (fixes: readonly Pick<Fix, 'set'>[]) => ({ ...plan(fixes), spec: { ...toSpec([]), program: `vllm${fixes.length}` } });
    const { started } = await run({ starts: [taken, undefined], plan: both });
    expect(started[1]?.fixes[0]?.set).toEqual({ 'server.port': 8001 });
  });

  test('what was called off or asked wrongly is no failure to be cured', async () => {
    const error = DeployError.of('confirm/declined', { option: '--yes' });
    expect(await run({ starts: [error] })).toMatchObject({ outcome: error, ids: [] });
  });
});

describe('without --fix', () => {
  const starts = [fail({ 'vllm.max-model-len': 8192 }), undefined];

  test('it is asked, and yes starts again', async () => {
    const { outcome, ids } = await run({ starts, fix: false, confirm: async () => true });
    expect(outcome).toMatchObject({ deployed: ready });
    expect(ids).toEqual(['remedy.failed', 'remedy.proposal', 'remedy.change']);
  });

  test('no is the failure itself', async () => {
    expect(await run({ starts, fix: false })).toMatchObject({ outcome: { code: 'engine/failed' }, started: [asked] });
  });

  test('without a terminal nothing is asked, and the command is named', async () => {
    const confirm = async () => {
      throw DeployError.of('confirm/needed', { question: '?', option: '--fix' });
    };
    const { outcome, lines } = await run({ starts, fix: false, confirm });
    expect(outcome).toMatchObject({ code: 'engine/failed' });
    expect(lines.at(-1)).toEqual(say('remedy.hint', { name: 'chat' }));
  });

  test('of a refusal nothing is asked', async () => {
    const taken = DeployError.of('runtime/port-taken', { port: 8000, host: '127.0.0.1', owner: 'x', free: 8001 });
    expect(await run({ starts: [taken], fix: false, confirm: async () => true })).toMatchObject({ outcome: taken, ids: [] });
  });

  test('who does not wait is not asked', async () => {
    expect(await run({ starts, fix: false, canMend: false, confirm: async () => true })).toMatchObject({ started: [asked], ids: [] });
  });
});
