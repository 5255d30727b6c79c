/** The state file: atomic, with the previous copy kept and a checksum, so that a cut or rotten one is noticed. */
import { createHash } from 'node:crypto';
import { copyFile, rename } from 'node:fs/promises';
import { DeployError } from '../core/error.ts';
import { errnoOf, readTextFile, writeFileAtomic } from '../host/files.ts';
import { type State, stateSchema } from './state.ts';

export async function writeState(path: string, state: State): Promise<void> {
  const body = JSON.stringify(state);
  await copyFile(path, `${path}.prev`).catch((error: unknown) => {
    if (errnoOf(error) !== 'ENOENT') throw error;
  });
  await writeFileAtomic(path, `{"checksum":"${toChecksum(body)}","state":${body}}\n`);
}

/** Undefined when there is none. A damaged file gives the previous copy. Throws `state/newer` and `state/corrupt`. */
export async function readState(path: string, name: string): Promise<State | undefined> {
  const text = await readTextFile(path);
  if (text === undefined) return undefined;
  const state = parseState(text, name);
  if (state) return state;
  const previous = await readTextFile(`${path}.prev`);
  const older = previous === undefined ? undefined : parseState(previous, name);
  if (older) return older;
  throw DeployError.of('state/corrupt', { name, problem: 'its checksum does not match', kept: path });
}

/** Moves a damaged file out of the way, for whoever wants to look at it. */
export async function setAsideState(path: string, wallMs: number): Promise<string> {
  const kept = `${path.replace(/\.json$/, '')}.corrupt-${wallMs}.json`;
  await rename(path, kept);
  return kept;
}

function parseState(text: string, name: string): State | undefined {
  const match = /^\{"checksum":"([0-9a-f]{64})","state":(.*)\}\n$/s.exec(text);
  if (match?.[1] === undefined || match[2] === undefined || toChecksum(match[2]) !== match[1]) return undefined;
  const state: State = JSON.parse(match[2]);
  if (state.schema > stateSchema) throw DeployError.of('state/newer', { name, found: state.schema, known: stateSchema });
  return state;
}

function toChecksum(body: string): string {
  return createHash('sha256').update(body).digest('hex');
}
