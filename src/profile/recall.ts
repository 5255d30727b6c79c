/**
 * Profiles that were read before: what came out, kept with the state of every file that it was made of. Reading YAML and
 * checking it takes longer than everything else that `plan` does, and of a profile that is used it is the same each time.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, type Stats, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { errnoOf } from '../host/files.ts';
import { toPackagePath } from '../host/package-files.ts';
import { toSpellings } from '../vllm/flag-words.ts';
import type { LoadedProfile, LoadOptions } from './load.ts';

/** Names this build of the program; absent where it was not built, and then nothing is kept. */
declare const __build: string | undefined;

/** As loadProfileAndFlags, and throws what that throws; of the catalogue only what writing a command line takes. */
export async function recallProfile(ref: string, options: LoadOptions): Promise<LoadedProfile> {
  if (typeof __build === 'undefined') return toSlim(await (await import('./load.ts')).loadProfileAndFlags(ref, options));
  const key = JSON.stringify([__build, ref, options.cwd, options.sets, options.places.config, options.places.data, homedir()]);
  const file = join(options.places.cache, 'profiles', toFileName(ref, options.cwd));
  return recall(file, key) ?? load(ref, { ...options, key, file });
}

/** Everything that was looked at → what was there. */
type Inputs = Readonly<Record<string, string>>;

interface Kept {
  readonly key: string;
  readonly inputs: Inputs;
  readonly loaded: LoadedProfile;
}

function recall(file: string, key: string): LoadedProfile | undefined {
  try {
    const { uid, mode } = statSync(file);
    // Whoever can write here chooses what we start.
    if (uid !== process.getuid?.() || (mode & 0o022) !== 0) return undefined;
    const kept: Kept = JSON.parse(readFileSync(file, 'utf8'));
    if (kept.key !== key) return undefined;
    return Object.entries(kept.inputs).every(([path, state]) => readFileState(path) === state) ? kept.loaded : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || errnoOf(error) !== undefined) return undefined;
    throw error;
  }
}

async function load(ref: string, options: LoadOptions & { readonly key: string; readonly file: string }): Promise<LoadedProfile> {
  const startedAt = Date.now();
  const { createReadCache, loadProfileAndFlags } = await import('./load.ts');
  const cache = createReadCache(options);
  const loaded = toSlim(await loadProfileAndFlags(ref, { ...options, cache }));
  const flags = [join(options.places.data, 'flags'), toPackagePath('data', 'flags')];
  const paths = [...new Set([...cache.known.keys(), ...cache.files.keys(), ...flags])];
  if (paths.every((path) => isOlder(path, startedAt))) {
    keep(options.file, { key: options.key, inputs: Object.fromEntries(paths.map((path) => [path, readFileState(path)])), loaded });
  }
  return loaded;
}

function toSlim({ catalogue, ...loaded }: LoadedProfile): LoadedProfile {
  return catalogue ? { ...loaded, catalogue: toSpellings(catalogue) } : loaded;
}

/** Clocks of file systems are coarse: what changed just now may have changed after it was read. */
const clockMs = 100;

function isOlder(path: string, wallMs: number): boolean {
  const facts = readStats(path);
  return facts === undefined || facts.ctimeMs < wallMs - clockMs;
}

function readFileState(path: string): string {
  const facts = readStats(path);
  return facts === undefined ? '' : `${facts.ino} ${facts.size} ${facts.mtimeMs} ${facts.ctimeMs}`;
}

function readStats(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    // Not to be looked at, now as then.
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}

/** In one piece or not at all; what cannot be kept is read again. */
function keep(file: string, kept: Kept): void {
  const temporary = `${file}.${process.pid}`;
  try {
    mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 });
    writeFileSync(temporary, JSON.stringify(kept), { mode: 0o600 });
    renameSync(temporary, file);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    rmSync(temporary, { force: true });
  }
}

/** One for each profile and place; another one of the same name is not taken for it, because the key is compared. */
function toFileName(ref: string, cwd: string): string {
  let hash = 0;
  for (const character of `${cwd}\n${ref}`) hash = (Math.imul(hash, 31) + (character.codePointAt(0) ?? 0)) | 0;
  return `${ref.replaceAll(/[^\w-]/g, '_').slice(-60)}-${(hash >>> 0).toString(16)}.json`;
}
