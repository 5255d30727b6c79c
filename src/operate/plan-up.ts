/** What `up` would do: the profile is chosen and read, the machine looked at, the record of what runs compared. Changes nothing. */
import { basename } from 'node:path';
import { toDeploymentPaths } from '../control/directory.ts';
import { DeployError } from '../core/error.ts';
import type { Finding } from '../core/finding.ts';
import { say } from '../core/message.ts';
import { type Change, toChanges } from '../plan/diff.ts';
import type { Facts } from '../plan/facts.ts';
import type { LaunchSpec } from '../plan/launch-spec.ts';
import type { Plan } from '../plan/plan.ts';
import type { findProblems } from '../plan/preflight.ts';
import { checkPort } from '../plan/preflight-port.ts';
import { checkReplicas } from '../plan/replicas.ts';
import type { BackendName } from '../profile/profile.ts';
import { toBase } from '../supervisor/reduce/ladder.ts';
import type { Fix, State } from '../supervisor/state.ts';
import { readState } from '../supervisor/store.ts';
import { toErrorText } from '../text/render.ts';
import type { Context } from './context.ts';
import { toFixedSets } from './fix-words.ts';
import { findSurplus } from './members.ts';
import { type MadePlan, type MadePlans, makePlans } from './plan.ts';

export interface PlanUpRequest {
  readonly name?: string;
  /** A profile's name or path, or `auto`. */
  readonly profile: string;
  readonly sets: readonly string[];
  readonly backend?: BackendName;
  readonly engineVersion?: string;
  /** A card to plan for in place of those of this machine. */
  readonly gpu?: string;
  /** Whether an engine that is not here may be installed: decides what `auto` may choose. */
  readonly install: boolean;
  /** What our checks would refuse is started, and said. */
  readonly unchecked?: boolean;
  /** Nobody named a profile: a deployment of this name, where there is one, is meant as it was last asked for. */
  readonly again?: boolean;
  /** The profile, where that was decided already. */
  readonly chosen?: ChosenRef;
  /** Changes of `--fix` on top of `sets`. */
  readonly fixes?: readonly Fix[];
}

export interface ChosenRef {
  readonly ref: string;
  /** By us, and so it may become another one. */
  readonly auto: boolean;
}

export interface PlannedUp {
  /** Of the first replica, with the name of all of them, where there are several. */
  readonly plan: Plan;
  readonly spec: LaunchSpec;
  /** What a person would type to get the container; absent for what is none. */
  readonly containerLine?: string;
  /** Against what runs under this name. */
  readonly changes?: readonly Change[];
  readonly replicas?: readonly PlannedReplica[];
  /** Deployments that `up` would stop, because the profile does not ask for them any more. */
  readonly surplus?: readonly string[];
}

/** What is different about one replica; everything else is as in the plan. */
export interface PlannedReplica {
  readonly name: string;
  readonly endpoint: LaunchSpec['endpoint'];
  /** Of the GPUs, as CUDA_VISIBLE_DEVICES; absent where all see the same. */
  readonly gpus?: string;
  readonly changes?: readonly Change[];
}

/** What `up` would do now; nothing is installed, written or started. What would stop it is among the findings. */
export async function planUp(asked: PlanUpRequest, context: Context): Promise<PlannedUp> {
  // A plan for another machine has nothing to do with what runs on this one.
  const here = asked.gpu === undefined;
  const known = here ? await readKnown(asked, context) : [];
  const request = here && mayKeepFixes(asked, known) ? await (await import('./settle-up.ts')).settleUp(asked, context) : asked;
  const { ref } = await chooseRef(request, context);
  const made = await planFor(ref, request, context);
  const { first, all, name } = made;
  const recordOf = (one: MadePlan) => known.find(({ state }) => state?.name === one.name) ?? readRecord(one.name, context);
  const records = await Promise.all(all.map((one): Promise<DeploymentRecord> | DeploymentRecord => (here ? recordOf(one) : nobody)));
  const surplus = here ? await findSurplus(name, toNames(all), context) : [];
  const blockers = await findBlockers(made, (at) => surplus.length > 0 || records[at]?.holdsMachine === true);
  const { memory: planned, ...rest } = first.plan;
  const memory = planned && records[0]?.holdsMachine ? (await import('../plan/memory/of-facts.ts')).withoutOthers(planned) : planned;
  const steps = first.profile.adapt ? (await (await import('./plan-adapt.ts')).planSteps(first, request, context)).findings : [];
  const findings = [...toFindings(blockers), ...first.plan.findings, ...steps];
  const plan = { ...rest, name, ...(memory ? { memory } : {}), findings };
  const changes = all.map((one, at) => toLiveChanges(records[at]?.state, one.spec));
  const [own] = changes;
  return {
    plan,
    spec: first.spec,
    ...(first.spec.container ? { containerLine: (await import('./docker-run.ts')).toDockerRunText(first) } : {}),
    ...(own === undefined ? {} : { changes: own }),
    ...(all.length === 1 ? {} : { replicas: all.map((one, at) => toReplica(one, changes[at])) }),
    ...(surplus.length === 0 ? {} : { surplus: toNames(surplus) }),
  };
}

/** Of what may be meant, as far as it is known before the profile is read. */
async function readKnown({ name, profile }: PlanUpRequest, context: Context): Promise<readonly DeploymentRecord[]> {
  const own = name ?? toProfileName(profile);
  return Promise.all([own, `${own}-1`].map((one) => readRecord(one, context)));
}

/** Most plans have nothing to do with an earlier `--fix`, and need not wait for more code. */
function mayKeepFixes({ name, profile, again }: PlanUpRequest, known: readonly DeploymentRecord[]): boolean {
  if (again || (name === undefined && profile === 'auto')) return true;
  return known.some(({ state }) => state?.wanted.source.fixes !== undefined);
}

/** A profile's name is that of its file. */
export function toProfileName(ref: string): string {
  return basename(ref).replace(/\.ya?ml$/, '');
}

export function toNames(all: readonly { readonly name: string }[]): readonly string[] {
  return all.map(({ name }) => name);
}

/**
 * What makes a start useless, the gravest first; empty when nothing does. `holds`: whether the machine may be taken by
 * itself. `every`: not only the gravest of each.
 */
export async function findBlockers(
  { profile, first, all }: MadePlans,
  holds: (at: number) => boolean,
  { every = false }: { readonly every?: boolean } = {},
): Promise<readonly DeployError[]> {
  const check = await readChecker(first.facts);
  const alone = all.flatMap(({ profile: own, facts, replica }, at) => {
    const number = replica === undefined ? {} : { replica };
    const found = check(own, facts, { running: holds(at), ...number });
    return every ? found : found.slice(0, 1);
  });
  const together = checkReplicas(profile, first.facts);
  return together === undefined ? alone : [...alone, together];
}

async function readChecker({ backend }: Facts): Promise<typeof findProblems> {
  // Only its port can stand against a simulator, and that is not to wait until everything else is read.
  if (backend === 'simulator')
    return (profile, facts, { running } = {}) => {
      const held = running ? undefined : checkPort(profile, facts);
      return held ? [held] : [];
    };
  return (await import('../plan/preflight.ts')).findProblems;
}

/** Replicas share their problems; each is said once. */
export function toFindings(errors: readonly DeployError[]): readonly Finding[] {
  const findings = errors.map((error): Finding => {
    const { message, hint } = toErrorText(error);
    return {
      code: error.code,
      severity: 'error',
      message: say('plan.sentence', { text: message }),
      ...(hint === undefined ? {} : { hint: say('plan.sentence', { text: hint }) }),
    };
  });
  return [...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values()];
}

function toLiveChanges(running: State | undefined, spec: LaunchSpec): readonly Change[] | undefined {
  return running !== undefined && isLive(running) ? toChanges(toBase(running.wanted).spec, spec) : undefined;
}

function toReplica({ name, spec }: MadePlan, changes: readonly Change[] | undefined): PlannedReplica {
  const gpus = spec.env.CUDA_VISIBLE_DEVICES;
  return {
    name,
    endpoint: spec.endpoint,
    ...(gpus === undefined ? {} : { gpus }),
    ...(changes === undefined ? {} : { changes }),
  };
}

export async function chooseRef(request: PlanUpRequest, context: Context): Promise<ChosenRef> {
  if (request.chosen) return request.chosen;
  if (request.profile !== 'auto') return { ref: request.profile, auto: false };
  const { chooseProfile } = await import('./choose.ts');
  const choice = await chooseProfile(context, { noInstall: !request.install, ...(request.gpu === undefined ? {} : { gpu: request.gpu }) });
  context.emit({ type: 'said', level: 'info', text: choice.reason });
  return { ref: choice.profile, auto: true };
}

const nobody: DeploymentRecord = { holdsMachine: false };

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

export function planFor(ref: string, request: PlanUpRequest, context: Context): Promise<MadePlans> {
  const { name, backend, gpu, unchecked, fixes = [] } = request;
  return makePlans(
    {
      profileRef: ref,
      sets: toFixedSets(toSets(request), fixes),
      ...(unchecked ? { unchecked } : {}),
      ...(name === undefined ? {} : { name }),
      ...(backend === undefined ? {} : { backend }),
      ...(gpu === undefined ? {} : { gpu }),
    },
    context,
  );
}

/** As the person gave them. */
export function toSets(request: PlanUpRequest): readonly string[] {
  return request.engineVersion === undefined ? request.sets : [...request.sets, `engine.version="${request.engineVersion}"`];
}

export function isLive(state: State): boolean {
  return !['stopped', 'failed', 'backoff', 'crashloop'].includes(state.life);
}
