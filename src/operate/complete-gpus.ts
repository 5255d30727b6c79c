/** GPUs with what is known of them by their names, where the driver does not say it: old ones, and tables without details. */
import { completeGpus, isComplete } from '../gpu/complete.ts';
import type { GpuObservation } from '../gpu/gpu.ts';
import type { KnownGpu } from '../gpu/table.ts';
import { readPackageJson } from '../host/package-files.ts';

/** `elsewhere`: they are not of this machine, so that it cannot be asked how much memory they share with it. */
export async function readCompletedGpus(observed: GpuObservation, { elsewhere }: { readonly elsewhere: boolean }): Promise<GpuObservation> {
  if (isComplete(observed, elsewhere)) return observed;
  const table = (await readPackageJson('data', 'gpus.json')) as readonly KnownGpu[];
  return completeGpus(observed, { table, memory: elsewhere });
}
