/** What `up` would do: the profile is chosen and read, the machine looked at, the record of what runs compared. Changes nothing. */
import { toDeploymentPaths } from '../control/directory.ts';
import { DeployError } from '../core/error.ts';
import { type Change, toChanges } from '../plan/diff.ts';
import type { LaunchSpec } from '../plan/launch-spec.ts';
import type { Plan } from '../plan/plan.ts';
import type { BackendName } from '../profile/profile.ts';
import type { State } from '../supervisor/state.ts';
import { readState } from '../supervisor/store.ts';
import type { Context } from './context.ts';
import { type MadePlan, makePlan } from './plan.ts';

export interface PlanUpRequest {
  readonly name?: string;
  /** A profile's name or path, or `auto`. */
  readonly profile: string;
  readonly sets: readonly string[];
  readonly backend?: BackendName;
  readonly engineVersion?: string;
  /** Whether an engine that is not here may be installed: decides what `auto` may choose. */
  readonly install: boolean;
}

/** What `up` would do now; nothing is installed, written or started. */
export async function planUp(
  request: PlanUpRequest,
  context: Context,
): Promise<{ readonly plan: Plan; readonly spec: LaunchSpec; readonly changes?: readonly Change[] }> {
  const { ref } = await chooseRef(request, context);
  const { plan, spec } = await planFor(ref, request, context);
  const { state: running } = await readRecord(plan.name, context);
  if (running === undefined || !isLive(running)) return { plan, spec };
  return { plan, spec, changes: toChanges(running.wanted.spec, spec) };
}

export async function chooseRef(request: PlanUpRequest, context: Context): Promise<{ readonly ref: string; readonly auto: boolean }> {
  if (request.profile !== 'auto') return { ref: request.profile, auto: false };
  const { chooseProfile } = await import('./choose.ts');
  const choice = await chooseProfile(context, { noInstall: !request.install });
  context.emit({ type: 'said', level: 'info', text: choice.reason });
  return { ref: choice.profile, auto: true };
}

export interface DeploymentRecord {
  readonly state?: State;
  /** Its port and memory may be taken by itself: it is up, or its record is damaged and so it may be. */
  readonly holdsMachine: boolean;
}

/** A damaged record is no reason not to begin anew (the supervisor ends what still runs); one of a newer version is. */
export async function readRecord(name: string, { places }: Context): Promise<DeploymentRecord> {
  try {
    const state = await readState(toDeploymentPaths(places, name).state, name);
    return state === undefined ? { holdsMachine: false } : { state, holdsMachine: isLive(state) };
  } catch (error) {
    if (error instanceof DeployError && error.code === 'state/corrupt') return { holdsMachine: true };
    throw error;
  }
}

export function planFor(ref: string, request: PlanUpRequest, context: Context): Promise<MadePlan> {
  const { name, backend } = request;
  return makePlan(
    { profileRef: ref, sets: toSets(request), ...(name === undefined ? {} : { name }), ...(backend === undefined ? {} : { backend }) },
    context,
  );
}

export function toSets(request: PlanUpRequest): readonly string[] {
  return request.engineVersion === undefined ? request.sets : [...request.sets, `engine.version="${request.engineVersion}"`];
}

export function isLive(state: State): boolean {
  return !['stopped', 'failed', 'backoff', 'crashloop'].includes(state.life);
}
