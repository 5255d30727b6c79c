/** Where profiles are: names and paths → files, and their bytes. With load.ts all of this room that touches the disk. */
import { readFileSync, statSync } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { DeployError } from '../core/error.ts';
import { type Message, say } from '../core/message.ts';
import { toNearest } from '../core/nearest.ts';
import type { Places } from '../host/environment.ts';
import { errnoOf } from '../host/files.ts';
import { toPackagePath } from '../host/package-files.ts';
import { mostBytes } from './document.ts';

export interface Where {
  readonly places: Places;
  readonly cwd: string;
}

export interface FoundProfile {
  readonly name: string;
  /** For people: `shipped:NAME`, or the path. */
  readonly source: string;
  readonly path: string;
}

export interface Shelf {
  readonly directory: string;
  readonly shipped: boolean;
}

/** Search order of names. */
export function toShelves({ places, cwd }: Where): readonly Shelf[] {
  const shipped = toPackagePath('profiles');
  const own = [join(cwd, 'profiles'), join(places.config, 'profiles')].filter((directory) => directory !== shipped);
  return [...own.map((directory) => ({ directory, shipped: false })), { directory: shipped, shipped: true }];
}

/** What was looked for once; see files.ts. */
export type KnownFiles = Map<string, Promise<boolean>>;

export interface FindOptions {
  readonly known: KnownFiles;
  readonly shelves: readonly Shelf[];
  /** What relative paths start from. */
  readonly base: string;
  /** A file that may not be the answer: a profile can extend the one of the same name that it shadows. */
  readonly except?: string;
}

/** The nearest of its name; a path as it is, whether or not something is there. */
export async function findProfile(ref: string, { known, shelves, base, except }: FindOptions): Promise<FoundProfile | undefined> {
  if (isPath(ref)) {
    const path = resolve(base, ref);
    return ref.includes('\0') ? undefined : { name: basename(path, extname(path)), source: path, path };
  }
  for (const shelf of shelves) {
    const found = await findOnShelf(ref, shelf, except === undefined ? { known } : { known, except });
    if (found) return found;
  }
  return undefined;
}

/** Also of what lies in a directory of the shelf: `base/gpu`. */
export async function findOnShelf(
  ref: string,
  shelf: Shelf,
  { known, except }: Pick<FindOptions, 'known' | 'except'>,
): Promise<FoundProfile | undefined> {
  if (ref.length > longestName || !/^[\w-][\w.-]*(\/[\w-][\w.-]*)*$/.test(ref)) return undefined;
  for (const extension of extensions) {
    const path = join(shelf.directory, `${ref}${extension}`);
    if (path !== except && (await remember(known, path, async () => isFile(path))))
      return { name: basename(ref), source: shelf.shipped ? `shipped:${ref}` : path, path };
  }
  return undefined;
}

const extensions = ['.yaml', '.yml'];
const longestName = 200;

export function isPath(ref: string): boolean {
  return ref.startsWith('.') || ref.startsWith('/') || extensions.includes(extname(ref));
}

function isFile(path: string): boolean {
  try {
    // A directory is no profile; one that is there and cannot be read must be reported, not passed over.
    const facts = statSync(path, { throwIfNoEntry: false });
    return facts !== undefined && !facts.isDirectory();
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    return errno === 'EACCES';
  }
}

/** No more than a profile may have, and one byte: whatever the file is, reading it ends. Throws what the system says. */
export async function readProfileBytes(path: string): Promise<Uint8Array> {
  // Of a plain file, which most are, nothing has to be waited for.
  const facts = statSync(path);
  if (facts.isFile() && facts.size <= mostBytes) return readFileSync(path);
  const handle = await open(path, 'r');
  try {
    const chunks: Uint8Array[] = [];
    let size = 0;
    while (size <= mostBytes) {
      const buffer = Buffer.allocUnsafe(Math.min(Math.max(firstRead, size), mostBytes + 1 - size));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length);
      if (bytesRead === 0) break;
      chunks.push(buffer.subarray(0, bytesRead));
      size += bytesRead;
    }
    return Buffer.concat(chunks);
  } finally {
    await handle.close();
  }
}

/** Most profiles in one go. */
const firstRead = 16_384;

/** Why a file cannot be read, for the middle of a sentence. */
export function toProblem(cause: unknown): Message | string {
  const errno = errnoOf(cause);
  if (errno === 'EISDIR') return say('profile.is-directory');
  if (errno === 'EACCES') return say('profile.not-readable');
  return errno ?? String(cause);
}

export async function listShelf({ directory, shipped }: Shelf): Promise<readonly FoundProfile[]> {
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

/** Nearest first; the first of a name is the one that the name means. */
export async function listNames(shelves: readonly Shelf[]): Promise<readonly string[]> {
  const lists = await Promise.all(shelves.map(listShelf));
  return [...new Set(lists.flat().map(({ name }) => name))];
}

export async function toUnknown(ref: string, shelves: readonly Shelf[]): Promise<DeployError> {
  return DeployError.of('profile/unknown', { name: ref, nearest: toNearestText(ref, await listNames(shelves)) });
}

export function toNearestText(word: string, known: readonly string[]): Message | string {
  const [first, second] = toNearest(word, known);
  if (first === undefined) return '';
  return say('commands.did-you-mean', { words: second === undefined ? first : say('commands.or', { first, second }) });
}

export function remember<T>(known: Map<string, Promise<T>>, key: string, read: () => Promise<T>): Promise<T> {
  const found = known.get(key) ?? read();
  known.set(key, found);
  return found;
}
