/** What is looked at right before each start. */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Clock, waitFor } from '../../core/clock.ts';
import { DeployError } from '../../core/error.ts';
import { type Message, say } from '../../core/message.ts';
import { errnoOf, readFreeBytes } from '../../host/files.ts';
import { probePort } from '../../host/net.ts';
import { findPortOwner } from '../../host/port-owner.ts';
import type { LaunchSpec } from '../../plan/launch-spec.ts';
import type { GpuDoor } from '../gpu/door.ts';
import type { RunSignal } from '../signal.ts';
import type { State } from '../state.ts';
import { createLaunchId, type LaunchFiles, toLaunchRecord, toProblem } from './work.ts';

const passed = { is: 'passed', record: {} } as const;

type PreflightResult =
  | { readonly is: 'passed' }
  | { readonly is: 'failed'; readonly code: string; readonly reason: Message; readonly permanent: boolean };

const preflightLimitMs = 60_000;
/** Below this the engine's own log could fill the disk while it starts. */
const leastFreeBytes = 64 * 2 ** 20;
const longestCommand = 80;

export interface BeforeLaunch {
  readonly filesOf: (launchId: string) => LaunchFiles;
  readonly clock: Clock;
  readonly gpus: GpuDoor;
}

/** The answer to `preflight`: a record to launch, or why not. Never rejects. */
export async function prepareLaunch({ run, wanted }: State, { filesOf, clock, gpus }: BeforeLaunch): Promise<RunSignal> {
  try {
    const { launchId, bootId } = await createLaunchId();
    const files = filesOf(launchId);
    const { unchecked = false } = wanted.source;
    const checked = unchecked ? passed : await checkBeforeLaunch(wanted.spec, files.logFile, clock);
    const seen = checked.is === 'failed' ? checked : await gpus.observeBaseline(wanted);
    const result = seen.is === 'failed' && unchecked ? passed : seen;
    if (result.is === 'failed') return { ...result, type: 'preflight-failed', run };
    const record = toLaunchRecord(wanted.spec, { run, bootId, launchId, files });
    return { type: 'preflight-passed', run, record: { ...record, ...result.record } };
  } catch (error) {
    const reason = say('life.work-failed', { work: 'preflight', problem: toProblem(error) });
    return { type: 'preflight-failed', run, code: 'host/io-failed', reason, permanent: false };
  }
}

/** What can change between `up` and any later start; the rest was checked when the plan was made. Throws `host/io-failed`. */
async function checkBeforeLaunch(spec: LaunchSpec, logFile: string, clock: Clock): Promise<PreflightResult> {
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
  if (port.is === 'taken') {
    const reason = say('life.port-taken', { ...about, owner: await nameOwner(about.port) });
    return { is: 'failed', code: 'runtime/port-taken', reason, permanent: false };
  }
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

/** Enough of its command line to know it by. */
async function nameOwner(port: number): Promise<Message> {
  const owner = await findPortOwner(port);
  if (owner === undefined) return say('plan.port-owner-unknown');
  return say('plan.port-owner', { pid: owner.pid, command: owner.command.replace(/\s+/g, ' ').slice(0, longestCommand) });
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
