/** What was asked for a launch and does not hold, as the runtime read it back: the engine runs all the same. Pure. */
import type { Finding } from '../core/finding.ts';
import { type Message, say } from '../core/message.ts';
import type { LaunchRecord } from '../runtime/runtime.ts';

export function toUnheld(launch: LaunchRecord): readonly Finding[] {
  const { memoryCapProblem, swapProblem, pidsCapProblem, nofileProblem, cpusProblem, gpusProblem } = launch;
  return [
    ...toFinding('launch/memory-not-held', memoryCapProblem, (problem) => say('life.memory-cap', { problem })),
    ...toFinding('launch/swap-not-held', swapProblem, (problem) => say('life.swap-cap', { problem })),
    ...toFinding('launch/pids-not-held', pidsCapProblem, (problem) => say('life.pids-cap', { problem })),
    ...toFinding('launch/nofile-not-held', nofileProblem, (problem) => say('life.nofile', { problem })),
    ...toFinding('launch/cpus-not-held', cpusProblem, (problem) => say('life.cpus', { problem })),
    ...toFinding('launch/gpus-not-held', gpusProblem, (problem) => say('life.gpus-given', { problem })),
  ];
}

function toFinding(code: string, problem: string | undefined, toMessage: (problem: string) => Message): readonly Finding[] {
  if (problem === undefined) return [];
  return [{ code, severity: 'warning', message: toMessage(problem) }];
}
