/** What a launch needs done around the runtime: checks right before, secrets, evidence after, proof at the end. */
import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Clock, waitFor } from '../core/clock.ts';
import { DeployError } from '../core/error.ts';
import type { ExitReport, Survivor } from '../core/event.ts';
import { toUuidV7 } from '../core/id.ts';
import { type Message, say } from '../core/message.ts';
import { errnoOf, readFreeBytes, readTextFile } from '../host/files.ts';
import { probePort } from '../host/net.ts';
import { findPortOwner } from '../host/port-owner.ts';
import { readBootId } from '../host/proc.ts';
import { readLastLines } from '../host/tail.ts';
import type { LaunchSpec } from '../plan/launch-spec.ts';
import type { SecretRef } from '../profile/profile.ts';
import type { Exit, LaunchRecord, Remains } from '../runtime/runtime.ts';
import { toExitEvidence, toSignature } from '../vllm/exit-evidence.ts';
import type { State } from './state.ts';

export interface LaunchFiles {
  readonly logFile: string;
  readonly exitFile: string;
  readonly tmpDir: string;
}

export type PreflightResult =
  | { readonly is: 'passed' }
  | { readonly is: 'failed'; readonly code: string; readonly reason: Message; readonly permanent: boolean };

const preflightLimitMs = 60_000;
/** Below this the engine's own log could fill the disk while it starts. */
const leastFreeBytes = 64 * 2 ** 20;
/** After a crash the port may stay taken for a moment; a stranger who takes it keeps it. */
const portLimitMs = 30_000;
const portPollMs = 50;
const slowestPollMs = 2000;
const killLimitMs = 10_000;
/** Enough of a log's end for the first error of every process. */
const evidenceLines = 2000;

export function toLaunchRecord(
  spec: LaunchSpec,
  about: { run: number; bootId: string; launchId: string; files: LaunchFiles },
): LaunchRecord {
  return {
    launchId: about.launchId,
    run: about.run,
    backend: spec.backend,
    createdAt: new Date().toISOString(),
    bootId: about.bootId,
    ...about.files,
    port: spec.endpoint.port,
    host: spec.endpoint.host,
  };
}

export async function createLaunchId(): Promise<{ launchId: string; bootId: string }> {
  return { launchId: toUuidV7(Date.now(), randomBytes(10)), bootId: await readBootId() };
}

/** What can change between `up` and any later start; the rest was checked when the plan was made. Throws `host/io-failed`. */
export async function checkBeforeLaunch(spec: LaunchSpec, logFile: string, clock: Clock): Promise<PreflightResult> {
  const limit = new AbortController();
  const late = waitFor(preflightLimitMs, limit.signal, clock).then(() => 'late' as const);
  try {
    const result = await Promise.race([check(spec, logFile), late]);
    if (result === 'late') throw DeployError.of('host/io-failed', { problem: 'a file system or a name server does not answer' });
    return result;
  } finally {
    limit.abort();
  }
}

async function check(spec: LaunchSpec, logFile: string): Promise<PreflightResult> {
  const port = await probePort(spec.endpoint.host, spec.endpoint.port);
  const about = { host: spec.endpoint.host, port: spec.endpoint.port };
  if (port.is === 'taken') return { is: 'failed', code: 'runtime/port-taken', reason: say('life.port-taken', about), permanent: false };
  if (port.is !== 'free') return { is: 'failed', code: 'runtime/bad-address', reason: say('life.bad-address', about), permanent: true };
  if (spec.model.startsWith('/') && !(await exists(spec.model))) {
    return { is: 'failed', code: 'model/missing', reason: say('life.model-missing', { path: spec.model }), permanent: true };
  }
  // The directory of the launch itself is made later.
  const path = dirname(dirname(logFile));
  if ((await readFreeBytes(path)) < leastFreeBytes) {
    return { is: 'failed', code: 'host/disk-full', reason: say('life.disk-full', { path }), permanent: false };
  }
  return { is: 'passed' };
}

/** Values for the references of a spec. `given`: variables that `up` sent along, in memory only. */
export async function readSecrets(
  refs: Readonly<Record<string, SecretRef>>,
  given: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, string>>> {
  const entries = Object.entries(refs).map(async ([variable, ref]) => [variable, await readSecret(ref, given)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

export async function readSecret(ref: SecretRef, given: Readonly<Record<string, string>>): Promise<string> {
  const target = ref.slice(ref.indexOf(':') + 1);
  if (ref.startsWith('env:')) {
    const value = given[target] ?? process.env[target];
    if (!value) throw DeployError.of('runtime/secret', { ref, problem: 'the variable is not set' });
    return value;
  }
  const text = await readTextFile(target).catch((cause: unknown) => {
    throw DeployError.of('runtime/secret', { ref, problem: errnoOf(cause) ?? String(cause) }, { cause });
  });
  if (!text?.trim())
    throw DeployError.of('runtime/secret', { ref, problem: text === undefined ? 'there is no such file' : 'the file is empty' });
  return text.trim();
}

export interface ExitEvidenceReport {
  readonly exit: ExitReport;
  readonly permanent: boolean;
  readonly signature?: string;
}

/** How a launch ended and what its log says of the reason. */
export async function observeExit(exit: Exit, logFile: string, at: string): Promise<ExitEvidenceReport> {
  const lines = await readLastLines(logFile, evidenceLines);
  const evidence = toExitEvidence(lines);
  const report: ExitReport = {
    cause: 'exit',
    at,
    ...exit,
    ...(evidence.cause === undefined ? {} : { diagnosis: evidence.cause }),
    ...(evidence.line === undefined ? {} : { line: evidence.line }),
  };
  // Exit status 2 is argparse: the same command line is refused every time.
  const permanent = evidence.permanent || exit.code === 2;
  return { exit: report, permanent, ...(evidence.line === undefined ? {} : { signature: toSignature(evidence.line) }) };
}

export interface ReclaimReports {
  /** Processes that the main process left behind; they are ended. */
  readonly onLeftover: (left: readonly Survivor[]) => void;
  /** Its temporary files could not all be deleted, which keeps nobody up. */
  readonly onUntidy: (error: unknown) => void;
}

/**
 * Ends what is left of a launch and proves it gone: no process, port free again. Returns survivors, normally none.
 * A port that stays taken although no process of ours lives belongs to somebody else: not a survivor.
 */
export async function reclaim(remains: Remains, spec: LaunchSpec, { onLeftover, onUntidy }: ReclaimReports): Promise<readonly Survivor[]> {
  const left = await remains.members();
  if (left.length > 0) {
    onLeftover(left);
    const survivors = await remains.kill(killLimitMs);
    if (survivors.length > 0) return survivors;
  }
  const deadline = performance.now() + portLimitMs;
  let pauseMs = portPollMs;
  while ((await isTaken(spec.endpoint)) && performance.now() < deadline) {
    // A listener of another process group member that forked late would show up here too.
    const late = await remains.kill(killLimitMs);
    if (late.length > 0) return late;
    // Who holds it can be seen, and is nobody of ours: it is not going to be given back.
    if ((await findPortOwner(spec.endpoint.port)) !== undefined) break;
    await waitFor(pauseMs);
    // A look at all descriptors of the machine is not cheap.
    pauseMs = Math.min(2 * pauseMs, slowestPollMs);
  }
  await remains.tidy().catch(onUntidy);
  return [];
}

async function isTaken({ host, port }: LaunchSpec['endpoint']): Promise<boolean> {
  return (await probePort(host, port)).is === 'taken';
}

export async function killAll(remains: Remains): Promise<readonly Survivor[]> {
  return remains.kill(killLimitMs);
}

/** Whether the same launch would be refused again, until somebody changes something. */
export function isPermanentLaunchError(error: unknown): boolean {
  if (!(error instanceof DeployError) || error.code === 'runtime/launch-files') return false;
  // Too many processes, no memory left: that passes.
  return error.code !== 'runtime/spawn-failed' || lastingProblems.includes(String(error.params.problem));
}

const lastingProblems = ['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP', 'ENOEXEC'];

/** Another configuration may already be wanted while the old launch is reclaimed: its own backend and address count. */
export function toLaunchedSpec({ wanted: { spec }, launch }: State): LaunchSpec {
  return launch ? { ...spec, backend: launch.backend, endpoint: { host: launch.host, port: launch.port } } : spec;
}

/** For an event: an operating system's or our own errors in a line, anything else with the place it comes from. */
export function toProblem(error: unknown): string {
  if (error instanceof DeployError) return Object.values(error.params).map(String).join(': ');
  if (errnoOf(error) !== undefined || !(error instanceof Error)) return error instanceof Error ? error.message : String(error);
  return (error.stack ?? error.message)
    .split('\n', 2)
    .map((line) => line.trim())
    .join(' ');
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return false;
    throw error;
  }
}

/** Tries of what must not fail, once a second, before it is said that it cannot be done. */
const triesMost = 10;
const againMs = 1000;

interface Insisting {
  readonly otherwise: { readonly pid: number };
  readonly onProblem: (error: unknown) => void;
  readonly clock: Clock;
}

/** What cannot be looked at is not called gone: after many tries the main process counts as a survivor. */
export async function insist(
  once: () => Promise<readonly Survivor[]>,
  { otherwise, onProblem, clock }: Insisting,
): Promise<readonly Survivor[]> {
  let problem = '';
  for (let tries = 0; tries < triesMost; tries += 1) {
    try {
      return await once();
    } catch (error) {
      if (toProblem(error) !== problem) onProblem(error);
      problem = toProblem(error);
    }
    await waitFor(againMs, undefined, clock);
  }
  return [{ ...otherwise, command: problem }];
}
