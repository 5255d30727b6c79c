import type { InstalledEngine } from '../engine/engine.ts';
import { listEngines } from '../engine/installed.ts';
import type { Docker } from '../host/docker/docker.ts';
import { findFlagOrigin } from '../profile/shelf.ts';
import type { Context } from './context.ts';
import { type ListedImage, listImages } from './list-images.ts';

export interface EngineList {
  readonly kind: 'EngineList';
  readonly version: 1;
  readonly engines: readonly ListedEngine[];
  readonly images: readonly ListedImage[];
}

export interface ListedEngine extends InstalledEngine {
  /** Where what is known about its settings comes from: this package, or the engine itself (`engine sync-flags`). */
  readonly flags: 'shipped' | 'read' | 'none';
}

/** What this program has installed, images too; half-done installations are not in it. */
export async function readEngineList(context: Pick<Context, 'places' | 'env' | 'emit' | 'signal'>, docker?: Docker): Promise<EngineList> {
  const { places } = context;
  const engines = (await listEngines(places)).map(async (engine) => ({
    ...engine,
    flags: (await findFlagOrigin(engine.version, places)) ?? ('none' as const),
  }));
  return { kind: 'EngineList', version: 1, engines: await Promise.all(engines), images: await listImages(context, docker) };
}
