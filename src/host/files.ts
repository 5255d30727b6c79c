/** Files that must survive a crash, and directories that must be ours. */
import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { chmod, type FileHandle, lstat, mkdir, open, readFile, rename, rm, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DeployError } from '../core/error.ts';

/**
 * Replaces a file so that a reader, or a crash at any moment, sees the old content or the new, never a mixture:
 * temporary file, fsync, rename, fsync of the directory.
 */
export async function writeFileAtomic(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  const temporary = `${path}.tmp.${process.pid}.${process.hrtime.bigint().toString(36)}`;
  let handle: FileHandle | undefined;
  try {
    handle = await open(temporary, 'wx', mode);
    await handle.writeFile(content);
    await handle.sync();
    await handle.close();
    handle = undefined;
    await rename(temporary, path);
  } catch (error) {
    await handle?.close();
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The text of a file; undefined when there is none. */
export async function readTextFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** The same without a detour through other threads, for small local files of a command that somebody waits for. */
export function readTextFileNow(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/**
 * The same for files of ours alone: a link in the place of one was put there by somebody else, who could choose what
 * we start from it. Throws `state/link`.
 */
export function readOwnFileNow(path: string): string | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw toLinkError(path, error);
  }
  try {
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}

/** For adding to a file of ours, which is made where it is missing; a link in its place is not followed. */
export const appendOwn = constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | constants.O_NOFOLLOW;

/** What was thrown, or `state/link` where the file turned out to be a link. */
export function toLinkError(path: string, error: unknown): unknown {
  return errnoOf(error) === 'ELOOP' ? DeployError.of('state/link', { path }, { cause: error }) : error;
}

/**
 * Makes a directory (0700) if needed and makes sure that it is ours alone: somebody who could write here could
 * choose what we start. Throws `state/not-writable` or `state/unsafe`.
 */
export async function ensurePrivateDirectory(path: string): Promise<void> {
  const uid = process.getuid?.() ?? -1;
  try {
    await makeDirectory(path);
  } catch (error) {
    throw DeployError.of('state/not-writable', { path, problem: errnoOf(error) ?? String(error), uid }, { cause: error });
  }
  const facts = await lstat(path);
  if (!facts.isDirectory()) throw DeployError.of('state/not-writable', { path, problem: 'it is not a directory', uid });
  if (facts.uid !== uid) throw DeployError.of('state/not-writable', { path, problem: `it belongs to uid ${facts.uid}`, uid });
  if ((facts.mode & 0o022) !== 0) throw DeployError.of('state/unsafe', { path, problem: 'is writable by others' });
  if ((facts.mode & 0o055) !== 0) await chmod(path, facts.mode & 0o700);
}

/** Not by Node's own recursion: on a read-only disk that says ENOENT, and below /proc it never ends. */
async function makeDirectory(path: string): Promise<void> {
  const make = () =>
    mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
      if (errnoOf(error) !== 'EEXIST') throw error;
    });
  try {
    await make();
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    await makeDirectory(dirname(path));
    await make();
  }
}

/** Bytes that this user can still write on the file system of a path (its nearest existing parent). */
export async function readFreeBytes(path: string): Promise<number> {
  try {
    const facts = await statfs(path);
    return facts.bavail * facts.bsize;
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' || path === '/') throw error;
    return readFreeBytes(dirname(path));
  }
}

/** `ENOENT`, `EACCES`, … of an error of the operating system. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
