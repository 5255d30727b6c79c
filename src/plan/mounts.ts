/** What `engine.mounts` would hand to a container: nothing that makes the container as mighty as its host. */
import { realpath, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Message, say } from '../core/message.ts';

export interface RefusedMount {
  readonly source: string;
  readonly problem: Message;
}

/** Directories of the machine itself; below them only what is no socket. Of `/usr` everybody may read all. */
const machineDirectories = ['/', '/boot', '/dev', '/etc', '/proc', '/root', '/run', '/sys', '/var', '/var/lib', '/var/run'];
/** Nothing in them belongs into a container by hand: devices come by `resources.gpus`. */
const closedTrees = ['/dev', '/proc', '/sys'];

/** The first of `SOURCE:TARGET[:MODE]` that is refused, links followed. */
export async function findRefusedMount(mounts: readonly string[], env: NodeJS.ProcessEnv): Promise<RefusedMount | undefined> {
  for (const mount of mounts) {
    const [source = '', , mode] = mount.split(':');
    const problem = await judgeSource(source, { env, writable: mode === 'rw' });
    if (problem) return { source, problem };
  }
  return undefined;
}

interface Judging {
  readonly env: NodeJS.ProcessEnv;
  readonly writable: boolean;
}

async function judgeSource(source: string, { env: { HOME }, writable }: Judging): Promise<Message | undefined> {
  const real = await realpath(source).catch(() => undefined);
  if (real === undefined) return say('plan.mount-missing');
  if (machineDirectories.includes(real) || (writable && /^\/usr(\/|$)/.test(real))) return say('plan.mount-machine', { real });
  if (closedTrees.some((tree) => real.startsWith(`${tree}/`))) return say('plan.mount-machine', { real });
  if (HOME !== undefined && real === resolve(HOME)) return say('plan.mount-home');
  const found = await stat(real).catch(() => undefined);
  return found?.isSocket() ? say('plan.mount-socket', { real }) : undefined;
}
