/** The first half of `up`: everything is decided and checked, and the engine installed, before anything is started. */
import { DeployError } from '../core/error.ts';
import { say } from '../core/message.ts';
import { chooseGpus } from '../plan/gpu-choice.ts';
import { sharesGpu } from '../plan/replicas.ts';
import { toFallbackSteps } from '../profile/fallback-steps.ts';
import type { Profile } from '../profile/profile.ts';
import type { Deployable, State } from '../supervisor/state.ts';
import type { Context } from './context.ts';
import { ensureEngine, isUninstallable } from './ensure-engine.ts';
import { ensureFlags } from './ensure-flags.ts';
import { ensureMiniature } from './ensure-miniature.ts';
import { toFixedSets } from './fix-words.ts';
import { findSurplus } from './members.ts';
import { type MadePlan, type MadePlans, toLastingRef } from './plan.ts';
import { chooseRef, findBlockers, type PlanUpRequest, planFor, readRecord, toNames, toSets } from './plan-up.ts';
import { findErrors, tellSkipped } from './skip-checks.ts';

export interface PreparedUp {
  /** Of the deployment, or of all replicas together. */
  readonly name: string;
  readonly first: PreparedMember;
  /** One, or one for each replica. */
  readonly members: readonly PreparedMember[];
  /** Up, and not asked for any more. */
  readonly surplus: readonly State[];
  readonly sharesGpu: boolean;
}

export interface PreparedMember {
  readonly name: string;
  readonly wanted: Deployable;
  readonly running: State | undefined;
}

export async function prepareUp(request: PlanUpRequest, context: Context): Promise<PreparedUp> {
  const { ref, auto } = await chooseRef(request, context);
  try {
    return await prepareProfile(ref, request, context);
  } catch (error) {
    // Only a choice of ours may become another one; a named profile never does.
    if (!auto || !isUninstallable(error)) throw error;
    const { toWhy } = await import('./choose.ts');
    context.emit({ type: 'said', level: 'warning', text: say('auto.demo', { why: toWhy(error) }) });
    return prepareProfile('demo', { ...request, fixes: [] }, context);
  }
}

async function prepareProfile(ref: string, request: PlanUpRequest, context: Context): Promise<PreparedUp> {
  const planned = await planFor(ref, request, context);
  let made = planned;
  const records = await Promise.all(made.all.map(({ name }) => readRecord(name, context)));
  const surplus = await findSurplus(made.name, toNames(made.all), context);
  const holds = (at: number) => surplus.length > 0 || records[at]?.holdsMachine === true;
  const refuse = async () => {
    if (request.unchecked) return tellSkipped(made, holds, context);
    const blocker = await findBlocker(made, holds, context);
    if (blocker) throw blocker;
    const findings = findErrors(made);
    if (findings.length > 0) throw DeployError.of('plan/refused', { name: made.name, count: findings.length }, { findings });
  };
  await refuse();
  let steps = await planStepsOf(made, request, context);
  const { source } = made.first.plan.engine;
  if (source.kind === 'managed' && !source.installed) {
    await ensureEngine(made.profile, { install: request.install }, context);
    made = await planFor(ref, request, context);
    // An installation takes a minute or more: the port may be somebody else's by now.
    await refuse();
  }
  if (source.kind === 'image') {
    const { bringImage } = await import('./bring-image.ts');
    if (await bringImage(source.reference, { install: request.install, version: made.profile.engine.version }, context))
      made = await planFor(ref, request, context);
  }
  if (await ensureFlags(made.first.plan.engine, context)) made = await planFor(ref, request, context);
  if (made !== planned) steps = await planStepsOf(made, request, context);
  announce(made, context);
  const { first, name, profile } = made;
  for (const { profile: own, plan, spec } of [first, ...(steps[0] ?? [])])
    if (own.model.source === 'miniature' && !plan.simulated) await ensureMiniature(spec.model, context);
  const from = toSource(ref, request, profile);
  const members = made.all.map((one, at) => {
    const wanted = toLadder(toDeployable(one, from, name), { base: one, steps: steps[at] ?? [] });
    return { name: one.name, wanted, running: records[at]?.state };
  });
  const [own] = members;
  return {
    name,
    first: own ?? { name, wanted: toDeployable(first, from, name), running: undefined },
    members,
    surplus,
    sharesGpu: sharesGpu(profile, first.facts),
  };
}

/** A container whose record was lost is ended before the start: it stands in nobody's way. Looked for only where something does. */
async function findBlocker(made: MadePlans, holds: (at: number) => boolean, context: Context): Promise<DeployError | undefined> {
  const [blocker] = await findBlockers(made, holds);
  if (blocker === undefined || blocker.code.startsWith('docker/') || made.first.plan.simulated) return blocker;
  const { findStrayContainers } = await import('./strays.ts');
  const names = made.all.flatMap(({ name }, at) => (holds(at) ? [] : [name]));
  const found = await findStrayContainers(context, ({ deployment, state }) => names.includes(deployment) && state === 'running');
  const lost = found.is === 'asked' ? found.strays.map(({ container }) => container.deployment) : [];
  if (lost.length === 0) return blocker;
  const [other] = await findBlockers(made, (at) => holds(at) || lost.includes(made.all[at]?.name ?? ''));
  return other;
}

/** Of each member, with its port; what stands in the way of one is refused like anything else. */
async function planStepsOf(made: MadePlans, request: PlanUpRequest, context: Context): Promise<readonly (readonly MadePlan[])[]> {
  if (made.profile.adapt === undefined) return [];
  const { planSteps } = await import('./plan-adapt.ts');
  const all = await Promise.all(made.all.map((one) => planSteps(one, request, context)));
  const errors = (all[0]?.findings ?? []).filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw DeployError.of('plan/refused', { name: made.name, count: errors.length }, { findings: errors });
  return all.map(({ steps }) => steps);
}

interface Ladder {
  readonly base: MadePlan;
  readonly steps: readonly MadePlan[];
}

function toLadder(wanted: Deployable, { base, steps }: Ladder): Deployable {
  const settings = base.profile.adapt;
  if (settings === undefined) return wanted;
  const { gpus: _, ...shared } = wanted;
  const rungs = steps.map((step) => ({ ...shared, profile: step.profile.name, spec: step.spec, ...toGpus(step) }));
  return { ...wanted, adapt: { settings, ladder: [wanted, ...rungs] } };
}

function toSource(ref: string, request: PlanUpRequest, profile: Profile): Deployable['source'] {
  const { fixes = [], unchecked } = request;
  const asked = toSets(request);
  return {
    ref: toLastingRef(ref, profile),
    sets: toFixedSets(asked, fixes),
    ...(fixes.length === 0 ? {} : { asked, fixes }),
    ...(unchecked ? { unchecked } : {}),
  };
}

export function toDeployable(made: MadePlan, source: Deployable['source'], group: string): Deployable {
  const { profile, spec, replica } = made;
  const steps = profile.fallback === undefined ? {} : { fallback: toFallbackSteps(profile.fallback) };
  const beside = { ...(profile.notify.length === 0 ? {} : { notify: profile.notify }), ...steps, ...toGpus(made), logs: profile.logs };
  return { profile: profile.name, spec, ...beside, source: replica === undefined ? source : { ...source, member: { group, replica } } };
}

/** The same choice as the plan's. */
function toGpus({ profile, facts, spec, replica }: MadePlan): Pick<Deployable, 'gpus'> {
  if (spec.backend === 'simulator' || profile.engine.variant !== 'gpu') return {};
  const gpus = chooseGpus(profile, facts, replica).gpus.map(({ uuid, index }) => uuid ?? String(index));
  return gpus.length === 0 ? {} : { gpus };
}

function announce({ name, first: { plan, spec }, all }: MadePlans, context: Context): void {
  const source = plan.engine.source;
  const engine = source.kind === 'simulator' ? 'simulated' : `vLLM ${plan.engine.version}`;
  const { host, port } = spec.endpoint;
  const about = { name, engine, backend: plan.backend, host, port };
  const text =
    all.length === 1 ? say('up.planned', about) : say('up.planned-replicas', { ...about, count: all.length, last: port + all.length - 1 });
  context.emit({ type: 'step-done', step: 'plan', text });
  for (const { severity, message } of plan.findings) {
    if (severity === 'warning') context.emit({ type: 'said', level: 'warning', text: message });
  }
  if (source.kind === 'managed') context.emit({ type: 'step-done', step: 'engine', text: say('up.engine-ready', { engine }) });
  if (source.kind === 'executable') {
    context.emit({
      type: 'step-done',
      step: 'engine',
      text: say('up.engine-external', { program: source.program, version: plan.engine.version }),
    });
  }
  if (source.kind === 'image')
    context.emit({ type: 'step-done', step: 'engine', text: say('up.engine-image', { engine, image: source.reference }) });
  if (source.kind === 'simulator') context.emit({ type: 'step-done', step: 'engine', text: say('up.simulator') });
}
