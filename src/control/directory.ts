/** Where a deployment keeps its files, and which deployments there are. */
import { readdirSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeployError } from '../core/error.ts';
import { type Places, toSocketPath } from '../host/environment.ts';
import { ensurePrivateDirectory, errnoOf, readOwnFileNow, readTextFile } from '../host/files.ts';

export interface DeploymentPaths {
  readonly directory: string;
  readonly state: string;
  readonly events: string;
  /** Held by the supervisor for its whole life. */
  readonly lock: string;
  readonly supervisorLog: string;
  readonly launches: string;
  /** What was seen of engines that hung. */
  readonly crashes: string;
  /** Where a new supervisor listens. One that runs already may listen elsewhere: see `findSocket`. */
  readonly socket: string;
}

const namePattern = /^[a-z][a-z0-9-]{0,62}$/;

/** Checks the name (it becomes a directory and a socket) and gives the paths; makes nothing. */
export function toDeploymentPaths(places: Places, name: string): DeploymentPaths {
  if (!namePattern.test(name)) throw DeployError.of('deployment/bad-name', { name });
  const directory = join(places.state, 'deployments', name);
  return {
    directory,
    state: join(directory, 'state.json'),
    events: join(directory, 'events.ndjson'),
    lock: join(directory, 'supervisor.lock'),
    supervisorLog: join(directory, 'supervisor.log'),
    launches: join(directory, 'launches'),
    crashes: join(directory, 'crashes'),
    socket: toSocketPath(places, name),
  };
}

/** Makes the directories, private to this user. Throws `state/not-writable` or `state/unsafe`. */
export async function ensureDeploymentPaths(places: Places, name: string): Promise<DeploymentPaths> {
  const paths = toDeploymentPaths(places, name);
  await ensurePrivateDirectory(places.state);
  await ensurePrivateDirectory(join(places.state, 'deployments'));
  await ensurePrivateDirectory(paths.directory);
  await ensurePrivateDirectory(paths.launches);
  await ensurePrivateDirectory(join(paths.socket, '..'));
  return paths;
}

/** Names of all deployments with a record, sorted. */
export function listDeployments(places: Places): readonly string[] {
  try {
    const entries = readdirSync(join(places.state, 'deployments'), { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && namePattern.test(entry.name))
      .map((entry) => entry.name)
      .sort();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** What a supervisor writes into its lock file, for those who look for it. */
export function toLockText(pid: number, socket: string): string {
  return `${pid}\n${socket}\n`;
}

/**
 * Where the supervisor of this deployment listens. Its socket was chosen in the shell that started it, and the same
 * person's cron job or `su` has other variables (XDG_RUNTIME_DIR, TMPDIR), so it is written into the lock file.
 */
export function findSocket(paths: DeploymentPaths): string {
  const text = readOwnFileNow(paths.lock);
  return text?.split('\n')[1] || paths.socket;
}

/** Process id of the last supervisor, if it wrote one down. */
export async function readLockOwner(paths: DeploymentPaths): Promise<string> {
  return (await readTextFile(paths.lock))?.split('\n')[0] || '?';
}

/** Launches whose files are kept: the last ones, for `logs --launch`. */
const keptLaunches = 10;

/** Deletes the files of launches of long ago; never those of `current`, whatever the clock says of its age. */
export async function pruneLaunches(paths: DeploymentPaths, current: string): Promise<void> {
  const launches = await listLaunches(paths);
  for (const launchId of launches.slice(0, -keptLaunches)) {
    if (launchId === current) continue;
    const { directory, tmpDir } = toLaunchPaths(paths, launchId);
    await rm(tmpDir, { recursive: true, force: true });
    await rm(directory, { recursive: true, force: true });
  }
}

/** Launch ids begin with their time, so their order is that of the launches. */
export async function listLaunches(paths: DeploymentPaths): Promise<readonly string[]> {
  try {
    return (await readdir(paths.launches)).sort();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

export interface LaunchPaths {
  readonly directory: string;
  readonly logFile: string;
  readonly exitFile: string;
  /** Short: vLLM puts Unix sockets into it, whose paths must stay below 108 bytes. */
  readonly tmpDir: string;
}

export function toLaunchPaths(paths: DeploymentPaths, launchId: string): LaunchPaths {
  const directory = join(paths.launches, launchId);
  const temporaries = tmpdir().length > 40 ? '/tmp' : tmpdir();
  return {
    directory,
    logFile: join(directory, `engine-${launchId}.log`),
    exitFile: join(directory, 'exit.json'),
    tmpDir: join(temporaries, `qd-${launchId.slice(-12)}`),
  };
}
