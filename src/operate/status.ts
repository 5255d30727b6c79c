import { DeployError } from '../core/error.ts';
import type { Finding } from '../core/finding.ts';
import { type Deployment, type DeploymentList, isServing } from '../supervisor/deployment.ts';
import { toBase } from '../supervisor/reduce/ladder.ts';
import type { State } from '../supervisor/state.ts';
import type { Context } from './context.ts';
import { findDeployment, readRunning } from './find.ts';
import { findMeant } from './members.ts';
import { isUnreadable, readDocument } from './status-list.ts';

/** Reports, changes nothing, starts nothing. */
export async function readStatus(name: string, context: Context): Promise<Deployment> {
  try {
    const { state } = await findDeployment(name, 'status', context);
    const document = await readDocument(name, state, context);
    const findings = [...(document.findings ?? []), ...(await findGrown(state, context))];
    return { ...document, configDrift: await hasDrifted(state, context), ...(findings.length === 0 ? {} : { findings }) };
  } catch (error) {
    // What lies on the disk cannot be read; what is in the supervisor's memory can.
    const running = isUnreadable(error) ? await readRunning(name, context) : undefined;
    if (running) return running.document;
    throw error;
  }
}

/** The same of what a name means: one, or all replicas of a group. */
export async function readStatusOf(name: string, context: Context): Promise<Deployment | DeploymentList> {
  const meant = await findMeant(name, context);
  if (meant.is === 'one') return readStatus(name, context);
  const deployments = await Promise.all(meant.names.map((one) => readStatus(one, context)));
  return { kind: 'DeploymentList', version: 1, deployments };
}

/** What needs hours to be seen is not looked for before. */
const growthAfterMs = 3 * 3_600_000;

async function findGrown(state: State, context: Context): Promise<readonly Finding[]> {
  if (!isServing(state.life) || Date.now() - Date.parse(state.readyAt ?? '') < growthAfterMs) return [];
  const { findGrowth } = await import('./history.ts');
  return findGrowth(state, context);
}

/** Whether the profile, read again now, would start something else than what runs. */
async function hasDrifted(state: State, context: Context): Promise<boolean> {
  if (state.life === 'stopped') return false;
  const { makePlanOf, toAskedAgain } = await import('./plan.ts');
  const { source, spec } = state.wanted;
  const { member } = source;
  const about = { ...toAskedAgain(source), backend: spec.backend };
  const who = member ? { name: member.group, replica: member.replica } : { name: state.name };
  try {
    const made = await makePlanOf({ ...about, ...who }, context);
    return made?.spec.hash !== toBase(state.wanted).spec.hash;
  } catch (error) {
    // The profile is gone or broken now: certainly not what runs. Anything else says nothing about the profile.
    return error instanceof DeployError && error.code.startsWith('profile/');
  }
}
