import type { InstalledEngine } from '../../src/engine/engine.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { toPlaces } from '../../src/host/environment.ts';
import type { Facts } from '../../src/plan/facts.ts';
import { loadProfile } from '../../src/profile/load.ts';
import type { Profile } from '../../src/profile/profile.ts';

export const places = toPlaces({ QWEN_DEPLOY_HOME: '/home/me/qwen' });
const gib = 2 ** 30;

/** A shipped profile, or one of its own made of the settings. */
export function load(name: string, ...sets: readonly string[]): Promise<Profile> {
  return loadProfile(name, { places, cwd: '/', sets });
}

export function toGpu(
  index: number,
  name: string,
  { gibibytes, capability, freeGib }: { readonly gibibytes: number; readonly capability: string; readonly freeGib?: number },
): Gpu {
  return {
    index,
    uuid: `GPU-${index}`,
    name,
    computeCapability: capability,
    memoryTotalBytes: gibibytes * gib,
    memoryFreeBytes: (freeGib ?? gibibytes - 0.4) * gib,
    driverVersion: '580.95.05',
  };
}

export const l4 = toGpu(0, 'NVIDIA L4', { gibibytes: 22.5, capability: '8.9' });

export function toEngine(variant: 'cpu' | 'gpu', version = '0.32.0'): InstalledEngine {
  const directory = `/home/me/qwen/data/engines/${variant}-${version}`;
  return {
    id: `${variant}-${version}`,
    variant,
    version,
    directory,
    program: `${directory}/venv/bin/vllm`,
    python: `${directory}/venv/bin/python`,
    torch: '2.13.0',
    pythonVersion: '3.11.2',
    installedAt: '2026-11-20T10:00:00.000Z',
    sizeBytes: 1,
    bytecode: true,
  };
}

/** A quiet machine with four CPUs, one L4 and both engines. */
export const machine: Facts = {
  backend: 'process',
  gpus: { is: 'present', gpus: [l4], driverVersion: '580.95.05' },
  cpus: [0, 1, 2, 3],
  memoryTotalBytes: 16 * gib,
  engines: [toEngine('gpu'), toEngine('cpu')],
  model: { is: 'hub', cached: true },
  port: { is: 'free' },
};
