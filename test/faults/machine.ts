/** What only root can do to a machine: small disks, other users, views of /proc and /etc of its own. Undone in any case. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach } from 'vitest';
import { errnoOf } from '../../src/host/files.ts';
import { root, type Sandbox } from '../scenarios/sandbox.ts';

const mib = 2 ** 20;

export interface Disk {
  readonly path: string;
  /** Takes all the room that is left. */
  fill(): Promise<void>;
  empty(): Promise<void>;
  readOnly(on: boolean): Promise<void>;
}

/** Disks that are taken away after each test, in use or not. */
export function openDisks(): { add(path: string, size: string): Promise<Disk> } {
  const mounted: string[] = [];
  afterEach(async () => {
    for (const path of mounted.splice(0).reverse()) await execa('umount', ['-l', path]);
  });
  return {
    async add(path, size) {
      await mkdir(path, { recursive: true, mode: 0o700 });
      await execa('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'tmpfs', path]);
      mounted.push(path);
      const filler = join(path, 'filler');
      return {
        path,
        fill: () => fill(filler),
        empty: () => rm(filler, { force: true }),
        readOnly: async (on) => void (await execa('mount', ['-o', `remount,${on ? 'ro' : 'rw'}`, path])),
      };
    },
  };
}

/** Others write at the same time: full is when nothing more goes in. */
async function fill(filler: string): Promise<void> {
  for (const size of [mib, 4096]) {
    try {
      for (;;) await writeFile(filler, Buffer.alloc(size), { flag: 'a' });
    } catch (error) {
      if (errnoOf(error) !== 'ENOSPC') throw error;
    }
  }
}

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The built program after some shell commands in a mount namespace of its own, which what it starts shares.
 * `prefix`: what it is started by, such as setpriv.
 */
export async function runApart(
  box: Sandbox,
  { prepare, prefix = [] }: { readonly prepare: string; readonly prefix?: readonly string[] },
  ...args: string[]
): Promise<Outcome> {
  const script = `${prepare}\nexec "$@"`;
  const words = [
    '--mount',
    '--propagation',
    'private',
    'sh',
    '-ec',
    script,
    'sh',
    ...prefix,
    process.execPath,
    join(root, 'dist/main.js'),
    ...args,
  ];
  const options = { env: box.env, extendEnv: false, cwd: box.home, reject: false, stdin: 'ignore' } as const;
  const { exitCode, stdout, stderr } = await execa('unshare', words, options);
  return { code: exitCode ?? -1, stdout, stderr };
}
