/** All checks there are, in the order of the report. */
import type { Check } from '../check.ts';
import { cpuChecks } from './cpu.ts';
import { diskChecks } from './disk.ts';
import { dockerChecks } from './docker.ts';
import { engineChecks } from './engine.ts';
import { gpuChecks } from './gpu.ts';
import { gpuHealthChecks } from './gpu-health.ts';
import { limitChecks } from './limits.ts';
import { memoryChecks } from './memory.ts';
import { networkChecks } from './network.ts';
import { serviceChecks } from './service.ts';
import { systemChecks } from './system.ts';

export const checks: readonly Check[] = [
  ...gpuChecks,
  ...gpuHealthChecks,
  ...cpuChecks,
  ...memoryChecks,
  ...limitChecks,
  ...diskChecks,
  ...systemChecks,
  ...engineChecks,
  ...dockerChecks,
  ...networkChecks,
  ...serviceChecks,
];
