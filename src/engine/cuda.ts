/** Which CUDA build of vLLM a driver can run. */
import { DeployError } from '../core/error.ts';
import { type Message, type Param, say } from '../core/message.ts';
import { compareVersions } from './version.ts';

/** What is known of this machine's GPU; the caller observed it. */
export interface GpuEvidence {
  readonly present: boolean;
  readonly driverVersion?: string;
  /** The newest CUDA that the driver says it runs. */
  readonly cudaVersion?: string;
  /** Why it is believed to be there or not, for people. */
  readonly evidence: Param;
}

export interface CudaChoice {
  /** `default`: the wheels of the package index; otherwise the variant of vLLM's own wheel index. */
  readonly wheels: 'default' | 'cu129';
  /** CUDA of these wheels, e.g. `13.0`. */
  readonly cuda: string;
  readonly reason: Message;
}

/** vLLM's default wheels are built with CUDA 13.0 since this version, with 12.x before. */
const firstWithCuda13 = '0.20';
/** Oldest driver (major number) of each CUDA family: minor-version compatibility of NVIDIA. */
const oldestDriver = { 13: 580, 12: 525 } as const;

/** Throws `engine/driver-too-old` when no published build runs on the driver. */
export function chooseCuda(gpu: GpuEvidence | undefined, version: string): CudaChoice {
  const isCuda13 = compareVersions(version, firstWithCuda13) >= 0;
  const standard = { wheels: 'default', cuda: isCuda13 ? '13.0' : '12.9' } as const;
  const family = toCudaFamily(gpu);
  const driver = gpu?.driverVersion ?? `CUDA ${gpu?.cudaVersion ?? ''}`;
  if (family === undefined) return { ...standard, reason: say('engine.cuda-unknown', { cuda: standard.cuda }) };
  if (family < 12) {
    throw DeployError.of('engine/driver-too-old', {
      driver,
      cuda: gpu?.cudaVersion ?? '11',
      version,
      available: isCuda13 ? 'CUDA 13.0, 12.9' : 'CUDA 12.9',
      needed: oldestDriver[12],
    });
  }
  if (isCuda13 && family < 13) return { wheels: 'cu129', cuda: '12.9', reason: say('engine.cuda-older', { driver, cuda: '12.9' }) };
  return { ...standard, reason: say('engine.cuda-default', { driver, cuda: standard.cuda }) };
}

/** 13, 12, or 11 for all that is older. The driver's own number decides; "CUDA Version" may name a compat library. */
function toCudaFamily(gpu: GpuEvidence | undefined): 11 | 12 | 13 | undefined {
  const driver = toMajor(gpu?.driverVersion);
  if (driver !== undefined) return driver >= oldestDriver[13] ? 13 : driver >= oldestDriver[12] ? 12 : 11;
  const cuda = toMajor(gpu?.cudaVersion);
  if (cuda === undefined) return undefined;
  return cuda >= 13 ? 13 : cuda === 12 ? 12 : 11;
}

function toMajor(version: string | undefined): number | undefined {
  const digits = /^\s*(\d+)/.exec(version ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}
