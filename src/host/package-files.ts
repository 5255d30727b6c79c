/** Files that come with the package and are not code: profiles, catalogues of flags. */
import { readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { readTextFile } from './files.ts';

/** The package's root: this is src/host/ in the sources, dist/ when bundled. */
export function toPackagePath(...parts: readonly string[]): string {
  const here = import.meta.dirname;
  return join(resolve(here, basename(here) === 'dist' ? '..' : '../..'), ...parts);
}

/** Undefined when the package has no such file. */
export async function readPackageJson(...parts: readonly string[]): Promise<unknown> {
  const text = await readTextFile(toPackagePath(...parts));
  return text === undefined ? undefined : JSON.parse(text);
}

export async function listPackageFiles(...parts: readonly string[]): Promise<readonly string[]> {
  return readdir(toPackagePath(...parts));
}
