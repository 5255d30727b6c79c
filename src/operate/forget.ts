import { rm } from 'node:fs/promises';
import { readSupervised } from '../control/client.ts';
import { DeployError } from '../core/error.ts';
import type { Context } from './context.ts';
import { findDeployment } from './reach.ts';

/** Drops the record, journal and logs of a deployment that is down. */
export async function forget(
  request: { readonly name: string },
  context: Context,
): Promise<{ readonly name: string; readonly removed: readonly string[] }> {
  const { name, paths, state } = await findDeployment(request.name, 'forget', context);
  const supervised = await readSupervised({ name, socket: paths.socket });
  const down = state.life === 'stopped' || state.life === 'failed';
  if (!down || supervised) throw DeployError.of('deployment/is-up', { name });
  await rm(paths.directory, { recursive: true, force: true });
  return { name, removed: [paths.directory] };
}
