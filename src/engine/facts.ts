import { join } from 'node:path';
import type { Places } from '../host/environment.ts';
import { toInstallEnvironment } from './environment.ts';
import { toEngineId, toEnginesDirectory } from './installed.ts';
import type { InstallFacts, InstallRequest } from './plan-install.ts';
import { type ObservedPython, observePythons } from './python.ts';
import { readSources } from './sources.ts';
import { observeUv } from './uv.ts';

export interface FactsContext {
  readonly places: Places;
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
  /** Where they have been looked at already: each is a program to run. */
  readonly pythons?: () => Promise<readonly ObservedPython[]>;
}

/** Everything about this machine that an installation is planned from. Changes nothing. */
export async function observeInstallFacts(request: InstallRequest, context: FactsContext): Promise<InstallFacts> {
  const env = toInstallEnvironment(context.env);
  const [pythons, uv, sources] = await Promise.all([
    context.pythons?.() ?? observePythons(env, context.signal),
    observeUv(env, context.signal),
    readSources(context.env),
  ]);
  const directory = join(toEnginesDirectory(context.places), toEngineId(request.variant, request.version));
  return { directory, pythons, ...(uv ? { uv } : {}), sources };
}
