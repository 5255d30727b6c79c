/** A program inside of a container that runs. */
import { DeployError } from '../../core/error.ts';
import type { ExecResult } from './docker.ts';
import type { Door } from './door.ts';
import { toNumber, toText } from './fields.ts';
import { readFrames } from './frames.ts';
import { isBadMoment } from './podman.ts';

export interface Exec {
  readonly id: string;
  readonly command: readonly string[];
  readonly limitMs: number;
}

/** More is not kept: it is for a few lines. */
const textCap = 64 * 1024;

export async function execInside(door: Door, { id, command, limitMs }: Exec): Promise<ExecResult | undefined> {
  const deadline = performance.now() + limitMs;
  const body = { Cmd: command, AttachStdout: true, AttachStderr: true };
  const made = await door.ask({ method: 'POST', path: `/containers/${encodeURIComponent(id)}/exec`, body });
  const exec = toText(made.value, 'Id');
  // Gone, or it does not run.
  if (made.status === 404 || isBadMoment(made)) return undefined;
  if (made.status >= 300 || exec === undefined) throw door.toFailure(made);
  const text = await readOutput(door, exec, deadline);
  if (text === undefined) return undefined;
  const { value } = await door.ask({ path: `/exec/${exec}/json` });
  const code = toNumber(value, 'ExitCode');
  return code === undefined ? undefined : { code, text };
}

/** Undefined: it did not end in time. It is left to itself then, for an engine has no way to end it. */
async function readOutput(door: Door, exec: string, deadline: number): Promise<string | undefined> {
  const signal = AbortSignal.timeout(Math.max(1, Math.round(deadline - performance.now())));
  const call = { method: 'POST', path: `/exec/${exec}/start`, body: { Detach: false, Tty: false } } as const;
  try {
    const opened = await door.open(call, { beginMs: door.limits.askMs, signal });
    if ('problem' in opened) throw door.toFailure(opened);
    let text = '';
    for await (const { message } of readFrames(opened.chunks())) text = (text + message.toString()).slice(0, textCap);
    return signal.aborted ? undefined : text;
  } catch (error) {
    if (error instanceof DeployError && error.code === 'command/interrupted') return undefined;
    throw error;
  }
}
