/** `plan` for machines that are not here, and of what cannot work. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSandbox, freePort, root, type Sandbox } from './sandbox.ts';

let box: Sandbox;
beforeAll(async () => {
  box = await createSandbox();
});
afterAll(() => box.dispose());

const plan = (...args: string[]) => box.cli('plan', ...args, '-o', 'json');

describe('plan --gpu', () => {
  it('plans for a card that is not here, and says so', async () => {
    const result = await plan('-p', 'tp2', '--gpu', '2x RTX 4090');
    expect(result.code, result.stderr).toBe(0);
    expect(result.json()).toMatchObject({
      kind: 'Plan',
      argv: expect.arrayContaining(['--tensor-parallel-size', '2']),
      decisions: expect.arrayContaining([expect.objectContaining({ setting: 'resources.gpus', value: ['0: RTX 4090', '1: RTX 4090'] })]),
      findings: expect.arrayContaining([expect.objectContaining({ code: 'plan/gpu-assumed', severity: 'info' })]),
    });
    const text = (await box.cli('plan', '-p', 'tp2', '--gpu', '2x RTX 4090')).stdout;
    expect(text).toContain('Planned for 2x RTX 4090, 24.0 GiB, 8.9. The GPU is assumed');
  });

  it('chooses the profile for that card', async () => {
    const chosen = async (gpu: string) => (await plan('--gpu', gpu)).json<{ readonly profile: string }>().profile;
    expect(await Promise.all(['L4', 'RTX 3090', 'GTX 1660 Ti'].map(chosen))).toEqual(['fp8', 'int4', 'low-memory']);
  });

  it('shows a plan that cannot work, with what is in its way', async () => {
    const result = await plan('-p', 'fp8', '--gpu', 'RTX 2060 6GB');
    expect(result.code).toBe(0);
    expect(result.json()).toMatchObject({
      findings: expect.arrayContaining([
        expect.objectContaining({ code: 'host/gpu-small', severity: 'error', message: expect.stringContaining('RTX 2060 6GB') }),
      ]),
    });
  });

  it.each([
    ['RTX 4091', 'host/gpu-name', 'RTX 4090'],
    ['A100', 'host/gpu-unclear', 'A100 80GB SXM4'],
    ['', 'host/gpu-name', '""'],
  ])('does not guess what "%s" is', async (gpu, code, named) => {
    const result = await plan('-p', 'fp8', '--gpu', gpu);
    expect(result.code).toBe(2);
    expect(result.json()).toMatchObject({ kind: 'Error', code, message: expect.stringContaining(named) });
  });
});

describe('resources.cpus: auto', () => {
  it('is all, and says why, where nobody tells which CPUs are near the GPU', async () => {
    const bin = join(box.home, 'bin');
    await mkdir(bin);
    // An address that no machine has: this one's own must not answer for it.
    const smi = await readFile(join(root, 'test/fixtures/doctor/nvidia-smi-h100.sh'), 'utf8');
    await writeFile(join(bin, 'nvidia-smi'), smi.replace('00000000:18:00.0', '0000FFFF:FF:1F.7'), { mode: 0o755 });
    const seen = await createSandbox({ env: { PATH: `${bin}:${process.env.PATH}` } });
    const result = await seen.cli('plan', '-p', 'int4', '--backend', 'process', '--set', 'resources.cpus=auto', '-o', 'json');
    await seen.dispose();
    expect(result.code, result.stderr).toBe(0);
    expect(result.json()).toMatchObject({
      decisions: expect.arrayContaining([
        expect.objectContaining({ setting: 'resources.gpus', value: ['0: NVIDIA H100 80GB HBM3'] }),
        expect.objectContaining({
          setting: 'resources.cpus',
          value: 'all',
          from: 'machine',
          reason: expect.stringContaining('the kernel does not tell which CPUs are near GPU 0'),
        }),
      ]),
    });
    expect(result.json<{ readonly resources: object }>().resources).not.toHaveProperty('cpus');
  });
});

describe('what cannot work', () => {
  it('is a finding of plan and of up --dry-run, and refused by up alone', { timeout: 30_000 }, async () => {
    const port = await freePort();
    const busy = ['--set', `server.port=${port}`];
    expect((await box.cli('up', 'first', '-p', 'demo', ...busy)).code).toBe(0);
    for (const command of [['plan'], ['up', '--dry-run']]) {
      const result = await box.cli(...command, '-p', 'demo', ...busy, '-o', 'json');
      expect(result.code, result.stderr).toBe(0);
      expect(result.json()).toMatchObject({ kind: 'Plan', findings: [{ code: 'runtime/port-taken', severity: 'error' }] });
    }
    const refused = await box.cli('up', '-p', 'demo', ...busy, '-o', 'json');
    expect(refused.code).toBe(4);
    expect(refused.json()).toMatchObject({ kind: 'Error', code: 'runtime/port-taken' });
    expect((await box.cli('plan', 'first', '-p', 'demo', ...busy, '-o', 'json')).json()).toMatchObject({ findings: [], changes: [] });
    expect((await box.cli('down', 'first')).code).toBe(0);
  });
});
