import { listDeployments } from '../control/directory.ts';
import { DeployError } from '../core/error.ts';
import { say } from '../core/message.ts';
import { errnoOf } from '../host/files.ts';
import { isAlive, readBootId } from '../host/proc.ts';
import type { Deployment, DeploymentList } from '../supervisor/deployment.ts';
import { type State, toDeployment } from '../supervisor/state.ts';
import type { Context } from './context.ts';
import { findDeployment, readRunning } from './find.ts';

/** All deployments; one that cannot be read is named and left out. Reports, changes nothing, starts nothing. */
export async function readStatusList(context: Context): Promise<DeploymentList> {
  const documents = await Promise.all(listDeployments(context.places).map((name) => readListed(name, context)));
  return { kind: 'DeploymentList', version: 1, deployments: documents.filter((one) => one !== undefined) };
}

/** The supervisor's memory first: it is the newest, and there even when what lies on the disk cannot be read. */
async function readListed(name: string, context: Context): Promise<Deployment | undefined> {
  try {
    const supervised = await readQuickly(name, context);
    if (supervised) return supervised;
    const { state } = await findDeployment(name, 'status', context);
    return await readUnsupervised(state);
  } catch (error) {
    if (error instanceof DeployError && error.code === 'deployment/unknown') return undefined;
    if (!isUnreadable(error)) throw error;
    const problem = error instanceof DeployError ? error.code : (errnoOf(error) ?? '');
    context.emit({ type: 'said', level: 'warning', text: say('status.unreadable', { name, problem }) });
    return undefined;
  }
}

export function isUnreadable(error: unknown): boolean {
  if (error instanceof DeployError) return error.code === 'state/corrupt' || error.code === 'state/newer';
  return errnoOf(error) !== undefined;
}

/** What the supervisor says; without one, what is on disk, with what can be seen of the engine from outside. */
export async function readDocument(name: string, state: State, context: Context): Promise<Deployment> {
  return (await readQuickly(name, context)) ?? (await readUnsupervised(state));
}

async function readUnsupervised(state: State): Promise<Deployment> {
  const document = toDeployment(state, { wallMs: Date.now() });
  if (document.pid === undefined || (await isEngineAlive(state))) return document;
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

async function isEngineAlive(state: State): Promise<boolean> {
  const { launch } = state;
  if (launch?.process === undefined || launch.bootId !== (await readBootId())) return false;
  return isAlive(launch.process);
}
