import { describe, expect, it } from 'vitest';
import { toChanges } from '../../src/plan/diff.ts';
import { planDeployment } from '../../src/plan/make-plan.ts';
import { load, machine, places } from './stand-ins.ts';

async function specOf(name: string, ...sets: readonly string[]) {
  return planDeployment({ profile: await load(name, ...sets), name: 'x', facts: machine, places, simulatorEntry: '/sim.js' }).spec;
}

describe('toChanges', () => {
  it('finds nothing between equal launches', async () => {
    expect(toChanges(await specOf('tiny'), await specOf('tiny'))).toEqual([]);
  });

  it.each([
    ['a value', ['vllm.max-num-seqs=4'], [{ path: 'vllm.max-num-seqs', from: '8', to: '4' }]],
    ['a switch', ['vllm.enforce-eager=false'], [{ path: 'vllm.enforce-eager', from: true, to: false }]],
    ['something new', ['vllm.seed=1'], [{ path: 'vllm.seed', from: undefined, to: '1' }]],
    ['something gone', ['vllm.dtype='], [{ path: 'vllm.dtype', from: 'bfloat16', to: undefined }]],
    ['a list', ['served-names=[a]'], [{ path: 'served-names', from: ['Qwen3-0.6B', 'Qwen/Qwen3-0.6B', 'Qwen-0.6B'], to: 'a' }]],
    ['the port', ['server.port=9000'], [{ path: 'server.port', from: '8000', to: '9000' }]],
    ['a variable', ['engine.env.A=1'], [{ path: 'engine.env.A', from: undefined, to: '1' }]],
    ['a key', ['server.api-key=env:K'], [{ path: 'engine.env.VLLM_API_KEY', from: undefined, to: 'env:K' }]],
    ['a resource', ['resources.memory=8GiB'], [{ path: 'resources.memory', from: undefined, to: 8 * 2 ** 30 }]],
    ['a limit of health', ['health.first-token-timeout=90s'], [{ path: 'health.first-token-timeout', from: 60_000, to: 90_000 }]],
  ])('names %s as a person would set it', async (_, sets, expected) => {
    expect(toChanges(await specOf('tiny'), await specOf('tiny', ...sets))).toEqual(expected);
  });

  it('shows another engine and another model', async () => {
    const paths = toChanges(await specOf('tiny'), await specOf('demo')).map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['engine.backend', 'engine.version', 'engine.program', 'model', 'vllm.load-format']));
  });
});
