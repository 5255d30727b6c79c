/** Every signature. The order says nothing: lines are ranked by what they are (diagnose.ts). */
import type { Signature } from './signature.ts';
import { argumentSignatures } from './signatures/arguments.ts';
import { checkpointSignatures } from './signatures/checkpoint.ts';
import { containerSignatures } from './signatures/container.ts';
import { gpuSignatures } from './signatures/gpu.ts';
import { hostSignatures } from './signatures/host.ts';
import { memorySignatures } from './signatures/memory.ts';
import { processSignatures } from './signatures/processes.ts';

export const signatures: readonly Signature[] = [
  ...argumentSignatures,
  ...memorySignatures,
  ...gpuSignatures,
  ...checkpointSignatures,
  ...hostSignatures,
  ...processSignatures,
  ...containerSignatures,
];
