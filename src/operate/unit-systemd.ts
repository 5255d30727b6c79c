/** What is asked of systemd's own programs, about units of this user. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir, userInfo } from 'node:os';
import { basename, join } from 'node:path';
import { DeployError } from '../core/error.ts';
import { type RunResult, runProgram } from '../host/exec.ts';
import type { Context } from './context.ts';

type Surroundings = Pick<Context, 'env'>;

export interface UnitPlace {
  /** `qwen-deploy-NAME.service` */
  readonly unit: string;
  readonly path: string;
}

/** Not below XDG_CONFIG_HOME: that of this shell is seldom that of the service manager. */
export function toUnitDirectory({ env }: Surroundings): string {
  return join(env.HOME || homedir(), '.config/systemd/user');
}

export function toUnitPlace(name: string, context: Surroundings): UnitPlace {
  const unit = `qwen-deploy-${name}.service`;
  return { unit, path: join(toUnitDirectory(context), unit) };
}

export const unitPattern = /^qwen-deploy-([a-z][a-z0-9-]{0,62})\.service$/;

const askMs = 10_000;
/** A start is over when the supervisor has said that it is ready. */
const startMs = 90_000;

/** Whether this user's service manager answers. */
export async function isManaged(context: Surroundings): Promise<boolean> {
  const { stdout } = await runProgram('systemctl', ['--user', 'is-system-running'], {
    env: toManagerEnvironment(context),
    timeoutMs: askMs,
  });
  return /^(?:initializing|starting|running|degraded|maintenance)$/m.test(stdout);
}

/** `systemctl --user …`; throws `unit/systemctl` when it fails. */
export async function commandManager(args: readonly string[], context: Surroundings): Promise<void> {
  const result = await askManager(args, context);
  if (result.code !== 0) throw DeployError.of('unit/systemctl', { command: args.join(' '), problem: toProblem(result) });
}

/** Whether the question (`is-active`, `is-enabled`) is answered with yes. */
export async function isUnit(question: 'active' | 'enabled', unit: string, context: Surroundings): Promise<boolean> {
  return (await askManager([`is-${question}`, unit], context)).stdout.trim() === question;
}

function askManager(args: readonly string[], context: Surroundings): Promise<RunResult> {
  return runProgram('systemctl', ['--user', ...args], { env: toManagerEnvironment(context), timeoutMs: startMs });
}

/** A shell that came by `su` does not know where its user's manager listens; systemd's own place for it is always the same. */
function toManagerEnvironment({ env }: Surroundings): NodeJS.ProcessEnv {
  return env.XDG_RUNTIME_DIR ? env : { ...env, XDG_RUNTIME_DIR: `/run/user/${process.getuid?.() ?? 0}` };
}

/** Undefined when logind does not say. */
export async function readLingering(user: string, context: Surroundings): Promise<boolean | undefined> {
  const args = ['show-user', user, '--property=Linger', '--value'];
  const { code, stdout } = await runProgram('loginctl', args, { env: context.env, timeoutMs: askMs });
  return code === 0 ? stdout.trim() === 'yes' : undefined;
}

export function readUserName({ env }: Surroundings): string {
  try {
    return userInfo().username;
  } catch {
    // a uid without an entry in the list of users
    return env.USER ?? String(process.getuid?.() ?? 0);
  }
}

export type Verdict = { readonly is: 'right' } | { readonly is: 'wrong' | 'unknown'; readonly problem: string };

/** What `systemd-analyze verify` says of a unit before it is put in place. It needs a runtime directory and leaves things in it. */
export async function verifyUnit({ unit }: UnitPlace, text: string, { env }: Surroundings): Promise<Verdict> {
  const directory = await mkdtemp(join(tmpdir(), 'qd-unit-'));
  try {
    const file = join(directory, basename(unit));
    await writeFile(file, text);
    const result = await runProgram('systemd-analyze', ['--user', 'verify', file], {
      env: { ...env, XDG_RUNTIME_DIR: directory },
      timeoutMs: askMs,
    });
    if (result.code === undefined) return { is: 'unknown', problem: `systemd-analyze: ${result.problem ?? result.signal ?? '?'}` };
    // A setting that it does not know is only a line of its output, and other units of this user have theirs there.
    const said = result.stderr.split('\n').filter((line) => line.includes(unit));
    if (result.code === 0 && said.length === 0) return { is: 'right' };
    return { is: 'wrong', problem: said.join('; ').replaceAll(`${directory}/`, '') || toProblem(result) };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function toProblem({ stderr, problem, code }: RunResult): string {
  return stderr.trim().split('\n').at(-1) || problem || `exit ${code ?? '?'}`;
}
