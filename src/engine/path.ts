import { access, constants, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';

/**
 * Every program of that name on PATH, in PATH's order. All of them, because the first may be a shim that only says
 * "not installed" (pyenv) while the next one works.
 */
export async function findAllOnPath(name: string, env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const directories = (env.PATH ?? '').split(delimiter).filter(isAbsolute);
  const candidates = [...new Set(directories.map((directory) => join(directory, name)))];
  const there = await Promise.all(candidates.map(isProgram));
  return candidates.filter((_, at) => there[at]);
}

export async function findOnPath(name: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  return (await findAllOnPath(name, env))[0];
}

export async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    // absent, a dangling link, or not for us: all the same here
    return false;
  }
}
