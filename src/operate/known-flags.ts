/** What is known of the settings of a version of vLLM, for a diagnosis of one that refused a setting. */
import { readCatalogue, readHistory } from '../profile/flags.ts';
import { createFlagShelf } from '../profile/shelf.ts';
import type { KnownFlags } from '../supervisor/launch/explain-exit.ts';
import type { Context } from './context.ts';

/** Of the version, or of the nearest older one; undefined where none is that old. */
export async function readKnownFlags(version: string, places: Context['places']): Promise<KnownFlags | undefined> {
  const shelf = createFlagShelf(places);
  const { catalogue } = await readCatalogue(version, shelf);
  return catalogue && { catalogue, history: await readHistory(catalogue, shelf) };
}
