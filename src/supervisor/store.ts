/** The state file: atomic, with the previous copy kept and a checksum, so that a cut or rotten one is noticed. */
import { copyFile, link, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DeployError } from '../core/error.ts';
import { toFnv1a } from '../core/fnv.ts';
import { ensurePrivateDirectory, errnoOf, readOwnFileNow, writeFileAtomic } from '../host/files.ts';
import { upgradeState } from './older.ts';
import { type State, stateSchema } from './state.ts';

/** Where even its directory has gone, that is made again: what is in memory is all that is left of the record. */
export async function writeState(path: string, state: State): Promise<void> {
  const body = JSON.stringify(state);
  const text = `{"checksum":"${toFnv1a(body)}","state":${body}}\n`;
  await keepPrevious(path);
  try {
    await writeFileAtomic(path, text);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    await ensurePrivateDirectory(dirname(path));
    await writeFileAtomic(path, text);
  }
}

/**
 * Undefined when there is none. A damaged or missing file gives the previous copy. Throws `state/newer`,
 * `state/corrupt` and `state/link`.
 */
export async function readState(path: string, name: string): Promise<State | undefined> {
  const text = readOwnFileNow(path);
  const state = text === undefined ? undefined : parseState(text, name);
  if (state) return state;
  const previous = readOwnFileNow(toPrevious(path));
  const older = previous === undefined ? undefined : parseState(previous, name);
  if (older || text === undefined) return older;
  throw DeployError.of('state/corrupt', { name, problem: 'its checksum does not match', kept: path });
}

/** Moves a damaged file out of the way, for whoever wants to look at it. Its copy is damaged too, or would have served. */
export async function setAsideState(path: string, wallMs: number): Promise<string> {
  const kept = `${path.replace(/\.json$/, '')}.corrupt-${wallMs}.json`;
  await rename(path, kept);
  await rm(toPrevious(path), { force: true });
  return kept;
}

/** By a second name, which takes no room: on a full disk a copy would be cut, and then both could be lost. */
async function keepPrevious(path: string): Promise<void> {
  const previous = toPrevious(path);
  try {
    await rm(previous, { force: true });
    await link(path, previous);
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT') return;
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS' && code !== 'EMLINK') throw error;
    // A file system without second names.
    await copyFile(path, previous);
  }
}

function toPrevious(path: string): string {
  return `${path}.prev`;
}

function parseState(text: string, name: string): State | undefined {
  const match = /^\{"checksum":"([0-9a-f]{8})","state":(.*)\}\n$/s.exec(text);
  if (match?.[1] === undefined || match[2] === undefined || toFnv1a(match[2]) !== match[1]) return undefined;
  const state: State = JSON.parse(match[2]);
  if (state.schema > stateSchema) throw DeployError.of('state/newer', { name, found: state.schema, known: stateSchema });
  return upgradeState(state);
}
