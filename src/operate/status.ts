import { readSupervised } from '../control/client.ts';
import { listDeployments, toDeploymentPaths } from '../control/directory.ts';
import { isDead, readBootId, readProcess } from '../host/proc.ts';
import type { Deployment, DeploymentList } from '../supervisor/deployment.ts';
import { type State, toDeployment } from '../supervisor/state.ts';
import { readState } from '../supervisor/store.ts';
import type { Context } from './context.ts';
import { findDeployment } from './reach.ts';

/** Reports, changes nothing, starts nothing. */
export async function readStatus(name: string, context: Context): Promise<Deployment> {
  const known = await findDeployment(name, 'status', context);
  const document = await readDocument(known.name, known.state, context);
  return { ...document, configDrift: await hasDrifted(known.state, context) };
}

export async function readStatusList(context: Context): Promise<DeploymentList> {
  const names = await listDeployments(context.places);
  const documents = await Promise.all(
    names.map(async (name) => {
      const state = await readState(toDeploymentPaths(context.places, name).state, name);
      return state && readDocument(name, state, context);
    }),
  );
  return { kind: 'DeploymentList', version: 1, deployments: documents.filter((one) => one !== undefined) };
}

/** What the supervisor says; without one, what is on disk, with what can be seen of the engine from outside. */
export async function readDocument(name: string, state: State, context: Context): Promise<Deployment> {
  const { socket } = toDeploymentPaths(context.places, name);
  const supervised = await readSupervised({ name, socket });
  if (supervised) return supervised;
  const document = toDeployment(state, { wallMs: Date.now() });
  if (document.pid === undefined || (await isAlive(state))) return document;
  const { pid: _, uptimeSeconds: __, ...rest } = document;
  return { ...rest, health: { ready: false, reason: 'the engine process is gone and nobody supervises it' } };
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
  } catch {
    // The profile is gone or broken now: certainly not what runs.
    return true;
  }
}
