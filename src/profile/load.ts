/** Finds profiles and reads them with all that they extend. The one file of this room that touches the disk. */
import { readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { DeployError } from '../core/error.ts';
import type { Finding } from '../core/finding.ts';
import { type Message, say } from '../core/message.ts';
import { toNearest } from '../core/nearest.ts';
import type { Places } from '../host/environment.ts';
import { errnoOf, readTextFile } from '../host/files.ts';
import { listPackageFiles, readPackageJson, toPackagePath } from '../host/package-files.ts';
import type { FlagCatalogue } from '../vllm/flags.ts';
import { anchorPaths } from './anchor.ts';
import { checkFlags, type FlagShelf } from './flags.ts';
import { mergeLayers } from './inherit.ts';
import type { Layer, Source } from './layer.ts';
import { parseProfile } from './parse.ts';
import type { Profile } from './profile.ts';
import { resolveProfile } from './resolve.ts';
import { checkProfileRules } from './rules/index.ts';
import { parseSets } from './set.ts';

export interface Where {
  readonly places: Places;
  readonly cwd: string;
}

export interface LoadOptions extends Where {
  /** `key.path=value`, later ones win. */
  readonly sets: readonly string[];
}

export interface LoadedProfile {
  readonly profile: Profile;
  /** What its engine's version knows; absent where nothing is known of it. */
  readonly catalogue?: FlagCatalogue;
  /** Findings that are no errors. */
  readonly notes: readonly Finding[];
}

/**
 * A profile by name or path, with everything it extends and the `--set`s, resolved. Throws `profile/unknown`,
 * `profile/unreadable`, `profile/cycle`, and `profile/invalid` with every finding of every file.
 */
export async function loadProfile(ref: string, options: LoadOptions): Promise<Profile> {
  return (await loadProfileAndFlags(ref, options)).profile;
}

/** The same, with what is known about the settings of the engine that it names. */
export async function loadProfileAndFlags(ref: string, options: LoadOptions): Promise<LoadedProfile> {
  const { source, findings, profile, catalogue } = await checkProfile(ref, options);
  if (profile) return { profile, notes: findings, ...(catalogue ? { catalogue } : {}) };
  const count = findings.filter(({ severity }) => severity === 'error').length;
  throw DeployError.of('profile/invalid', { source, count }, { findings: findings.toSorted(bySeverity) });
}

function bySeverity(a: Finding, b: Finding): number {
  return Number(b.severity === 'error') - Number(a.severity === 'error');
}

/** The catalogues that come with the package. */
export const flagShelf: FlagShelf = {
  list: async () => (await listPackageFiles('data', 'flags')).map((name) => basename(name, '.json')),
  read: (name) => readPackageJson('data', 'flags', `${name}.json`),
};

export interface CheckedProfile {
  /** For people: `shipped:NAME`, or the path. */
  readonly source: string;
  /** File after file, and in each from top to bottom. */
  readonly findings: readonly Finding[];
  /** Absent when an error stands in its way. */
  readonly profile?: Profile;
  readonly catalogue?: FlagCatalogue;
}

/** Everything that the profile alone shows to be wrong. Throws `profile/unknown`, `profile/unreadable`, `profile/cycle` and `usage/bad-set`. */
export function checkProfile(ref: string, options: LoadOptions): Promise<CheckedProfile> {
  return readProfile(ref, options, flagShelf);
}

async function readProfile(ref: string, { places, cwd, sets }: LoadOptions, flags: FlagShelf | undefined): Promise<CheckedProfile> {
  const shelves = toShelves({ places, cwd });
  const found = await findProfile(ref, { shelves, base: cwd });
  if (found === undefined) throw DeployError.of('profile/unknown', { name: ref, nearest: toNearestText(ref, await listNames(shelves)) });
  const findings: Finding[] = [];
  const sources: Source[] = [];
  const missing: string[] = [];
  const layers = await readLayers(found, { shelves, findings, sources, missing, chain: [] });
  const given = parseSets(sets);
  findings.push(...given.findings);
  // Without all files nobody knows which vLLM is meant.
  const checked = flags && missing.length === 0 ? await checkFlags([...sources, given.source], findings, flags) : undefined;
  const catalogue = checked?.catalogue;
  const problems = checked ? checked.findings : findings;
  const merged = given.layer ? [...layers, { ...given.layer, raw: anchorPaths(given.layer.raw, { base: cwd, home: homedir() }) }] : layers;
  const resolved = findings.length === 0 ? resolveProfile(mergeLayers(merged), found) : { findings: [] };
  const later =
    'profile' in resolved
      ? checkProfileRules(resolved.profile, catalogue)
      : resolved.findings.map((finding) => ({ file: found.source, ...finding }));
  const all = [...problems, ...later];
  const sound = 'profile' in resolved && all.every(({ severity }) => severity !== 'error');
  return {
    source: found.source,
    findings: all,
    ...(sound ? { profile: resolved.profile } : {}),
    ...(catalogue ? { catalogue } : {}),
  };
}

export interface ProfileEntry {
  readonly name: string;
  readonly source: string;
  readonly path: string;
  readonly description: string;
  /** Empty when the profile is broken. */
  readonly model: string;
}

/** Every profile that a name reaches, nearest first: one that is shadowed by a nearer one of its name is left out. */
export async function listProfiles(where: Where): Promise<readonly ProfileEntry[]> {
  const shelves = toShelves(where);
  const found = new Map<string, FoundProfile>();
  for (const shelf of shelves) {
    for (const entry of await listShelf(shelf)) if (!found.has(entry.name)) found.set(entry.name, entry);
  }
  const entries = await Promise.all([...found.values()].map(async (entry) => ({ ...entry, ...(await readSummary(entry.path, where)) })));
  return entries.sort((a, b) => a.name.localeCompare(b.name));
}

interface FoundProfile {
  readonly name: string;
  /** For people: `shipped:NAME`, or the path. */
  readonly source: string;
  readonly path: string;
}

interface Shelf {
  readonly directory: string;
  readonly shipped: boolean;
}

/** Search order of names. */
function toShelves({ places, cwd }: Where): readonly Shelf[] {
  const shipped = toPackagePath('profiles');
  const own = [join(cwd, 'profiles'), join(places.config, 'profiles')].filter((directory) => directory !== shipped);
  return [...own.map((directory) => ({ directory, shipped: false })), { directory: shipped, shipped: true }];
}

interface FindOptions {
  readonly shelves: readonly Shelf[];
  /** What relative paths start from. */
  readonly base: string;
  /** A file that may not be the answer: a profile can extend the one of the same name that it shadows. */
  readonly except?: string;
}

async function findProfile(ref: string, { shelves, base, except }: FindOptions): Promise<FoundProfile | undefined> {
  if (isPath(ref)) {
    const path = resolve(base, ref);
    return { name: basename(path, extname(path)), source: path, path };
  }
  if (!/^[\w-][\w.-]*(\/[\w-][\w.-]*)*$/.test(ref)) return undefined;
  for (const shelf of shelves) {
    for (const extension of extensions) {
      const path = join(shelf.directory, `${ref}${extension}`);
      if (path !== except && (await isFile(path))) return { name: basename(ref), source: shelf.shipped ? `shipped:${ref}` : path, path };
    }
  }
  return undefined;
}

const extensions = ['.yaml', '.yml'];

function isPath(ref: string): boolean {
  return ref.startsWith('.') || ref.startsWith('/') || extensions.includes(extname(ref));
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await readTextFile(path)) !== undefined;
  } catch (error) {
    // A directory is no profile; one that is there and cannot be read must be reported, not passed over.
    return errnoOf(error) !== 'EISDIR';
  }
}

interface ReadingState {
  readonly shelves: readonly Shelf[];
  readonly findings: Finding[];
  /** What was written, parents first. */
  readonly sources: Source[];
  /** Files that would say more and could not be read. */
  readonly missing: string[];
  /** Files on the way to this one. */
  readonly chain: readonly FoundProfile[];
}

/** Parents first, in the order written; the file itself last. */
async function readLayers(found: FoundProfile, state: ReadingState): Promise<readonly Layer[]> {
  const chain = [...state.chain, found];
  if (state.chain.some((earlier) => earlier.path === found.path)) {
    throw DeployError.of('profile/cycle', { chain: chain.map(({ source }) => source).join(' → ') });
  }
  const parsed = parseProfile(await readProfileText(found), found.source);
  state.findings.push(...parsed.findings);
  const { source } = parsed;
  if (source === undefined) {
    state.missing.push(found.source);
    return [];
  }
  const base = dirname(found.path);
  const layers: Layer[] = [];
  for (const parent of toParents(source)) {
    const next = await findProfile(parent, { shelves: state.shelves, base, except: found.path });
    if (next === undefined || !(await isFile(next.path))) {
      state.missing.push(parent);
      state.findings.push(toUnknownParent(parent, source, await listNames(state.shelves)));
    } else layers.push(...(await readLayers(next, { ...state, chain })));
  }
  state.sources.push(source);
  return parsed.layer ? [...layers, { ...parsed.layer, raw: anchorPaths(parsed.layer.raw, { base, home: homedir() }) }] : layers;
}

async function readProfileText(found: FoundProfile): Promise<string> {
  let text: string | undefined;
  try {
    text = await readTextFile(found.path);
  } catch (cause) {
    throw DeployError.of('profile/unreadable', { file: found.source, problem: toProblem(cause) }, { cause });
  }
  if (text === undefined) throw DeployError.of('profile/unknown', { name: found.source, nearest: '' });
  return text;
}

function toProblem(cause: unknown): Message | string {
  const errno = errnoOf(cause);
  if (errno === 'EISDIR') return say('profile.is-directory');
  if (errno === 'EACCES') return say('profile.not-readable');
  return errno ?? String(cause);
}

/** Also of a file that is otherwise unsound, so that all problems are found in one run. */
function toParents({ value: { extends: parents } }: Source): readonly string[] {
  const list = Array.isArray(parents) ? parents : [parents];
  return list.filter((parent) => typeof parent === 'string');
}

function toUnknownParent(parent: string, source: Source, known: readonly string[]): Finding {
  return {
    code: 'profile/unknown-parent',
    severity: 'error',
    message: say('profile.unknown-parent', { parent, nearest: toNearestText(parent, known) }),
    path: 'extends',
    ...source.locate(['extends'], 'key'),
  };
}

async function listNames(shelves: readonly Shelf[]): Promise<readonly string[]> {
  const lists = await Promise.all(shelves.map(listShelf));
  return [...new Set(lists.flat().map(({ name }) => name))];
}

async function listShelf({ directory, shipped }: Shelf): Promise<readonly FoundProfile[]> {
  const names = await readdir(directory).catch((error: unknown) => {
    if (errnoOf(error) === undefined) throw error;
    // No such shelf, or one that is not ours to read: nothing on it can be named.
    return [];
  });
  return names
    .filter((name) => extensions.includes(extname(name)))
    .map((name) => {
      const stem = basename(name, extname(name));
      const path = join(directory, name);
      return { name: stem, source: shipped ? `shipped:${stem}` : path, path };
    });
}

/** A broken profile is listed too: it is there, and the list is where people look for it. */
async function readSummary(path: string, where: Where): Promise<Pick<ProfileEntry, 'description' | 'model'>> {
  try {
    // A list is not the place where settings are checked.
    const { profile } = await readProfile(path, { ...where, sets: [] }, undefined);
    return { description: profile?.description ?? '', model: profile?.model.id ?? '' };
  } catch (error) {
    if (error instanceof DeployError) return { description: '', model: '' };
    throw error;
  }
}

function toNearestText(word: string, known: readonly string[]): Message | string {
  const [first, second] = toNearest(word, known);
  if (first === undefined) return '';
  return say('commands.did-you-mean', { words: second === undefined ? first : say('commands.or', { first, second }) });
}
