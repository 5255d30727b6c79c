/**
 * Secrets for a container. Its environment is shown to everybody who may ask the engine (`docker inspect`), so they are
 * in a file of the launch that only its user can read, and a shell inside makes variables of them.
 */
import { chown } from 'node:fs/promises';
import { writeFileAtomic } from '../../host/files.ts';

/** Where the file is inside. */
export const secretsTarget = '/run/qwen-deploy-secrets';

/** `set -a`: what the file sets is exported. The shell becomes the engine, which keeps the process number. */
const shell = `set -a; . ${secretsTarget}; set +a; exec "$0" "$@"`;

/** The command that starts with the secrets of the file. */
export function withSecrets(command: readonly string[]): readonly string[] {
  return ['/bin/sh', '-c', shell, ...command];
}

/** `user`: `UID:GID` of the one that reads it inside, where that is not whoever writes it. */
export async function writeSecrets(path: string, secrets: Readonly<Record<string, string>>, user?: string): Promise<void> {
  const lines = Object.entries(secrets).map(([name, value]) => `${name}=${quote(value)}\n`);
  await writeFileAtomic(path, lines.join(''), 0o400);
  if (user !== undefined && process.getuid?.() === 0) await giveTo(path, user);
}

/** Only root can. `user`: `UID:GID`, or `UID` alone. */
export async function giveTo(path: string, user: string): Promise<void> {
  const [uid = 0, gid = uid] = user.split(':').map(Number);
  await chown(path, uid, gid);
}

/** For a POSIX shell: between single quotes nothing has a meaning but the quote itself. */
function quote(value: string): string {
  return `'${value.replaceAll("'", String.raw`'\''`)}'`;
}
