/** A profile's file and all that it extends, each once, parents first. */
import { dirname } from 'node:path';
import { DeployError } from '../core/error.ts';
import type { Finding } from '../core/finding.ts';
import { type Message, say } from '../core/message.ts';
import { errnoOf } from '../host/files.ts';
import { decodeText } from './decode.ts';
import {
  type FoundProfile,
  findProfile,
  type KnownFiles,
  listNames,
  readProfileBytes,
  remember,
  type Shelf,
  toNearestText,
  toProblem,
} from './find.ts';
import type { FlagShelf } from './flags.ts';
import { type CheckAsked, checkWritten, type ParsedProfile, parseText, toLocate, type WrittenProfile } from './parse.ts';

/** What was read once in a command; a parent of many profiles is one file. The keys are all paths that were looked at. */
export interface ReadCache {
  readonly files: Map<string, Promise<ReadFile>>;
  /** Path → whether a file is there. */
  readonly known: KnownFiles;
  readonly flags: FlagShelf;
}

interface ProfileFile {
  readonly written: WrittenProfile;
  /** As checkWritten does. */
  readonly check: (asked: CheckAsked) => ParsedProfile;
}

/** A file, or why there is nothing to read. */
type ReadFile = ProfileFile | { readonly problem: Message | string; readonly cause: unknown } | undefined;

export function createCache(flags: FlagShelf): ReadCache {
  const read = new Map<string, Promise<unknown>>();
  return {
    files: new Map(),
    known: new Map(),
    flags: { list: flags.list, read: (name) => remember(read, name, () => flags.read(name)) },
  };
}

/** The same cache, and what this reader asks of it: every path that it looked at. */
export function recordReads(cache: ReadCache): { readonly cache: ReadCache; readonly paths: ReadonlySet<string> } {
  const paths = new Set<string>();
  const record = <T>(known: Map<string, T>): Map<string, T> => {
    const recording = new Map<string, T>();
    recording.get = (path) => {
      paths.add(path);
      return known.get(path);
    };
    recording.set = (path, value) => {
      known.set(path, value);
      return recording;
    };
    return recording;
  };
  return { cache: { ...cache, files: record(cache.files), known: record(cache.known) }, paths };
}

export interface Files {
  /** Parents first, in the order written; the file itself last. */
  readonly read: readonly (ProfileFile & { readonly base: string })[];
  /** About files that are not there, and circles of them. */
  readonly findings: readonly Finding[];
  /** Some file would say more and was not read. */
  readonly incomplete: boolean;
}

/** Throws `profile/unknown` and `profile/unreadable` for the file itself; what is wrong with its parents is a finding. */
export async function readFiles(
  found: FoundProfile,
  { shelves, cache }: { readonly shelves: readonly Shelf[]; readonly cache: ReadCache },
): Promise<Files> {
  const reading: Reading = { shelves, cache, read: [], findings: [], seen: new Set(), incomplete: false };
  const file = await readFile(found, cache);
  if (file === undefined) throw DeployError.of('profile/unknown', { name: found.source, nearest: '' });
  if ('problem' in file) throw DeployError.of('profile/unreadable', { file: found.source, problem: file.problem }, { cause: file.cause });
  await readParents(found, file, { reading, chain: [found] });
  return reading;
}

interface Reading {
  readonly shelves: readonly Shelf[];
  readonly cache: ReadCache;
  readonly read: (ProfileFile & { readonly base: string })[];
  readonly findings: Finding[];
  readonly seen: Set<string>;
  incomplete: boolean;
}

interface ReadAt {
  readonly reading: Reading;
  /** Files on the way to this one, and it. */
  readonly chain: readonly FoundProfile[];
}

const mostFiles = 64;

/** Who is reached by two ways is read once, where it is reached first: what stands between keeps its say. */
async function readParents(found: FoundProfile, file: ProfileFile, { reading, chain }: ReadAt): Promise<void> {
  reading.seen.add(found.path);
  const base = dirname(found.path);
  const { written } = file;
  for (const parent of toParents(written).slice(0, mostFiles + 1))
    await readParent(parent, written, { reading, chain, base, except: found.path });
  if (written.tree === undefined) reading.incomplete = true;
  reading.read.push({ ...file, base });
}

interface Parent {
  /** As it stands in the file. */
  readonly name: string;
  /** Key path of where it stands. */
  readonly path: readonly string[];
}

async function readParent(
  { name, path }: Parent,
  child: WrittenProfile,
  { reading, chain, base, except }: ReadAt & { readonly base: string; readonly except: string },
): Promise<void> {
  const { shelves, cache, seen } = reading;
  const next = await findProfile(name, { known: cache.known, shelves, base, except });
  const circle = next && chain.findIndex((earlier) => earlier.path === next.path);
  const place = child.tree ? toLocate(child.file, child.tree.places)(path, 'value') : { file: child.file };
  const refuse = (code: string, message: Message) => {
    reading.incomplete = true;
    reading.findings.push({ code, severity: 'error', path: path.join('.'), message, ...place });
  };
  if (next && circle !== undefined && circle >= 0) {
    const names = [...chain.slice(circle), next].map(({ source }) => source);
    return refuse('profile/cycle', say('profile.cycle', { chain: names.join(' → ') }));
  }
  if (next && seen.has(next.path)) return;
  // One more is the one that this is said of.
  if (seen.size >= mostFiles || Number(path[1] ?? 0) >= mostFiles)
    return refuse('profile/too-many-parents', say('profile.too-many-parents', { most: mostFiles }));
  const file = next && (await readFile(next, cache));
  if (next === undefined || file === undefined) {
    const nearest = toNearestText(name, await listNames(shelves));
    return refuse('profile/unknown-parent', say('profile.unknown-parent', { parent: name.slice(0, 200), nearest }));
  }
  if ('problem' in file)
    return refuse('profile/unknown-parent', say('profile.unreadable-parent', { parent: next.source, problem: file.problem }));
  await readParents(next, file, { reading, chain: [...chain, next] });
}

/** Also of a file that is otherwise unsound, so that all problems are found in one run. */
function toParents({ tree }: WrittenProfile): readonly Parent[] {
  const written = tree?.value.extends;
  if (typeof written === 'string') return [{ name: written, path: ['extends'] }];
  if (!Array.isArray(written)) return [];
  return written.flatMap((name, index) => (typeof name === 'string' ? [{ name, path: ['extends', String(index)] }] : []));
}

function readFile({ path, source }: FoundProfile, { files }: ReadCache): Promise<ReadFile> {
  return remember(files, path, async () => {
    try {
      const decoded = decodeText(await readProfileBytes(path));
      if ('text' in decoded) return toFile(parseText(decoded.text, source));
      const { problem: message, ...place } = decoded;
      return toFile({ file: source, findings: [{ code: 'profile/not-utf8', severity: 'error', message, file: source, ...place }] });
    } catch (cause) {
      const errno = errnoOf(cause);
      if (errno === undefined) throw cause;
      return errno === 'ENOENT' || errno === 'ENOTDIR' ? undefined : { problem: toProblem(cause), cause };
    }
  });
}

/** A parent of many is checked once; unless `--set` takes something out of it. */
function toFile(written: WrittenProfile): ProfileFile {
  let plain: ParsedProfile | undefined;
  const check: ProfileFile['check'] = (asked) => {
    if (asked.given.length > 0 || asked.unchecked) return checkWritten(written, asked);
    plain ??= checkWritten(written, asked);
    return plain;
  };
  return { written, check };
}
