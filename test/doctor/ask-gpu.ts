/** One question to a check of GPUs: about these GPUs, and a profile that is to run on them. */
import { describe, expect, it } from 'vitest';
import { gpuChecks } from '../../src/doctor/checks/gpu.ts';
import { gpuFitChecks } from '../../src/doctor/checks/gpu-fit.ts';
import { gpuHealthChecks } from '../../src/doctor/checks/gpu-health.ts';
import { gpuUseChecks } from '../../src/doctor/checks/gpu-use.ts';
import type { Gpu, GpuObservation } from '../../src/gpu/gpu.ts';
import type { Facts } from '../../src/plan/facts.ts';
import type { Memory } from '../../src/plan/plan.ts';
import { l4 } from '../plan/stand-ins.ts';
import { type Answer, createMachine, createSubject, type MachineParts, runCheck } from './stand-ins.ts';

export const allGpuChecks = [...gpuChecks, ...gpuFitChecks, ...gpuUseChecks, ...gpuHealthChecks];

export interface Question extends Pick<MachineParts, 'files' | 'programs' | 'env' | 'gpusFromFile'> {
  /** One L4 when not said. */
  readonly gpus?: GpuObservation | readonly Gpu[];
  /** Nobody asks about one when not said. */
  readonly profile?: string;
  readonly sets?: readonly string[];
  readonly facts?: Partial<Facts>;
  readonly memory?: Memory;
  readonly running?: boolean;
}

export async function askGpu(id: string, { profile, sets, facts, memory, running, gpus = [l4], ...machine }: Question): Promise<Answer> {
  const observed: GpuObservation = 'is' in gpus ? gpus : { is: 'present', gpus };
  const parts = { ...(sets ? { sets } : {}), ...(memory ? { memory } : {}), ...(running ? { running } : {}) };
  const subject = profile === undefined ? undefined : await createSubject(profile, { ...parts, facts: { gpus: observed, ...facts } });
  return runCheck(allGpuChecks, id, createMachine({ ...machine, gpus: observed, ...(subject ? { subject } : {}) }));
}

export type Row = [what: string, question: Question, status: string, message: RegExp, hint?: RegExp];

/** One table per check. Every answer that is bad news says what to do next. */
export function tableOf(id: string, rows: readonly Row[]): void {
  describe(id, () => {
    it.each(rows)('%s', async (_, question, status, message, hint) => {
      const answer = await askGpu(id, question);
      expect(`${answer.status}: ${answer.message}`).toMatch(new RegExp(`^${status}: `));
      expect(answer.message).toMatch(message);
      expect(`${answer.message} ${answer.hint}`).not.toMatch(/\{\w+\}|\[object|undefined|NaN/);
      if (status === 'warn' || status === 'fail') expect(answer.hint).toMatch(hint ?? /\w/);
    });
  });
}

/** An L4 with other properties. */
export function like(parts: Partial<Gpu>): Gpu {
  return { ...l4, ...parts };
}
