/** All checks there are, in the order of the report. */
import type { Check } from '../check.ts';
import { containerChecks } from './container.ts';
import { cpuChecks } from './cpu.ts';
import { diskChecks } from './disk.ts';
import { dockerChecks } from './docker.ts';
import { engineChecks } from './engine.ts';
import { gpuChecks } from './gpu.ts';
import { gpuFitChecks } from './gpu-fit.ts';
import { gpuHealthChecks } from './gpu-health.ts';
import { gpuUseChecks } from './gpu-use.ts';
import { limitChecks } from './limits.ts';
import { memoryChecks } from './memory.ts';
import { networkChecks } from './network.ts';
import { placeChecks } from './places.ts';
import { serviceChecks } from './service.ts';
import { systemChecks } from './system.ts';
import { temporaryChecks } from './temporary.ts';
import { topologyChecks } from './topology.ts';

export const checks: readonly Check[] = [
  ...gpuChecks,
  ...gpuFitChecks,
  ...gpuUseChecks,
  ...gpuHealthChecks,
  ...cpuChecks,
  ...topologyChecks,
  ...memoryChecks,
  ...containerChecks,
  ...limitChecks,
  ...diskChecks,
  ...temporaryChecks,
  ...placeChecks,
  ...systemChecks,
  ...engineChecks,
  ...dockerChecks,
  ...networkChecks,
  ...serviceChecks,
];
