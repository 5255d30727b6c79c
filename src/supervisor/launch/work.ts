/** What a launch needs done around the runtime: its record and secrets. */
import { randomBytes } from 'node:crypto';
import { DeployError } from '../../core/error.ts';
import { toUuidV7 } from '../../core/id.ts';
import { errnoOf } from '../../host/files.ts';
import { readBootId } from '../../host/proc.ts';
import { readSecretFile, type SecretFileOptions } from '../../host/secret-file.ts';
import type { LaunchSpec } from '../../plan/launch-spec.ts';
import type { SecretRef } from '../../profile/profile.ts';
import type { LaunchRecord } from '../../runtime/runtime.ts';
import type { State } from '../state.ts';

export interface LaunchFiles {
  readonly logFile: string;
  readonly exitFile: string;
  readonly tmpDir: string;
}

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
