/** What the doctor is asked about: a deployment, a profile that was named, or the one that this machine would get. */
import { DeployError } from '../core/error.ts';
import type { Finding } from '../core/finding.ts';
import { type Message, say } from '../core/message.ts';
import type { DoctorSubject } from '../doctor/check.ts';
import type { BackendName } from '../profile/profile.ts';
import { chooseProfile } from './choose.ts';
import type { Context } from './context.ts';
import type { World } from './doctor-world.ts';
import { findDeployment } from './find.ts';
import { findMeant } from './members.ts';
import { type MadePlans, makePlans, type PlanAsked, toAskedAgain } from './plan.ts';
import { findBlockers, readRecord, toFindings } from './plan-up.ts';

export interface SubjectRequest {
  /** Of a deployment; with a profile, the name that it would get. */
  readonly name?: string;
  /** A name or path; absent or `auto`: what this machine would get. */
  readonly profile?: string;
  readonly sets: readonly string[];
  readonly backend?: BackendName;
  readonly engineVersion?: string;
  readonly offline: boolean;
}

export interface ChosenSubject {
  readonly subject?: DoctorSubject;
  readonly made?: MadePlans;
  /** Why this one, where nobody named it. */
  readonly chosen?: Message;
  readonly problem?: { readonly ref: string; readonly error: DeployError };
  /** Of the plan. */
  readonly findings: readonly Finding[];
  /** What would stop `up`. Whatever a check says better is not said twice. */
  readonly blockers: readonly Finding[];
}

/** Throws what no look at the machine could make better: `profile/unknown`, `deployment/unknown`, `usage/…`. */
export async function chooseSubject(request: SubjectRequest, world: World, context: Context): Promise<ChosenSubject> {
  const asked = request.profile !== undefined && request.profile !== 'auto';
  let ref = request.profile ?? 'auto';
  try {
    const known = request.profile === undefined && request.name !== undefined ? await readDeployed(request.name, context) : undefined;
    const choice = asked || known ? undefined : await chooseHere(request, world, context);
    ref = known?.profileRef ?? choice?.profile ?? ref;
    const made = await makePlans({ ...toAsked(request, ref), ...known, observed: toObserved(world) }, context);
    return {
      ...(await toSubject(made, { asked: asked || known !== undefined, world, context })),
      ...(choice ? { chosen: choice.reason } : {}),
    };
  } catch (error) {
    if (!(error instanceof DeployError) || !isAnswer(error)) throw error;
    return { problem: { ref, error }, findings: error.findings, blockers: [] };
  }
}

/** The rest of the machine is worth a look all the same. */
function isAnswer({ code }: DeployError): boolean {
  return ['profile/invalid', 'profile/cycle', 'profile/unreadable', 'host/gpu-silent'].includes(code);
}

type Known = Pick<PlanAsked, 'profileRef' | 'sets' | 'unchecked' | 'name' | 'backend'>;

async function readDeployed(name: string, context: Context): Promise<Known> {
  const meant = await findMeant(name, context);
  const { state } = await findDeployment(meant.is === 'one' ? meant.name : meant.names[0], 'doctor', context);
  const { source, spec } = state.wanted;
  return { ...toAskedAgain(source), name: source.member?.group ?? state.name, backend: spec.backend };
}

/** Whether package sources answer is a question of its own among the checks. */
async function chooseHere({ offline }: SubjectRequest, { gpus, elsewhere }: World, context: Context) {
  return chooseProfile(context, {
    noInstall: false,
    offline,
    trusting: true,
    observed: { gpus: await gpus(), elsewhere: elsewhere !== undefined },
  });
}

function toAsked({ name, sets, backend, engineVersion }: SubjectRequest, profileRef: string): PlanAsked {
  return {
    profileRef,
    sets: engineVersion === undefined ? sets : [...sets, `engine.version="${engineVersion}"`],
    ...(name === undefined ? {} : { name }),
    ...(backend === undefined ? {} : { backend }),
  };
}

function toObserved({ gpus, elsewhere }: World): NonNullable<PlanAsked['observed']> {
  return { gpus, elsewhere: elsewhere !== undefined };
}

interface Looking {
  readonly asked: boolean;
  readonly world: World;
  readonly context: Context;
}

async function toSubject(made: MadePlans, { asked, world, context }: Looking): Promise<ChosenSubject> {
  const { first, all, profile } = made;
  const held = await Promise.all(
    all.map(async ({ name }) => world.elsewhere === undefined && (await readRecord(name, context)).holdsMachine),
  );
  const { plan, facts } = first;
  return {
    subject: { profile, plan: { ...plan, name: made.name }, facts, asked, running: held.includes(true) },
    made,
    findings: plan.findings.filter(({ severity }) => severity !== 'info'),
    blockers: toFindings(await findBlockers(made, (at) => held[at] === true)),
  };
}

/** Said where the profile was named on a machine of somebody else. */
export function toElsewhereText(elsewhere: string): Message {
  return say('doctor.elsewhere', { what: elsewhere });
}
