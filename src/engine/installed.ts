/** Reading what is installed: an engine is there when its marker is, which is written last and removed first. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Places } from '../host/environment.ts';
import { errnoOf, readTextFile, writeFileAtomic } from '../host/files.ts';
import type { EngineVariant } from '../profile/profile.ts';
import type { InstalledEngine } from './engine.ts';
import { isProgram } from './path.ts';
import { compareVersions } from './version.ts';

const markerName = 'engine.json';

export function toEnginesDirectory(places: Places): string {
  return join(places.data, 'engines');
}

/** `cpu-0.32.0`: also the name of its directory. */
export function toEngineId(variant: EngineVariant, version: string): string {
  return `${variant}-${version}`;
}

/** All that are completely installed; newest version first within a variant. */
export async function listEngines(places: Places): Promise<readonly InstalledEngine[]> {
  const names = await listNames(toEnginesDirectory(places));
  const engines = await Promise.all(names.map((name) => readEngine(places, name)));
  return engines
    .filter((engine) => engine !== undefined)
    .sort((a, b) => b.variant.localeCompare(a.variant) || compareVersions(b.version, a.version) || a.id.localeCompare(b.id));
}

/** Ids of everything that takes space: whole engines, and what interrupted installations left. */
export async function listEngineDirectories(places: Places): Promise<readonly string[]> {
  const directory = toEnginesDirectory(places);
  const ids = (await listNames(directory)).filter((name) => idForm.test(name));
  const contents = await Promise.all(ids.map((id) => listNames(join(directory, id))));
  return ids.filter((_, at) => contents[at]?.some((name) => name !== 'lock'));
}

const idForm = /^(cpu|gpu)-\d[\w.]*$/;

/** Undefined when there is none, when its installation never ended, or when its program has gone. */
export async function readEngine(places: Places, id: string): Promise<InstalledEngine | undefined> {
  if (!idForm.test(id)) return undefined;
  const directory = join(toEnginesDirectory(places), id);
  const marker = parseMarker(await readTextFile(join(directory, markerName)));
  if (marker === undefined) return undefined;
  const engine: InstalledEngine = {
    ...marker,
    id,
    directory,
    program: join(directory, 'venv', 'bin', 'vllm'),
    python: join(directory, 'venv', 'bin', 'python'),
  };
  return (await isProgram(engine.program)) && (await isProgram(engine.python)) ? engine : undefined;
}

/** What the marker keeps: the rest follows from where it lies. */
export type EngineMarker = Omit<InstalledEngine, 'id' | 'directory' | 'program' | 'python'>;

/** From this moment on the engine counts as installed. */
export async function writeMarker(directory: string, marker: EngineMarker): Promise<void> {
  await writeFileAtomic(join(directory, markerName), `${JSON.stringify({ schema: 1, ...marker }, null, 2)}\n`);
}

export function toMarkerPath(directory: string): string {
  return join(directory, markerName);
}

/** Undefined for anything that this program did not write whole: then it is simply not installed. */
export function parseMarker(text: string | undefined): EngineMarker | undefined {
  if (text === undefined) return undefined;
  try {
    const value: Partial<EngineMarker> = JSON.parse(text);
    const { variant, version, torch, pythonVersion, installedAt, sizeBytes, bytecode } = value;
    if (variant !== 'cpu' && variant !== 'gpu') return undefined;
    if (typeof version !== 'string' || typeof torch !== 'string' || typeof pythonVersion !== 'string') return undefined;
    if (typeof installedAt !== 'string' || typeof sizeBytes !== 'number') return undefined;
    return { variant, version, torch, pythonVersion, installedAt, sizeBytes, bytecode: bytecode === true };
  } catch {
    // cut short or not ours
    return undefined;
  }
}

/** Empty where there is no such directory. */
export async function listNames(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}
