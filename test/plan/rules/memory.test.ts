import { describe, expect, it } from 'vitest';
import { checkPlanRules } from '../../../src/plan/rules/index.ts';
import { toText } from '../../../src/text/render.ts';
import { factsWith } from '../known-gpus.ts';
import { load, machine, toGpu } from '../stand-ins.ts';

const on = (gibibytes: number) => factsWith([{ ...toGpu(0, 'NVIDIA L4', { gibibytes, capability: '8.9' }), memoryReservedBytes: 0 }]);

async function check(gibibytes: number, ...sets: readonly string[]) {
  return checkPlanRules(await load('int4', ...sets), on(gibibytes)).filter(({ code }) => code === 'plan/memory-tight');
}

describe('plan/memory-tight', () => {
  it('warns of what is too close to be sure, and says what would help', async () => {
    const [finding] = await check(5.3);
    expect(finding).toMatchObject({ severity: 'warning', path: 'vllm.gpu-memory-utilization', fix: { 'vllm.max-model-len': 6144 } });
    expect(finding && toText(finding.message)).toMatch(/^On GPU 0 \(NVIDIA L4\) it may just fit, or just not: 1\.\d GiB/);
    expect(finding?.hint && toText(finding.hint)).toBe('To be sure: shorter requests: --set vllm.max-model-len=6144.');
    expect(await check(5.3, 'vllm.max-model-len=6144')).toEqual([]);
  });

  it('has nothing to say where it fits, and leaves what does not to the refusal', async () => {
    expect(await check(8)).toEqual([]);
    expect(await check(4)).toEqual([]);
  });

  it('has nothing to say of a simulated engine or one on the CPU', async () => {
    const facts = on(5.3);
    expect(checkPlanRules(await load('int4'), { ...facts, backend: 'simulator' })).toEqual([]);
    expect(checkPlanRules(await load('tiny'), { ...machine, gpus: { is: 'present', gpus: [] } }).map(({ code }) => code)).not.toContain(
      'plan/memory-tight',
    );
  });
});
