import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readProfileShown } from '../../src/operate/profiles.ts';
import { createTestContext } from './context.ts';

let home = '';
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'show-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

/** A machine with two GPUs, as far as nvidia-smi tells. */
async function putGpus(): Promise<void> {
  const csv = [
    'index, uuid, name, memory.total [MiB], memory.used [MiB], memory.free [MiB], driver_version, compute_cap',
    '0, GPU-1, NVIDIA RTX 3060, 12288 MiB, 1 MiB, 12287 MiB, 580.10, 8.6',
    '1, GPU-2, NVIDIA RTX 4090, 24564 MiB, 1 MiB, 24563 MiB, 580.10, 8.9',
  ];
  await mkdir(join(home, 'bin'));
  await writeFile(join(home, 'bin/nvidia-smi'), `#!/bin/sh\n/bin/cat <<'END'\n${csv.join('\n')}\nEND\n`, { mode: 0o755 });
}

async function readDecisions(ref: string, env: NodeJS.ProcessEnv = {}) {
  const context = createTestContext(home, { env: { PATH: join(home, 'bin'), HOME: home, QWEN_DEPLOY_HOME: home, ...env } });
  const { decisions = [] } = await readProfileShown({ ref, sets: [], explain: true }, context);
  return new Map(decisions.map(({ setting, ...decision }) => [setting, decision]));
}

describe('a profile that is shown', () => {
  it('tells what it found and what has no effect, and asks no machine', async () => {
    await writeFile(join(home, 'a.yaml'), 'model: own/model\nfallback: [{thinking: on}]\n');
    const shown = await readProfileShown({ ref: './a.yaml', sets: ['server.port=9000'], explain: false }, createTestContext(home));
    expect(shown).toMatchObject({
      profile: { server: { port: 9000 } },
      findings: [{ code: 'profile/fallback-idle', line: 2, column: 12 }],
    });
    expect(shown.decisions).toBeUndefined();
  });

  it('tells what the machine, the model and our defaults decide', async () => {
    await putGpus();
    await writeFile(join(home, 'a.yaml'), 'model: own/model\n');
    const decided = await readDecisions('./a.yaml');
    expect(decided.get('resources.gpus')).toMatchObject({ from: 'machine', value: ['1: NVIDIA RTX 4090'] });
    expect(decided.get('served-names')).toMatchObject({ from: 'model', value: ['own/model'] });
    expect(decided.get('argv.gpu-memory-utilization')).toMatchObject({ from: 'default', value: 0.85 });
  });

  it('tells the environment from the rest of the machine', async () => {
    await putGpus();
    const decided = await readDecisions('int4', { CUDA_VISIBLE_DEVICES: '0' });
    expect(decided.get('resources.gpus')).toMatchObject({ from: 'environment', value: ['0: NVIDIA RTX 3060'] });
  });

  it('says no less of the profile where there is no machine for it', async () => {
    const decided = await readDecisions('int4');
    expect(decided.get('resources.gpus')).toBeUndefined();
    expect(decided.get('server.port')).toMatchObject({ from: 'profile', value: 8000 });
  });
});
