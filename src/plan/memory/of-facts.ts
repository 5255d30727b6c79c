/** The memory plan of a profile on the machine that was observed. Pure. */
import type { Profile } from '../../profile/profile.ts';
import type { Facts } from '../facts.ts';
import { chooseGpus } from '../gpu-choice.ts';
import type { Memory } from '../plan.ts';
import { type Calibration, toCalibrationKey } from './calibration.ts';
import { findSmallest } from './cuda-total.ts';
import { type MemoryRequest, planMemory } from './plan-memory.ts';

/** Undefined where nothing is known of the model or of its GPUs. */
export function planMemoryOf(profile: Profile, facts: Facts, replica?: number): Memory | undefined {
  if (facts.backend === 'simulator' || profile.engine.variant !== 'gpu') return undefined;
  return planMemory(toMemoryRequest(profile, facts, { gpus: chooseGpus(profile, facts, replica).gpus }));
}

export function toMemoryRequest(profile: Profile, facts: Facts, { gpus }: Pick<MemoryRequest, 'gpus'>): MemoryRequest {
  const { checkpoint, calibrations } = facts;
  return {
    profile,
    gpus,
    version: toVersion(profile, facts),
    ...(checkpoint ? { shape: checkpoint } : {}),
    ...(calibrations ? { calibrations } : {}),
  };
}

/** Under which its own start is kept; undefined where no GPU is known. */
export function toCalibrationOrigin(profile: Profile, facts: Facts, replica?: number): Pick<Calibration, 'key'> | undefined {
  const request = toMemoryRequest(profile, facts, { gpus: chooseGpus(profile, facts, replica).gpus });
  const gpu = findSmallest(request.gpus);
  return gpu && { key: toCalibrationKey(profile, { gpu: gpu.name, version: request.version ?? '' }) };
}

/** That of the program, where the profile names one. */
function toVersion({ engine }: Profile, { executable }: Facts): string {
  const own = engine.executable === undefined || executable === undefined || 'problem' in executable ? undefined : executable.version;
  return own ?? engine.version;
}

/** Without what others hold of the GPU at this moment: the deployment that is asked about may hold it itself. */
export function withoutOthers({ freeBytes: _free, fitsNow: _now, suggestion, ...lasting }: Memory): Memory {
  return lasting.fits === 'yes' || suggestion === undefined ? lasting : { ...lasting, suggestion };
}
