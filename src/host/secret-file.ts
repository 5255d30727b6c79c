/** A file that holds a secret. It is used only where nobody else could have read it or put another in its place. */
import { constants, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DeployError } from '../core/error.ts';
import { errnoOf } from './files.ts';

export interface SecretFileOptions {
  /** For taking its value out of what is shown: then any file will do, and the more the better. */
  readonly trusting?: boolean;
}

/**
 * Its text; undefined when there is none. Throws `runtime/secret-file` for a link, for what is no plain file, and for
 * one that others own or can read. Looked at after it is open: between a look and an opening it could be exchanged.
 */
export async function readSecretFile(path: string, { trusting = false }: SecretFileOptions = {}): Promise<string | undefined> {
  const isMounted = mounted.test(resolve(path));
  const handle = await openPlain(path, trusting || isMounted);
  if (handle === undefined) return undefined;
  try {
    const facts = await handle.stat();
    const problem = trusting ? undefined : findProblem(facts, isMounted);
    if (problem !== undefined) throw DeployError.of('runtime/secret-file', { path, problem });
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

/** Secrets of a container: of root, readable by all inside, and behind links with Kubernetes. The container is the border. */
const mounted = /^\/(?:var\/)?run\/secrets\//;

async function openPlain(path: string, follows: boolean): Promise<FileHandle | undefined> {
  try {
    // Without O_NONBLOCK a pipe without a writer would be waited for.
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK | (follows ? 0 : constants.O_NOFOLLOW));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    if (errnoOf(error) === 'ELOOP')
      throw DeployError.of('runtime/secret-file', { path, problem: 'it is a symbolic link' }, { cause: error });
    throw error;
  }
}

function findProblem({ uid, mode }: Stats, isMounted: boolean): string | undefined {
  const own = process.getuid?.() ?? -1;
  if ((mode & constants.S_IFMT) !== constants.S_IFREG) return 'it is no plain file';
  if (isMounted) return (uid === 0 || uid === own) && (mode & 0o022) === 0 ? undefined : 'others can write it';
  if (uid !== own) return `it belongs to uid ${uid}`;
  return (mode & 0o077) === 0 ? undefined : `others can reach it (mode ${(mode & 0o777).toString(8)})`;
}
