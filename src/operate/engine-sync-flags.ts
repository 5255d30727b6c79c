/** Reads which settings an installed vLLM has into a catalogue of its own, for versions that came after this package. */
import { join } from 'node:path';
import { waitFor } from '../core/clock.ts';
import { DeployError } from '../core/error.ts';
import { type Message, say } from '../core/message.ts';
import { readFlagDump } from '../engine/dump-flags.ts';
import { observeExecutable } from '../engine/executable.ts';
import { listEngines } from '../engine/installed.ts';
import { ensurePrivateDirectory } from '../host/files.ts';
import { type Lock, tryLock } from '../host/lock.ts';
import { readNearestCatalogue } from '../profile/flags.ts';
import { createFlagShelf, findFlagOrigin, toFlagsDirectory, writeOwnCatalogue } from '../profile/shelf.ts';
import { toErrorText } from '../text/render.ts';
import { parseFlagDump, toCompactCatalogue } from '../vllm/flag-dump.ts';
import { toRelease } from '../vllm/flag-version.ts';
import type { FlagCatalogue } from '../vllm/flags.ts';
import type { Context } from './context.ts';

export interface SyncFlagsRequest {
  /** Of a managed engine; without it, every installed one whose settings are not known. */
  readonly version?: string;
  /** The `vllm` of somebody else's environment. */
  readonly executable?: string;
}

export type SyncFlagsContext = Pick<Context, 'places' | 'env' | 'emit' | 'signal'>;

export interface SyncedFlags {
  readonly kind: 'SyncedFlags';
  readonly version: 1;
  readonly catalogues: readonly SyncedCatalogue[];
}

export interface SyncedCatalogue {
  readonly engineVersion: string;
  readonly python: string;
  /** Of the catalogue. */
  readonly path: string;
  readonly flags: number;
  /** The nearest older version, and what is not as there. */
  readonly before?: { readonly version: string; readonly added: readonly string[]; readonly removed: readonly string[] };
}

/** Throws `engine/flags-unreadable`, `engine/no-flags`, `engine/none-installed`, `engine/no-executable`, `engine/version-mismatch`. */
export async function syncFlags(request: SyncFlagsRequest, context: SyncFlagsContext): Promise<SyncedFlags> {
  const catalogues: SyncedCatalogue[] = [];
  for (const source of await findSources(request, context)) catalogues.push(await syncFrom(source, context));
  return { kind: 'SyncedFlags', version: 1, catalogues };
}

/** A vLLM that can be asked. */
interface FlagSource {
  readonly version: string;
  readonly python: string;
}

/** For a version that nothing is known of: false, and a warning, when its engine does not tell. */
export async function syncUnknownFlags(request: Required<SyncFlagsRequest>, context: SyncFlagsContext): Promise<boolean> {
  const { version, executable } = request;
  try {
    await syncFrom(await findExecutable(executable, version), context, { again: false });
    return true;
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    const text = say('engine.flags-failed', { version, problem: toErrorText(error).message });
    context.emit({ type: 'said', level: 'warning', text });
    return false;
  }
}

async function findSources({ version, executable }: SyncFlagsRequest, context: SyncFlagsContext): Promise<readonly FlagSource[]> {
  if (executable !== undefined) return [await findExecutable(executable, version)];
  const engines = await listEngines(context.places);
  if (version !== undefined) {
    const engine = engines.find((one) => one.version === version);
    if (engine) return [engine];
    throw DeployError.of('engine/no-flags', { version });
  }
  if (engines.length === 0) throw DeployError.of('engine/none-installed', {});
  const origins = await Promise.all(engines.map((engine) => findFlagOrigin(engine.version, context.places)));
  const unknown = engines.filter((_, at) => origins[at] === undefined);
  // The CPU and the GPU engine of one version have the same parser.
  return unknown.filter((engine, at) => unknown.findIndex((one) => one.version === engine.version) === at);
}

async function findExecutable(path: string, wanted: string | undefined): Promise<FlagSource> {
  const found = await observeExecutable(path);
  if ('problem' in found) throw DeployError.of('engine/no-executable', { path, problem: found.problem });
  const { python, version } = found;
  if (python === undefined || version === undefined) {
    throw DeployError.of('engine/flags-unreadable', { program: path, problem: say('engine.flags-no-python') });
  }
  if (wanted !== undefined && wanted !== version)
    throw DeployError.of('engine/version-mismatch', { program: path, found: version, wanted });
  return { python, version };
}

/** One at a time: two would import vLLM side by side to write the same file. */
async function syncFrom(source: FlagSource, context: SyncFlagsContext, { again } = { again: true }): Promise<SyncedCatalogue> {
  const { places } = context;
  const directory = toFlagsDirectory(places);
  for (const path of [places.data, directory]) await ensurePrivateDirectory(path);
  const lock = await takeLock(join(directory, 'lock'), source, context);
  try {
    const known = again ? undefined : await readKnown(source, context);
    return known ?? (await dumpLocked(source, context));
  } finally {
    await lock.release();
  }
}

/** What another process has read while this one waited. */
async function readKnown({ version, python }: FlagSource, { places }: SyncFlagsContext): Promise<SyncedCatalogue | undefined> {
  if ((await findFlagOrigin(version, places)) !== 'read') return undefined;
  const catalogue = await readNearestCatalogue(version, createFlagShelf(places));
  const path = join(toFlagsDirectory(places), `${toRelease(version)}.json`);
  return catalogue && { engineVersion: catalogue.version, python, path, flags: Object.keys(catalogue.flags).length };
}

async function dumpLocked({ version, python }: FlagSource, context: SyncFlagsContext): Promise<SyncedCatalogue> {
  const { places, env, signal } = context;
  context.emit({ type: 'said', level: 'info', text: say('engine.flags-reading', { version }) });
  const read = await readFlagDump(python, { directory: toFlagsDirectory(places), env, signal });
  const refuse = (problem: Message | string) => DeployError.of('engine/flags-unreadable', { program: python, problem });
  if (typeof read !== 'string') throw refuse(read.problem);
  const dump = parseFlagDump(read);
  if (dump === undefined) throw refuse(say('engine.flags-odd'));
  const release = toRelease(version);
  if (toRelease(dump.vllm_version) !== release) throw refuse(say('engine.wrong-version', { found: dump.vllm_version, wanted: version }));
  const shelf = createFlagShelf(places);
  const catalogue = { ...toCompactCatalogue(dump, await readNearestCatalogue(version, shelf)), version: release };
  const path = await writeOwnCatalogue(catalogue, places);
  const before = toDifference(catalogue, await readNearestCatalogue(version, shelf, { before: true }));
  return { engineVersion: release, python, path, flags: Object.keys(catalogue.flags).length, ...(before ? { before } : {}) };
}

function toDifference({ flags }: FlagCatalogue, older: FlagCatalogue | undefined): SyncedCatalogue['before'] {
  if (older === undefined) return undefined;
  const lacking = (names: FlagCatalogue['flags'], among: FlagCatalogue['flags']) =>
    Object.keys(names).filter((name) => !Object.hasOwn(among, name));
  return { version: older.version, added: lacking(flags, older.flags), removed: lacking(older.flags, flags) };
}

const lockPollMs = 500;

async function takeLock(path: string, { version }: FlagSource, { emit, signal }: SyncFlagsContext): Promise<Lock> {
  let lock = await tryLock(path);
  if (lock === undefined) emit({ type: 'said', level: 'info', text: say('engine.flags-waiting', { version }) });
  while (lock === undefined) {
    if (signal.aborted) throw DeployError.of('engine/flags-unreadable', { program: path, problem: say('engine.interrupted') });
    await waitFor(lockPollMs, signal);
    lock = await tryLock(path);
  }
  return lock;
}
