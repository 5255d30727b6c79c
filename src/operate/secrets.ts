import type { LaunchSpec } from '../plan/launch-spec.ts';
import { readSecret } from '../supervisor/launch-work.ts';
import type { Context } from './context.ts';

/**
 * Values of `env:` references from this shell, to be handed to the supervisor in memory (it may have been started
 * from another shell). Checked now, so that a missing one is an error before anything is started.
 */
export async function readOwnSecrets(spec: LaunchSpec, context: Context): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {};
  for (const ref of Object.values(spec.secretEnv)) {
    const value = await readSecret(ref, toStrings(context.env));
    if (ref.startsWith('env:')) found[ref.slice('env:'.length)] = value;
  }
  return found;
}

/** The key that requests to this deployment need, when this shell can know it. */
export async function readApiKey(spec: LaunchSpec, context: Context): Promise<string | undefined> {
  return spec.apiKey === undefined ? undefined : readSecret(spec.apiKey, toStrings(context.env));
}

function toStrings(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}
