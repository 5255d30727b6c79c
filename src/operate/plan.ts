import type { Finding } from '../core/finding.ts';
import type { GpuObservation } from '../gpu/gpu.ts';
import { type Facts, observeFacts } from '../plan/facts.ts';
import type { LaunchSpec } from '../plan/launch-spec.ts';
import { planDeployment } from '../plan/make-plan.ts';
import type { Memory, Plan } from '../plan/plan.ts';
import { observePort } from '../plan/port-facts.ts';
import { type Member, toMember, toMembers } from '../plan/replicas.ts';
import type { BackendName, Profile } from '../profile/profile.ts';
import { recallProfile } from '../profile/recall.ts';
import { toStepProfile } from '../profile/step-profile.ts';
import type { Deployable } from '../supervisor/state.ts';
import type { FlagCatalogue } from '../vllm/flags.ts';
import type { Context } from './context.ts';

export interface PlanAsked {
  /** A profile's name or path; `auto` must have been decided before (choose.ts). */
  readonly profileRef: string;
  /** Of the deployment, or of all replicas together; the profile's name when not given. */
  readonly name?: string;
  readonly sets: readonly string[];
  /** What our checks refuse is a warning. */
  readonly unchecked?: boolean;
  readonly backend?: BackendName;
  /** A card to plan for in place of those of this machine: `RTX 4090`, `2x L4`. */
  readonly gpu?: string;
  /** GPUs that were observed already; `elsewhere`: they are of another machine. */
  readonly observed?: { readonly gpus: () => Promise<GpuObservation>; readonly elsewhere: boolean };
}

export interface MadePlan {
  readonly name: string;
  /** Of a replica: with its own port. */
  readonly profile: Profile;
  readonly replica?: number;
  readonly plan: Plan;
  readonly spec: LaunchSpec;
  readonly facts: Facts;
}

export interface MadePlans {
  /** Of the deployment, or of all replicas together. */
  readonly name: string;
  readonly profile: Profile;
  readonly first: MadePlan;
  /** One, or one for each replica. */
  readonly all: readonly MadePlan[];
}

/** Reads the profile, looks once at the machine, decides everything. Nothing is started, installed or refused here. */
export async function makePlans(asked: PlanAsked, context: Context): Promise<MadePlans> {
  const read = await readAsked(asked, context);
  const name = asked.name ?? read.profile.name;
  const members = toMembers(read.profile, name);
  const facts = await observe(members.first.profile, read, context);
  const others = members.all.slice(1).map(async (member) => {
    // What differs for a replica is whether its own port is free.
    const port = facts.gpusAssumed ? facts.port : await observePort(member.profile.server);
    return planMember(member, { ...facts, port }, { read, context });
  });
  const first = await planMember(members.first, facts, { read, context });
  return { name, profile: read.profile, first, all: [first, ...(await Promise.all(others))] };
}

/** What one deployment would be now; undefined for a replica that the profile does not ask for any more. */
export async function makePlanOf(
  asked: PlanAsked & { readonly name: string; readonly replica?: number },
  context: Context,
): Promise<MadePlan | undefined> {
  const read = await readAsked(asked, context);
  const { replica, name } = asked;
  const isAlone = read.profile.replicas === 1;
  if (isAlone ? replica !== undefined : replica === undefined || replica > read.profile.replicas) return undefined;
  const member = replica === undefined ? { name, profile: read.profile } : toMember(read.profile, name, replica);
  return planMember(member, await observe(member.profile, read, context), { read, context });
}

/** What a step of `adapt` would be in place of a deployment that is planned already. */
export async function makeStepPlan(
  step: string,
  { base, backend }: { readonly base: MadePlan; readonly backend?: BackendName },
  context: Context,
): Promise<MadePlan> {
  const { gpus, port, gpusAssumed } = base.facts;
  const seen = gpus === undefined ? {} : { observed: { gpus: async () => gpus, elsewhere: gpusAssumed === true } };
  const read = await readAsked({ profileRef: step, sets: [], ...(backend === undefined ? {} : { backend }), ...seen }, context);
  const profile = toStepProfile(read.profile, base.profile);
  // The port is that of the one that it takes the place of.
  const facts = { ...(await observe(profile, read, context)), port };
  const { name, replica } = base;
  return planMember({ name, profile, ...(replica === undefined ? {} : { replica }) }, facts, { read, context });
}

/** The same again, from what a deployment keeps of it. */
export function toAskedAgain({ ref, sets, unchecked }: Deployable['source']): Pick<PlanAsked, 'profileRef' | 'sets' | 'unchecked'> {
  return { profileRef: ref, sets, ...(unchecked === undefined ? {} : { unchecked }) };
}

/** `status` reads the profile again from wherever it is called: what was found relative to here needs its full path. */
export function toLastingRef(ref: string, { source }: Pick<Profile, 'source'>): string {
  return source.startsWith('shipped:') ? ref : source;
}

interface ReadProfile {
  readonly profile: Profile;
  readonly catalogue?: FlagCatalogue;
  readonly notes: readonly Finding[];
  readonly asked: PlanAsked;
}

async function readAsked(asked: PlanAsked, { places, cwd }: Context): Promise<ReadProfile> {
  return { ...(await recallProfile(asked.profileRef, { places, cwd, sets: asked.sets, unchecked: asked.unchecked ?? false })), asked };
}

async function observe(profile: Profile, { asked }: ReadProfile, { places, env, signal }: Context): Promise<Facts> {
  const { observed } = asked;
  const backend = await chooseHere(profile, asked, env);
  if (observed?.elsewhere) return observeFacts(profile, { places, env, signal, backend, assumed: await observed.gpus() });
  if (asked.gpu === undefined) return observeFacts(profile, { places, env, signal, backend, ...(observed ? { gpus: observed.gpus } : {}) });
  const { readAssumedGpus } = await import('./assume-gpus.ts');
  return observeFacts(profile, { places, env, signal, backend, assumed: await readAssumedGpus(asked.gpu) });
}

/** Of another machine nothing is known but its GPUs. */
async function chooseHere(
  { engine }: Profile,
  { backend: override, gpu, observed }: PlanAsked,
  env: NodeJS.ProcessEnv,
): Promise<BackendName> {
  const named = override ?? engine.backend;
  if (named !== 'auto') return named;
  if (engine.variant === 'cpu' || engine.executable !== undefined || gpu !== undefined || observed?.elsewhere) return 'process';
  const { canGiveGpus } = await import('../plan/docker-facts.ts');
  return (await canGiveGpus(env)) ? 'docker' : 'process';
}

interface Planning {
  readonly read: ReadProfile;
  readonly context: Context;
}

async function planMember({ name, profile, replica }: Member, facts: Facts, { read, context }: Planning): Promise<MadePlan> {
  const { asked, catalogue, notes } = read;
  const number = replica === undefined ? {} : { replica };
  const judged = await judge(profile, facts, replica);
  const { plan, spec } = planDeployment({
    profile,
    name,
    facts,
    places: context.places,
    simulatorEntry: context.programs.simulator,
    notes: [...notes, ...judged.findings],
    ...(judged.memory ? { memory: judged.memory } : {}),
    ...number,
    ...(catalogue ? { catalogue } : {}),
    ...(asked.backend === undefined ? {} : { backend: asked.backend }),
  });
  return { name, profile, ...number, plan, spec, facts };
}

interface Judged {
  readonly findings: readonly Finding[];
  readonly memory?: Memory;
}

/** By rules about machines, and by what a GPU holds. A simulator has neither, and is not to wait until they are read. */
async function judge(profile: Profile, facts: Facts, replica: number | undefined): Promise<Judged> {
  if (facts.backend === 'simulator') return { findings: [] };
  const [{ checkPlanRules }, { planMemoryOf }] = await Promise.all([
    import('../plan/rules/index.ts'),
    import('../plan/memory/of-facts.ts'),
  ]);
  const memory = planMemoryOf(profile, facts, replica);
  return { findings: checkPlanRules(profile, facts), ...(memory ? { memory } : {}) };
}
