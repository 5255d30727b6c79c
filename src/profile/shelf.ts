/**
 * Where catalogues of flags stand: those that come with the package, and those that this program has read from engines
 * of this machine. The latter come first: they know the plug-ins that are installed there.
 */
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Places } from '../host/environment.ts';
import { errnoOf, readTextFile, writeFileAtomic } from '../host/files.ts';
import { listPackageFiles, readPackageJson } from '../host/package-files.ts';
import { toRelease } from '../vllm/flag-version.ts';
import type { FlagCatalogue } from '../vllm/flags.ts';
import type { FlagShelf } from './flags.ts';

type Owner = Pick<Places, 'data'>;

export function createFlagShelf(places: Owner): FlagShelf {
  return {
    list: async () => [...new Set([...(await listOwn(places)), ...(await listShipped())])],
    read: async (name) => (await readOwn(name, places)) ?? (await readPackageJson('data', 'flags', `${name}.json`)),
  };
}

export type FlagOrigin = 'shipped' | 'read';

/** Where the catalogue of exactly this version comes from; undefined when there is none. */
export async function findFlagOrigin(version: string, places: Owner): Promise<FlagOrigin | undefined> {
  const release = toRelease(version);
  if ((await readOwn(release, places)) !== undefined) return 'read';
  return (await listShipped()).includes(release) ? 'shipped' : undefined;
}

export function toFlagsDirectory(places: Owner): string {
  return join(places.data, 'flags');
}

/** Its path. The directory must be there. */
export async function writeOwnCatalogue(catalogue: FlagCatalogue, places: Owner): Promise<string> {
  // Only who writes one needs it; every plan reads.
  const { renderCatalogue } = await import('../vllm/flag-dump.ts');
  const path = join(toFlagsDirectory(places), `${catalogue.version}.json`);
  await writeFileAtomic(path, renderCatalogue(catalogue, { schema }));
  return path;
}

/** Of the files in the data directory: one that another version of this program wrote otherwise is as good as none. */
const schema = 1;

async function readOwn(name: string, places: Owner): Promise<unknown> {
  try {
    const text = await readTextFile(join(toFlagsDirectory(places), `${name}.json`));
    const value: unknown = text === undefined ? undefined : JSON.parse(text);
    const isOurs = typeof value === 'object' && value !== null && 'schema' in value && value.schema === schema;
    return isOurs && 'flags' in value && 'groups' in value ? value : undefined;
  } catch (error) {
    // Not whole, or not ours to read: it is as if it were not there, and can be read from the engine again.
    if (error instanceof SyntaxError || errnoOf(error) !== undefined) return undefined;
    throw error;
  }
}

async function listOwn(places: Owner): Promise<readonly string[]> {
  try {
    return toNames(await readdir(toFlagsDirectory(places)));
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    // nothing was read here yet
    return [];
  }
}

async function listShipped(): Promise<readonly string[]> {
  return toNames(await listPackageFiles('data', 'flags'));
}

function toNames(files: readonly string[]): readonly string[] {
  return files.filter((name) => name.endsWith('.json')).map((name) => basename(name, '.json'));
}
