/**
 * Profiles that were read before: what came out, kept with the state of every file that it was made of. Reading YAML and
 * checking it takes longer than everything else that `plan` does, and of a profile that is used it is the same each time.
 */
import { mkdirSync, readFileSync, renameSync, type Stats, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { toFnv1a } from '../core/fnv.ts';
import { errnoOf } from '../host/files.ts';
import { toPackagePath } from '../host/package-files.ts';
import { toSpellings } from '../vllm/flag-words.ts';
import type { FlagCatalogue } from '../vllm/flags.ts';
import { type CheckedProfile, type LoadedProfile, toLoaded } from './checked.ts';
import type { ReadCache } from './files.ts';
import type { LoadOptions } from './load.ts';

/** Names this build of the program; absent where it was not built, and then nothing is kept. */
declare const __build: string | undefined;

/** As loadProfileAndFlags, and throws what that throws; of the catalogue only what writing a command line takes. */
export async function recallProfile(ref: string, options: LoadOptions): Promise<LoadedProfile> {
  return toLoaded(await createRecall(options)(ref));
}

/**
 * As checkProfile for many, in one go: files that several have in common are looked at once. Throws what that throws;
 * of the catalogue only what writing a command line takes.
 */
export function createRecall(options: LoadOptions): (ref: string) => Promise<CheckedProfile> {
  const { places, cwd, sets, unchecked } = options;
  const states: States = new Map();
  const shared: Shared = { options, states, startedAt: Date.now(), spellings: new Map() };
  return async (ref) => {
    if (typeof __build === 'undefined') return toSlim(await (await import('./load.ts')).checkProfile(ref, options), shared);
    const key = JSON.stringify([__build, ref, cwd, sets, unchecked ?? false, places.config, places.data, homedir()]);
    const file = join(places.cache, 'profiles', toFileName(ref, cwd));
    return recall(file, key, states) ?? read(ref, { key, file, shared });
  };
}

/** Path → what is there, as of this run. */
type States = Map<string, string>;

interface Shared {
  readonly options: LoadOptions;
  readonly states: States;
  readonly startedAt: number;
  readonly spellings: Map<FlagCatalogue, FlagCatalogue>;
  cache?: ReadCache;
}

interface Kept {
  readonly key: string;
  /** Everything that was looked at → what was there. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly checked: CheckedProfile;
}

function recall(file: string, key: string, states: States): CheckedProfile | undefined {
  try {
    const { uid, mode } = statSync(file);
    // Whoever can write here chooses what we start.
    if (uid !== process.getuid?.() || (mode & 0o022) !== 0) return undefined;
    const kept: Kept = JSON.parse(readFileSync(file, 'utf8'));
    if (kept.key !== key) return undefined;
    return Object.entries(kept.inputs).every(([path, state]) => readState(path, states) === state) ? kept.checked : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || errnoOf(error) !== undefined) return undefined;
    throw error;
  }
}

interface Reading {
  readonly key: string;
  readonly file: string;
  readonly shared: Shared;
}

async function read(ref: string, { key, file, shared }: Reading): Promise<CheckedProfile> {
  const [{ checkProfile, createReadCache }, { recordReads }] = await Promise.all([import('./load.ts'), import('./files.ts')]);
  const { options, states, startedAt } = shared;
  shared.cache ??= options.cache ?? createReadCache(options);
  const { cache, paths } = recordReads(shared.cache);
  const checked = toSlim(await checkProfile(ref, { ...options, cache }), shared);
  const flags = [join(options.places.data, 'flags'), toPackagePath('data', 'flags')];
  const inputs = [...paths, ...flags];
  if (inputs.every((path) => isOlder(path, startedAt))) {
    keep(file, { key, inputs: Object.fromEntries(inputs.map((path) => [path, readState(path, states)])), checked });
  }
  return checked;
}

function toSlim({ catalogue, ...checked }: CheckedProfile, { spellings }: Shared): CheckedProfile {
  if (catalogue === undefined) return checked;
  const known = spellings.get(catalogue) ?? toSpellings(catalogue);
  spellings.set(catalogue, known);
  return { ...checked, catalogue: known };
}

/** Clocks of file systems are coarse: what changed just now may have changed after it was read. */
const clockMs = 100;

function isOlder(path: string, wallMs: number): boolean {
  const facts = readStats(path);
  return facts === undefined || facts.ctimeMs < wallMs - clockMs;
}

function readState(path: string, states: States): string {
  const known = states.get(path);
  if (known !== undefined) return known;
  const facts = readStats(path);
  const state = facts === undefined ? '' : `${facts.ino} ${facts.size} ${facts.mtimeMs} ${facts.ctimeMs}`;
  states.set(path, state);
  return state;
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
  }
}

/** One for each profile and place; another one of the same name is not taken for it, because the key is compared. */
function toFileName(ref: string, cwd: string): string {
  return `${ref.replaceAll(/[^\w-]/g, '_').slice(-60)}-${toFnv1a(`${cwd}\n${ref}`)}.json`;
}
