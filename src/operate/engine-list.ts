import type { InstalledEngine } from '../engine/engine.ts';
import { listEngines } from '../engine/installed.ts';
import type { Context } from './context.ts';

export interface EngineList {
  readonly kind: 'EngineList';
  readonly version: 1;
  readonly engines: readonly InstalledEngine[];
}

/** What this program has installed; half-done installations are not in it. */
export async function readEngineList({ places }: Pick<Context, 'places'>): Promise<EngineList> {
  return { kind: 'EngineList', version: 1, engines: await listEngines(places) };
}
