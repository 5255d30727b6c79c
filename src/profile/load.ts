/** Reads profiles with all that they extend, and everything that can be said about them without a machine. */
import { homedir } from 'node:os';
import { DeployError } from '../core/error.ts';
import type { Finding } from '../core/finding.ts';
import { say } from '../core/message.ts';
import { anchorPaths } from './anchor.ts';
import { type CheckedProfile, type LoadedProfile, toLoaded } from './checked.ts';
import { checkFallback } from './fallback.ts';
import { createCache, type ReadCache, readFiles } from './files.ts';
import {
  type FoundProfile,
  findOnShelf,
  findProfile,
  isPath,
  listNames,
  listShelf,
  type Shelf,
  toNearestText,
  toShelves,
  toUnknown,
  type Where,
} from './find.ts';
import { checkFlags, type FlagShelf } from './flags.ts';
import { mergeLayers } from './inherit.ts';
import type { Layer, Source } from './layer.ts';
import type { Profile } from './profile.ts';
import { checkPlaces } from './refine.ts';
import { resolveProfile } from './resolve.ts';
import { checkProfileRules } from './rules/index.ts';
import { checkSets, parseSetTexts, type WrittenSets } from './set.ts';
import { createFlagShelf } from './shelf.ts';
import { type CheckedSteps, checkSteps } from './steps.ts';

export type { Where } from './find.ts';

export interface LoadOptions extends Where {
  /** `key.path=value`, later ones win. */
  readonly sets: readonly string[];
  /** What is wrong with it is no more than a warning, as long as it can be read. */
  readonly unchecked?: boolean;
  /** Of who reads many: files and catalogues that several need are read once. */
  readonly cache?: ReadCache;
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
  return toLoaded(await checkProfile(ref, options));
}

/** For reading many profiles in one go; it must not outlive that, because files change. */
export function createReadCache({ places }: Pick<Where, 'places'>): ReadCache {
  return createCache(createFlagShelf(places));
}

/** Everything that the profile alone shows to be wrong. Throws `profile/unknown`, `profile/unreadable` and `usage/bad-set`. */
export async function checkProfile(ref: string, options: LoadOptions): Promise<CheckedProfile> {
  const cache = options.cache ?? createReadCache(options);
  return readProfile(ref, { ...options, cache, flags: cache.flags });
}

function isNoError({ severity }: Finding): boolean {
  return severity !== 'error';
}

function toSkipped(finding: Finding): Finding {
  return finding.severity === 'error' ? { ...finding, severity: 'warning' } : finding;
}

interface ReadOptions extends LoadOptions {
  readonly cache: ReadCache;
  /** Absent: settings of vLLM are not checked. */
  readonly flags?: FlagShelf;
  /** Read as a step of another one: its own steps are none of its business. */
  readonly isStep?: true;
  /** On top of everything else: a step of `fallback`. */
  readonly over?: Readonly<Record<string, unknown>>;
}

async function readProfile(ref: string, options: ReadOptions): Promise<CheckedProfile> {
  const { cwd, cache, flags, unchecked = false } = options;
  const shelves = toShelves(options);
  const sets = parseSetTexts(options.sets);
  const found = await findProfile(ref, { known: cache.known, shelves, base: cwd });
  if (found === undefined) throw await toUnknown(ref, shelves);
  const files = await readFiles(found, { shelves, cache });
  const checked = files.read.map(({ check, base }) => ({ ...check({ given: sets.replaced, unchecked }), base }));
  const given = checkSets(sets, { taken: checked.flatMap(({ taken }) => taken), unchecked });
  const layers: Layer[] = checked.flatMap(({ layer, base }) => (layer ? [toAnchored(layer, base)] : []));
  if (given.layer) layers.push(toAnchored(given.layer, cwd));
  const over = options.over && checkSets(toOver(options.over), { taken: [], unchecked });
  if (over?.layer) layers.push(over.layer);
  const sources = [...checked.flatMap(({ source }) => (source ? [source] : [])), given.source, ...(over ? [over.source] : [])];
  const text = [...checked.flatMap(({ findings }) => findings), ...files.findings, ...given.findings, ...(over?.findings ?? [])];
  const merged = text.every(isNoError) ? mergeLayers(layers) : undefined;
  const own = [...text, ...(merged?.findings ?? [])];
  // Without all files nobody knows which vLLM is meant.
  const { findings, catalogue } = flags && !files.incomplete ? await checkFlags(sources, own, flags) : { findings: own };
  const problems = catalogue ? checkPlaces(findings, sources, catalogue) : findings;
  const resolved = merged && own.every(isNoError) ? resolveProfile(merged, found) : { findings: [] };
  const stepped = 'profile' in resolved ? await readSteps(resolved.profile, options) : undefined;
  const later = stepped
    ? [...checkProfileRules(stepped.profile, catalogue), ...stepped.findings]
    : toPlaced('findings' in resolved ? resolved.findings : [], found, merged?.origins ?? {});
  const order = [found.source, ...files.read.map(({ written }) => written.file)];
  const fallback = stepped ? await checkStepsOf(stepped.profile, { ref, sources, known: [...problems, ...later], options }) : [];
  const all = toOrdered([...problems, ...later, ...fallback, ...(await checkShadows(ref, found, { shelves, cache }))], order);
  const isUnchecked = unchecked && stepped !== undefined;
  const isSound = stepped !== undefined && (isUnchecked || all.every(isNoError));
  return {
    source: found.source,
    findings: isUnchecked ? all.map(toSkipped) : all,
    ...(isSound ? { profile: stepped.profile } : {}),
    ...(catalogue ? { catalogue } : {}),
  };
}

async function readSteps(profile: Profile, options: ReadOptions): Promise<CheckedSteps> {
  if (options.flags === undefined || options.isStep || profile.adapt === undefined) return { profile, findings: [] };
  return checkSteps(profile, {
    read: (step) => readProfile(step, { ...options, sets: [], isStep: true }),
    nearestOf: async (step) => toNearestText(step, await listNames(toShelves(options))),
  });
}

interface FallbackRead {
  readonly ref: string;
  readonly sources: readonly Source[];
  readonly known: readonly Finding[];
  readonly options: ReadOptions;
}

/** Of a step of another profile nobody asks what it would fall back to. */
async function checkStepsOf(profile: Profile, { ref, sources, known, options }: FallbackRead): Promise<readonly Finding[]> {
  if (options.flags === undefined || options.isStep || profile.fallback === undefined) return [];
  return checkFallback(profile, {
    readOn: (over) => readProfile(ref, { ...options, isStep: true, over }),
    readAlone: async (step) => {
      try {
        return await readProfile(step, { ...options, sets: [], isStep: true });
      } catch (error) {
        if (error instanceof DeployError && error.code.startsWith('profile/')) return undefined;
        throw error;
      }
    },
    nearestOf: async (step) => toNearestText(step, await listNames(toShelves(options))),
    sources,
    known,
  });
}

function toOver(value: Readonly<Record<string, unknown>>): WrittenSets {
  return { value, origins: {}, appends: new Set(), written: new Map(), findings: [], replaced: [] };
}

function toAnchored(layer: Layer, base: string): Layer {
  return { ...layer, raw: anchorPaths(layer.raw, { base, home: homedir() }) };
}

/** What only the whole shows stands where its setting was written last; what is not there at all, at the top. */
function toPlaced(findings: readonly Finding[], { source }: FoundProfile, origins: Layer['origins']): readonly Finding[] {
  return findings.map((finding) => {
    const origin = findOrigin(finding.path ?? '', origins);
    if (origin?.from === 'set') return finding;
    const { file, line, column } = origin ?? { file: source, line: 1, column: 1 };
    return { file, line, column, ...finding };
  });
}

/** Of what is not there, the first of its block. */
function findOrigin(path: string, origins: Layer['origins']): Layer['origins'][string] | undefined {
  if (Object.hasOwn(origins, path)) return origins[path];
  const block = path.includes('.') ? path.slice(0, path.indexOf('.') + 1) : undefined;
  const known = block === undefined ? undefined : Object.keys(origins).find((one) => one.startsWith(block));
  return known === undefined ? undefined : origins[known];
}

/** File by file as `files` has them, and what is about no file last. */
function toOrdered(findings: readonly Finding[], files: readonly string[]): readonly Finding[] {
  const rank = ({ file }: Finding) => (file !== undefined && files.includes(file) ? files.indexOf(file) : files.length);
  return findings.toSorted((a, b) => rank(a) - rank(b) || (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}

/** Who says `tiny` may not remember that there is one of their own. */
async function checkShadows(
  ref: string,
  found: FoundProfile,
  { shelves, cache }: { readonly shelves: readonly Shelf[]; readonly cache: ReadCache },
): Promise<readonly Finding[]> {
  if (isPath(ref)) return [];
  const shipped = shelves.find((shelf) => shelf.shipped);
  const other = shipped && (await findOnShelf(ref, shipped, cache));
  if (other === undefined || other.path === found.path) return [];
  const message = say('profile.shadows', { shadowed: other.source });
  return [{ code: 'profile/shadows', severity: 'info', file: found.source, message }];
}

export interface ProfileEntry {
  readonly name: string;
  readonly source: string;
  readonly path: string;
  readonly description: string;
  /** Empty when the profile is broken. */
  readonly model: string;
  /** Others of its name that the name does not reach, nearest first. */
  readonly shadows?: readonly string[];
}

/** Every profile that a name reaches; one that is shadowed by a nearer one of its name is named with that one. */
export async function listProfiles(where: Where): Promise<readonly ProfileEntry[]> {
  const found = new Map<string, FoundProfile & { readonly shadows: string[] }>();
  for (const entry of (await Promise.all(toShelves(where).map(listShelf))).flat()) {
    const nearer = found.get(entry.name);
    if (nearer) nearer.shadows.push(entry.source);
    else found.set(entry.name, { ...entry, shadows: [] });
  }
  const options = { ...where, sets: [], cache: createReadCache(where) };
  const entries = [...found.values()].map(async ({ shadows, ...entry }) => ({
    ...entry,
    ...(await readSummary(entry.path, options)),
    ...(shadows.length > 0 ? { shadows } : {}),
  }));
  return (await Promise.all(entries)).sort((a, b) => a.name.localeCompare(b.name));
}

/** A broken profile is listed too: it is there, and the list is where people look for it. */
async function readSummary(path: string, options: ReadOptions): Promise<Pick<ProfileEntry, 'description' | 'model'>> {
  try {
    // A list is not the place where settings are checked.
    const { profile } = await readProfile(path, options);
    return { description: profile?.description ?? '', model: profile?.model.id ?? '' };
  } catch (error) {
    if (error instanceof DeployError) return { description: '', model: '' };
    throw error;
  }
}
