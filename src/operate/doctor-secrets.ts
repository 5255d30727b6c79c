/** Values that must not stand in what leaves the machine. */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { listDeployments } from '../control/directory.ts';
import { DeployError } from '../core/error.ts';
import type { LaunchSpec } from '../plan/launch-spec.ts';
import { listProfiles } from '../profile/load.ts';
import type { SecretRef } from '../profile/profile.ts';
import { createRecall } from '../profile/recall.ts';
import { isReference, isSecretName } from '../profile/secrets.ts';
import { readSecret } from '../supervisor/launch-work.ts';
import type { Context } from './context.ts';
import { readReadableState } from './find.ts';
import type { MadePlans } from './plan.ts';

/** Of variables with such names, of the hub's token file, and of every reference that a profile or a deployment here has. */
export async function readSecrets(made: MadePlans | undefined, context: Context): Promise<readonly string[]> {
  const { env } = context;
  const variables = Object.entries(env).flatMap(([name, value]) => (isSecretName(name) && value ? [value] : []));
  const specs = [...(made?.all.map(({ spec }) => spec) ?? []), ...(await readSpecs(context))];
  const refs = [...specs.flatMap(toRefs), ...(await readProfileRefs(context))];
  const values = await Promise.all([...new Set(refs)].map((ref) => readValue(ref, env)));
  return [...variables, ...values.filter((value) => value !== ''), ...(await readTokenFiles(env))];
}

async function readSpecs(context: Context): Promise<readonly LaunchSpec[]> {
  const states = await Promise.all(listDeployments(context.places).map((name) => readReadableState(name, context)));
  return states.flatMap((state) => (state ? [state.wanted.spec] : []));
}

function toRefs({ secretEnv, apiKey }: LaunchSpec): readonly SecretRef[] {
  return [...Object.values(secretEnv), ...(apiKey ? [apiKey] : [])];
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

/** Empty for one that is not set here. */
async function readValue(ref: SecretRef, env: NodeJS.ProcessEnv): Promise<string> {
  const given = Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
  try {
    return await readSecret(ref, given);
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    return '';
  }
}

async function readTokenFiles(env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const home = env.HF_HOME || join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'huggingface');
  const paths = [env.HF_TOKEN_PATH, join(home, 'token')].filter((path) => path !== undefined);
  const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8').catch(() => '')));
  return texts.map((text) => text.trim()).filter((text) => text !== '');
}
