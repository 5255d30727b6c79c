/**
 * Steps down for what did not start: settings or a profile that may cure the cause, in the order of `fallback:`, each
 * once until somebody resets it. Only a plan can say what a step starts, and that takes a look at the machine: the state
 * waits in `backoff` with the step that is planned, so that commands win as they do there, and a supervisor that takes
 * over asks again. The plan comes back as a signal (fallback-step.ts), or does not come: `next-start` is its limit.
 */
import type { ExitReport } from '../../core/event.ts';
import type { FallbackStep } from '../../profile/profile.ts';
import { mayCure } from '../../vllm/failures/cures.ts';
import type { Effect, Moment } from '../signal.ts';
import type { Deployable, State } from '../state.ts';
import { toRungNumber } from './ladder.ts';

/** A step that is being planned, in place of giving up. */
export interface Falling {
  /** Name of the step. */
  readonly step: string;
  readonly cause: string;
  /** Names of steps that this machine or the profile would refuse, or that change nothing. */
  readonly refused: readonly string[];
  readonly exit: ExitReport;
  /** Without a step it is tried again after so long, as a crash loop; absent: it fails. */
  readonly againMs?: number;
}

interface Failure {
  readonly exit: ExitReport;
  readonly againMs?: number;
  readonly moment: Moment;
}

type Planning = readonly [State, readonly Effect[]];

/** Asks for the plan of the first step that may cure it; undefined when there is none. */
export function fallBack(state: State, { exit, againMs, moment }: Failure): Planning | undefined {
  const cause = exit.diagnosis?.cause ?? exit.reason;
  if (cause === undefined) return undefined;
  return planNext(state, { cause, refused: [], exit, ...(againMs === undefined ? {} : { againMs }) }, moment);
}

/** The same after a step that was refused. */
export function planNext(state: State, falling: Omit<Falling, 'step'>, moment: Moment): Planning | undefined {
  const next = findStep(state, falling);
  return next && planStep({ ...state, life: 'backoff', falling: { ...falling, step: next.name } }, moment);
}

/** A plan reads files and asks GPUs and Docker, each with a limit of its own. */
const planMs = 120_000;

/** Also by a new supervisor: the plan of the last one died with it. */
export function planStep(state: State, { wallMs }: Moment): Planning {
  const nextStartAt = new Date(wallMs + planMs).toISOString();
  return [{ ...state, nextStartAt }, [{ do: 'plan-fallback' }, { do: 'timer', timer: 'next-start', delayMs: planMs }]];
}

/** Under pressure it is a lighter profile that failed, and that has a way back of its own. */
function findStep({ wanted, desired }: State, { cause, refused }: Pick<Falling, 'cause' | 'refused'>): FallbackStep | undefined {
  if (desired !== 'up' || (toRungNumber(wanted) ?? 0) > 0) return undefined;
  return wanted.fallback?.find((step) => !refused.includes(step.name) && !isTaken(step.name, wanted) && mayCure(step, cause));
}

export function isTaken(name: string, { source }: Pick<Deployable, 'source'>): boolean {
  return source.fixes?.some(({ step }) => step === name) ?? false;
}

/** The step as whoever plans it looks it up; undefined where none is asked for. */
export function findPlanned({ life, falling, wanted }: State): FallbackStep | undefined {
  return life !== 'backoff' || falling === undefined ? undefined : wanted.fallback?.find(({ name }) => name === falling.step);
}
