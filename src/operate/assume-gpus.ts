/** `--gpu "RTX 4090"`: the GPUs of a card that this machine does not have. */
import { DeployError } from '../core/error.ts';
import { say } from '../core/message.ts';
import type { GpuObservation } from '../gpu/gpu.ts';
import { findKnownGpus, type KnownGpu } from '../gpu/table.ts';
import { readPackageJson } from '../host/package-files.ts';

/** Throws `host/gpu-name` for one that is not known and `host/gpu-unclear` for what can mean several. */
export async function readAssumedGpus(text: string): Promise<GpuObservation> {
  const found = findKnownGpus(text, (await readPackageJson('data', 'gpus.json')) as readonly KnownGpu[]);
  if (found.is === 'found') return { is: 'present', gpus: found.gpus };
  const { name } = found;
  if (found.is === 'ambiguous') throw DeployError.of('host/gpu-unclear', { name, names: found.names.join(', ') });
  const nearest = found.nearest.length === 0 ? '' : say('commands.did-you-mean', { words: found.nearest.join(', ') });
  throw DeployError.of('host/gpu-name', { name, nearest });
}
