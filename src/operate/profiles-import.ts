/** A command line, a compose file or a configuration of vLLM → a profile. */
import { resolve } from 'node:path';
import { DeployError } from '../core/error.ts';
import { type Message, say } from '../core/message.ts';
import { errnoOf, readTextFile } from '../host/files.ts';
import { type Imported, importProfile } from '../profile/import/import.ts';
import { createFlagShelf } from '../profile/shelf.ts';
import { toText } from '../text/render.ts';
import type { Context } from './context.ts';

export interface ImportAsked {
  /** One is a whole line or file, several are the words of a command. */
  readonly texts: readonly string[];
  /** Read instead. */
  readonly file?: string;
  readonly engineVersion?: string;
  readonly service?: string;
}

export interface ProfileImport extends Imported {
  readonly kind: 'ProfileImport';
  readonly version: 1;
}

/** Throws `usage/bad-version` and `profile/unreadable`; what is wrong with the line is a finding. */
export async function readProfileImport(
  { texts, file, ...asked }: ImportAsked,
  { places, cwd }: Pick<Context, 'places' | 'cwd'>,
): Promise<ProfileImport> {
  const { engineVersion: version } = asked;
  if (version !== undefined && !/^\d+\.\d+(\.\d+)?([.+a-z]\w*)*$/.test(version)) throw DeployError.of('usage/bad-version', { version });
  const read = file === undefined ? texts : [await readImported(file, cwd)];
  const tools = { shelf: createFlagShelf(places), toText };
  const imported = await importProfile({ ...asked, texts: read, isFile: file !== undefined }, tools);
  return { kind: 'ProfileImport', version: 1, ...imported };
}

async function readImported(file: string, cwd: string): Promise<string> {
  try {
    const text = await readTextFile(resolve(cwd, file));
    if (text !== undefined) return text;
  } catch (cause) {
    throw DeployError.of('usage/unreadable-file', { file, problem: toProblem(cause) }, { cause });
  }
  throw DeployError.of('usage/unreadable-file', { file, problem: say('import.no-file') });
}

function toProblem(cause: unknown): Message | string {
  const errno = errnoOf(cause);
  if (errno === 'EISDIR') return say('profile.is-directory');
  return errno === 'EACCES' ? say('profile.not-readable') : (errno ?? String(cause));
}
