/** Runs one command of an installation: output to the log, its lines to whoever counts, its end as a value. */
import { DeployError } from '../core/error.ts';
import type { Emit } from '../core/event.ts';
import { toSizeText } from '../core/units.ts';
import { runProgram } from '../host/exec.ts';
import type { readFreeBytes } from '../host/files.ts';
import type { InstallLog } from './install-log.ts';
import { type FailureKind, toFailureKind, toTellingLine } from './output.ts';
import type { Command } from './plan-install.ts';

export interface InstallContext {
  /** The person's environment, cleaned, with the package sources of the installer that is used. */
  readonly env: NodeJS.ProcessEnv;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  readonly log: InstallLog;
  readonly readFreeBytes: typeof readFreeBytes;
}

export type CommandEnd =
  | { readonly ok: true; readonly stdout: string }
  | { readonly ok: false; readonly kind: FailureKind; readonly line: string };

export interface CommandOptions {
  readonly cwd?: string;
  readonly timeoutMs?: number;
  readonly onLine?: (line: string) => void;
}

export async function runCommand(command: Command, context: InstallContext, options: CommandOptions = {}): Promise<CommandEnd> {
  const [program = '', ...args] = command.argv;
  const { onLine, ...limits } = options;
  context.log.write(`$ ${command.argv.join(' ')}`);
  const result = await runProgram(program, args, {
    ...limits,
    env: { ...context.env, ...command.env },
    signal: context.signal,
    onLine(line) {
      context.log.write(line);
      onLine?.(line);
    },
  });
  if (result.code === 0) return { ok: true, stdout: result.stdout };
  const output = `${result.stdout}\n${result.stderr}`;
  // Ctrl-C goes to the whole foreground group: the child may be gone before our own signal has arrived.
  const interrupted = context.signal.aborted || result.signal === 'SIGINT' || result.code === 130;
  const how = result.problem ?? result.signal ?? `exit status ${result.code}`;
  context.log.write(`-> ${how}`);
  return { ok: false, kind: interrupted ? 'interrupted' : toFailureKind(output), line: toTellingLine(output) || `${program}: ${how}` };
}

/** Throws `host/disk-full`. */
export async function checkFreeBytes(directory: string, needBytes: number, free: typeof readFreeBytes): Promise<void> {
  const have = await free(directory);
  if (have < needBytes) throw toDiskFull(directory, { needBytes, haveBytes: have });
}

export function toDiskFull(
  path: string,
  { needBytes, haveBytes }: { readonly needBytes: number; readonly haveBytes: number },
): DeployError {
  return DeployError.of('host/disk-full', { path, need: toSizeText(needBytes), have: toSizeText(haveBytes) });
}
