/** Values that must not stand in what leaves the machine. */
import { listDeployments } from '../control/directory.ts';
import { DeployError } from '../core/error.ts';
import type { LaunchSpec } from '../plan/launch-spec.ts';
import { listProfiles } from '../profile/load.ts';
import type { SecretRef } from '../profile/profile.ts';
import { createRecall } from '../profile/recall.ts';
import { isReference, isSecretName } from '../profile/secrets.ts';
import type { Context } from './context.ts';
import { readReadableState } from './find.ts';
import { readTokens, readValues, toRefs } from './known-secrets.ts';
import type { MadePlans } from './plan.ts';

/** Of variables with such names, of the hub's token file, and of every reference that a profile or a deployment here has. */
export async function readSecrets(made: MadePlans | undefined, context: Context): Promise<readonly string[]> {
  const { env } = context;
  const variables = Object.entries(env).flatMap(([name, value]) => (isSecretName(name) && value ? [value] : []));
  const specs = [...(made?.all.map(({ spec }) => spec) ?? []), ...(await readSpecs(context))];
  const refs = [...specs.flatMap(toRefs), ...(await readProfileRefs(context))];
  return [...variables, ...(await readValues(refs, env)), ...(await readTokens(env))];
}

async function readSpecs(context: Context): Promise<readonly LaunchSpec[]> {
  const states = await Promise.all(listDeployments(context.places).map((name) => readReadableState(name, context)));
  return states.flatMap((state) => (state ? [state.wanted.spec] : []));
}

async function readProfileRefs({ places, cwd }: Context): Promise<readonly SecretRef[]> {
  const recall = createRecall({ places, cwd, sets: [] });
  const checked = await Promise.all((await listProfiles({ places, cwd })).map(({ path }) => recall(path).catch(ignoreBroken)));
  return checked.flatMap((one) => {
    if (one?.profile === undefined) return [];
    const { server, engine } = one.profile;
    const references = Object.entries(engine.env).flatMap(([name, value]) => (isSecretName(name) && isSecretRef(value) ? [value] : []));
    return [...references, ...(server.apiKey ? [server.apiKey] : [])];
  });
}

function isSecretRef(text: string): text is SecretRef {
  return isReference(text);
}

function ignoreBroken(error: unknown): undefined {
  if (!(error instanceof DeployError)) throw error;
  return undefined;
}
