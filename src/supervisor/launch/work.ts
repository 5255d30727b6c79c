/** What a launch needs done around the runtime: its record, secrets, and evidence of how it ended. */
import { randomBytes } from 'node:crypto';
import { DeployError } from '../../core/error.ts';
import type { ExitReport } from '../../core/event.ts';
import type { Diagnosis } from '../../core/finding.ts';
import { toUuidV7 } from '../../core/id.ts';
import { maskDiagnosis } from '../../core/mask-diagnosis.ts';
import { createMask } from '../../core/redact.ts';
import { errnoOf } from '../../host/files.ts';
import { readBootId } from '../../host/proc.ts';
import { readSecretFile, type SecretFileOptions } from '../../host/secret-file.ts';
import { readLastLines } from '../../host/tail.ts';
import type { LaunchSpec } from '../../plan/launch-spec.ts';
import type { SecretRef } from '../../profile/profile.ts';
import type { Exit, LaunchRecord } from '../../runtime/runtime.ts';
import { diagnose, isPassing } from '../../vllm/failures/diagnose.ts';
import { toSignature } from '../../vllm/failures/same-failure.ts';
import { createLogScan } from '../../vllm/failures/scan.ts';
import { emptyStartLog, reduceStartLog } from '../../vllm/start-log.ts';
import type { State } from '../state.ts';

export interface LaunchFiles {
  readonly logFile: string;
  readonly exitFile: string;
  readonly tmpDir: string;
}

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

/** Values for the references of a spec. `given`: variables that `up` sent along, in memory only. */
export async function readSecrets(
  refs: Readonly<Record<string, SecretRef>>,
  given: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, string>>> {
  const entries = Object.entries(refs).map(async ([variable, ref]) => [variable, await readSecret(ref, given)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

/** Throws `runtime/secret`, and `runtime/secret-file` for a file that is not private. */
export async function readSecret(
  ref: SecretRef,
  given: Readonly<Record<string, string>>,
  options: SecretFileOptions = {},
): Promise<string> {
  const target = ref.slice(ref.indexOf(':') + 1);
  if (ref.startsWith('env:')) {
    const value = given[target] ?? process.env[target];
    if (!value) throw DeployError.of('runtime/secret', { ref, problem: 'the variable is not set' });
    return value;
  }
  const text = await readSecretFile(target, options).catch((cause: unknown) => {
    if (cause instanceof DeployError) throw cause;
    throw DeployError.of('runtime/secret', { ref, problem: errnoOf(cause) ?? String(cause) }, { cause });
  });
  if (!text?.trim())
    throw DeployError.of('runtime/secret', { ref, problem: text === undefined ? 'there is no such file' : 'the file is empty' });
  return text.trim();
}

/** Without the value (only the asking shell knows it) a probe goes without. */
export async function readApiKey(
  { apiKey }: Pick<LaunchSpec, 'apiKey'>,
  given: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  if (apiKey === undefined) return undefined;
  return readSecret(apiKey, given).catch((error: unknown) => {
    if (error instanceof DeployError) return undefined;
    throw error;
  });
}

export interface ExitEvidenceReport {
  readonly exit: ExitReport;
  readonly permanent: boolean;
  readonly signature?: string;
}

/** How a launch ended and what its log says of the reason, without keys: it goes into the state, events and messages. */
export async function observeExit(
  exit: Exit,
  logFile: string,
  { at, secrets }: { readonly at: string; readonly secrets: readonly string[] },
): Promise<ExitEvidenceReport> {
  const lines = await readLastLines(logFile, evidenceLines);
  const scan = createLogScan();
  for (const line of lines) scan.push(line);
  const log = scan.end();
  const mask = createMask(secrets);
  const seen = diagnose({ log, exit: toEnd(exit) });
  const found = seen && maskDiagnosis(seen, mask);
  const proof = found?.evidence.find((one) => one.line > 0);
  // Where in the code it was stands in the report; here it would make every message twice as long.
  const bare = log.exceptions.find((one) => one.line === proof?.line)?.text;
  const line = bare === undefined ? proof?.text : mask(bare);
  const report: ExitReport = {
    cause: 'exit',
    at,
    ...exit,
    ...(found === undefined ? {} : { report: found }),
    ...(found === undefined || isUndetermined(found) ? {} : { diagnosis: found.cause }),
    ...toLastPhase(lines),
    ...(line === undefined ? {} : { line }),
  };
  const permanent = found?.permanent === true || (exit.code !== undefined && lastingCodes.includes(exit.code));
  const telling = found !== undefined && isPassing(found.cause) ? undefined : line;
  return { exit: report, permanent, ...(telling === undefined ? {} : { signature: toSignature(telling) }) };
}

function toEnd({ code, signal }: Exit) {
  return { ...(code === undefined ? {} : { code }), ...(signal === undefined ? {} : { signal }) };
}

/** It has a name for what is not known: nothing to act on. */
function isUndetermined({ cause }: Diagnosis): boolean {
  return cause === 'unknown' || cause.startsWith('undetermined');
}

/** Argparse refuses the same command line every time; no such program, and none that may be run, are a shell's and an init's. */
const lastingCodes = [2, 126, 127];

/** Of a start that was not over, as its log tells it. */
function toLastPhase(lines: readonly string[]): Pick<ExitReport, 'phase'> {
  const { phase } = lines.reduce((state, line) => reduceStartLog(state, line).state, emptyStartLog);
  return phase === 'spawned' || phase === 'listening' ? {} : { phase };
}

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
