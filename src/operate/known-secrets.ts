/** Values that are secret, as far as this shell and this machine know them. */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { DeployError } from '../core/error.ts';
import type { LaunchSpec } from '../plan/launch-spec.ts';
import type { SecretRef } from '../profile/profile.ts';
import { readSecret } from '../supervisor/launch/work.ts';

/** Of what one deployment was given, and of the hub's token. */
export async function readSecretsOf(spec: LaunchSpec, env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const [values, tokens] = await Promise.all([readValues(toRefs(spec), env), readTokens(env)]);
  return [...values, ...tokens];
}

export function toRefs({ secretEnv, apiKey }: LaunchSpec): readonly SecretRef[] {
  return [...Object.values(secretEnv), ...(apiKey ? [apiKey] : [])];
}

/** Without those that are not set here. */
export async function readValues(refs: readonly SecretRef[], env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const values = await Promise.all([...new Set(refs)].map((ref) => readValue(ref, env)));
  return values.filter((value) => value !== '');
}

/** The hub's token is in a variable or in a file. */
export async function readTokens(env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const home = env.HF_HOME || join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'huggingface');
  const paths = [env.HF_TOKEN_PATH, join(home, 'token')].filter((path) => path !== undefined);
  const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8').catch(() => '')));
  return [env.HF_TOKEN ?? '', ...texts].map((text) => text.trim()).filter((text) => text !== '');
}

async function readValue(ref: SecretRef, env: NodeJS.ProcessEnv): Promise<string> {
  const given = Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
  try {
    return await readSecret(ref, given, { trusting: true });
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    return '';
  }
}
