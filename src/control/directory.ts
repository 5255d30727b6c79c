/** Where a deployment keeps its files, and which deployments there are. */
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeployError } from '../core/error.ts';
import { type Places, toSocketPath } from '../host/environment.ts';
import { ensurePrivateDirectory, errnoOf } from '../host/files.ts';

export interface DeploymentPaths {
  readonly directory: string;
  readonly state: string;
  readonly events: string;
  /** Held by the supervisor for its whole life. */
  readonly lock: string;
  readonly supervisorLog: string;
  readonly launches: string;
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
export async function listDeployments(places: Places): Promise<readonly string[]> {
  try {
    const entries = await readdir(join(places.state, 'deployments'), { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && namePattern.test(entry.name))
      .map((entry) => entry.name)
      .sort();
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
