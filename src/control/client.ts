/** Talking to a deployment's supervisor. It answers, or is found to be missing, or is said to be silent: nothing here hangs. */
import { DeployError } from '../core/error.ts';
import type { DeploymentEvent } from '../core/event.ts';
import { toDurationText } from '../core/units.ts';
import { type HttpReply, NoReply, toNoReply } from '../host/no-reply.ts';
import { fetchOverSocket } from '../host/socket.ts';
import type { Deployment } from '../supervisor/deployment.ts';
import { parseEvent } from '../supervisor/event-line.ts';
import { upgradeDeployment } from '../supervisor/older.ts';
import type { Command } from '../supervisor/signal.ts';

/** A supervisor answers from memory, and sends a sign of life every few seconds to those who follow. */
const usualPatience = { answerMs: 5000, silentMs: 20_000 };

/** Answer to a command that came too late: not carried out, and another supervisor may. */
export const endingStatus = 503;

export interface SupervisorAddress {
  readonly name: string;
  readonly socket: string;
  readonly patience?: typeof usualPatience;
}

/** The document as the supervisor has it; undefined when there is no supervisor. Throws `supervisor/silent`. */
export async function readSupervised(address: SupervisorAddress): Promise<Deployment | undefined> {
  const reply = await ask(address, (answerMs) => fetchOverSocket(address.socket, '/v1/deployment', answerMs));
  return reply && upgradeDeployment(parseReply<Deployment>(address, reply));
}

export interface CommandReply {
  /** Number of the last event before the command took effect: follow from here. */
  readonly after: number;
  readonly deployment: Deployment;
}

/** Undefined when there is no supervisor, or it is just ending: the command was not carried out then. */
export async function sendCommand(
  address: SupervisorAddress,
  command: Command,
  secrets?: Readonly<Record<string, string>>,
): Promise<CommandReply | undefined> {
  // Loaded only here and below: it would be a quarter of the time of `status`.
  const { fetchText } = await import('../host/http.ts');
  const body = { command, ...(secrets ? { secrets } : {}) };
  const reply = await ask(address, (timeoutMs) =>
    fetchText({ socketPath: address.socket }, { method: 'POST', path: '/v1/command', body, timeoutMs }),
  );
  if (reply === undefined) return undefined;
  const { after, deployment } = parseReply<CommandReply>(address, reply);
  return { after, deployment: upgradeDeployment(deployment) };
}

/**
 * Events after `after`, then new ones. Ends when the signal aborts; throws `supervisor/gone` when the stream breaks,
 * `supervisor/silent` when the supervisor stands still.
 */
export async function* followEvents(address: SupervisorAddress, after: number, signal: AbortSignal): AsyncGenerator<DeploymentEvent> {
  const { openReply } = await import('../host/http.ts');
  const { silentMs } = address.patience ?? usualPatience;
  let rest = '';
  let watch: NodeJS.Timeout | undefined;
  try {
    const reply = await openReply({ socketPath: address.socket }, { path: `/v1/events?after=${after}`, signal });
    watch = setTimeout(() => reply.stream.destroy(new NoReply('ETIMEDOUT')), silentMs);
    for await (const chunk of reply.stream) {
      watch.refresh();
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const event = parseEvent(line);
        if (event) yield event;
      }
    }
  } catch (error) {
    if (signal.aborted) return;
    const cause = toNoReply(error);
    if (cause.reason === 'ETIMEDOUT') throw toSilent(address, silentMs, cause);
    throw DeployError.of('supervisor/gone', { name: address.name }, { cause });
  } finally {
    clearTimeout(watch);
  }
  if (!signal.aborted) throw DeployError.of('supervisor/gone', { name: address.name });
}

async function ask(address: SupervisorAddress, fetch: (answerMs: number) => Promise<HttpReply>): Promise<HttpReply | undefined> {
  const { answerMs } = address.patience ?? usualPatience;
  try {
    const reply = await fetch(answerMs);
    return reply.status === endingStatus ? undefined : reply;
  } catch (error) {
    if (!(error instanceof NoReply)) throw error;
    if (nobody.includes(error.reason)) return undefined;
    if (error.reason === 'ETIMEDOUT') throw toSilent(address, answerMs, error);
    throw DeployError.of('supervisor/protocol', { name: address.name, problem: error.reason }, { cause: error });
  }
}

/** No socket, or nobody listening behind it, or it closed while we spoke (a supervisor that was just ending). */
const nobody = ['ENOENT', 'ENOTDIR', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE'];

function parseReply<T>(address: SupervisorAddress, reply: HttpReply): T {
  if (reply.status !== 200)
    throw DeployError.of('supervisor/protocol', { name: address.name, problem: `HTTP ${reply.status} ${reply.text}` });
  return JSON.parse(reply.text) as T;
}

function toSilent({ name }: SupervisorAddress, waitedMs: number, cause: NoReply): DeployError {
  return DeployError.of('supervisor/silent', { name, waited: toDurationText(waitedMs) }, { cause });
}
