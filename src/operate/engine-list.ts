import type { InstalledEngine } from '../engine/engine.ts';
import { listEngines } from '../engine/installed.ts';
import { findFlagOrigin } from '../profile/shelf.ts';
import type { Context } from './context.ts';

export interface EngineList {
  readonly kind: 'EngineList';
  readonly version: 1;
  readonly engines: readonly ListedEngine[];
}

export interface ListedEngine extends InstalledEngine {
  /** Where what is known about its settings comes from: this package, or the engine itself (`engine sync-flags`). */
  readonly flags: 'shipped' | 'read' | 'none';
}

/** What this program has installed; half-done installations are not in it. */
export async function readEngineList({ places }: Pick<Context, 'places'>): Promise<EngineList> {
  const engines = (await listEngines(places)).map(async (engine) => ({
    ...engine,
    flags: (await findFlagOrigin(engine.version, places)) ?? ('none' as const),
  }));
  return { kind: 'EngineList', version: 1, engines: await Promise.all(engines) };
}
