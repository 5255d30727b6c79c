import type { Plan } from '../plan/plan.ts';
import { findFlagOrigin } from '../profile/shelf.ts';
import type { Context } from './context.ts';

/**
 * The first use of an engine whose settings nobody knows reads them from it, saying so. True when they are known anew:
 * then the plan has to be made again by them. An engine that does not tell is used all the same.
 */
export async function ensureFlags({ source, version }: Plan['engine'], context: Context): Promise<boolean> {
  if (source.kind === 'simulator' || source.kind === 'image' || (source.kind === 'managed' && !source.installed)) return false;
  if ((await findFlagOrigin(version, context.places)) !== undefined) return false;
  const { syncUnknownFlags } = await import('./engine-sync-flags.ts');
  return syncUnknownFlags({ version, executable: source.program }, context);
}
