import { listDeployments } from '../control/directory.ts';
import { DeployError } from '../core/error.ts';
import { say } from '../core/message.ts';
import { errnoOf } from '../host/files.ts';
import { isDead, readBootId, readProcess } from '../host/proc.ts';
import type { Deployment, DeploymentList } from '../supervisor/deployment.ts';
import { type State, toDeployment } from '../supervisor/state.ts';
import type { Context } from './context.ts';
import { findDeployment, readRunning } from './reach.ts';

/** Reports, changes nothing, starts nothing. */
export async function readStatus(name: string, context: Context): Promise<Deployment> {
  try {
    const { state } = await findDeployment(name, 'status', context);
    const document = await readDocument(name, state, context);
    return { ...document, configDrift: await hasDrifted(state, context) };
  } catch (error) {
    // What lies on the disk cannot be read; what is in the supervisor's memory can.
    const running = isUnreadable(error) ? await readRunning(name, context) : undefined;
    if (running) return running.document;
    throw error;
  }
}

/** One deployment that cannot be read is named and left out. */
export async function readStatusList(context: Context): Promise<DeploymentList> {
  const names = await listDeployments(context.places);
  const documents = await Promise.all(names.map((name) => readListed(name, context)));
  return { kind: 'DeploymentList', version: 1, deployments: documents.filter((one) => one !== undefined) };
}

async function readListed(name: string, context: Context): Promise<Deployment | undefined> {
  try {
    const { state } = await findDeployment(name, 'status', context);
    return await readDocument(name, state, context);
  } catch (error) {
    if (error instanceof DeployError && error.code === 'deployment/unknown') return undefined;
    if (!isUnreadable(error)) throw error;
    const running = await readRunning(name, context);
    if (running) return running.document;
    const problem = error instanceof DeployError ? error.code : (errnoOf(error) ?? '');
    context.emit({ type: 'said', level: 'warning', text: say('status.unreadable', { name, problem }) });
    return undefined;
  }
}

function isUnreadable(error: unknown): boolean {
  if (error instanceof DeployError) return error.code === 'state/corrupt' || error.code === 'state/newer';
  return errnoOf(error) !== undefined;
}

/** What the supervisor says; without one, what is on disk, with what can be seen of the engine from outside. */
export async function readDocument(name: string, state: State, context: Context): Promise<Deployment> {
  const supervised = await readQuickly(name, context);
  if (supervised) return supervised;
  const document = toDeployment(state, { wallMs: Date.now() });
  if (document.pid === undefined || (await isAlive(state))) return document;
  const { pid: _, uptimeSeconds: __, ...rest } = document;
  return { ...rest, health: { ready: false, reason: 'the engine process is gone and nobody supervises it' } };
}

/** One that stands still is as good as none for a look from outside, and worth a word. */
async function readQuickly(name: string, context: Context): Promise<Deployment | undefined> {
  try {
    return (await readRunning(name, context))?.document;
  } catch (error) {
    if (!(error instanceof DeployError) || error.code !== 'supervisor/silent') throw error;
    context.emit({ type: 'said', level: 'warning', text: say('status.silent', { name }) });
    return undefined;
  }
}

async function isAlive(state: State): Promise<boolean> {
  const { launch } = state;
  if (launch?.process === undefined || launch.bootId !== (await readBootId())) return false;
  const facts = await readProcess(launch.process.pid);
  return !isDead(facts) && facts.startTicks === launch.process.startTicks;
}

/** Whether the profile, read again now, would start something else than what runs. */
async function hasDrifted(state: State, context: Context): Promise<boolean> {
  if (state.life === 'stopped') return false;
  const { makePlan } = await import('./plan.ts');
  const { ref, sets } = state.wanted.source;
  try {
    const { spec } = await makePlan({ profileRef: ref, name: state.name, sets, backend: state.wanted.spec.backend }, context);
    return spec.hash !== state.wanted.spec.hash;
  } catch (error) {
    // The profile is gone or broken now: certainly not what runs. Anything else says nothing about the profile.
    return error instanceof DeployError && error.code.startsWith('profile/');
  }
}
