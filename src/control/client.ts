/** Talking to a deployment's supervisor. */
import { DeployError } from '../core/error.ts';
import type { DeploymentEvent } from '../core/event.ts';
import { fetchText, NoReply, openReply, toNoReply } from '../host/http.ts';
import type { Deployment } from '../supervisor/deployment.ts';
import { parseEvent } from '../supervisor/journal.ts';
import type { Command } from '../supervisor/signal.ts';

/** A supervisor answers from memory; one that does not within this is stopped or stuck. */
const answerMs = 5000;

export interface SupervisorAddress {
  readonly name: string;
  readonly socket: string;
}

/** The document as the supervisor has it; undefined when no supervisor answers on the socket. */
export async function readSupervised(address: SupervisorAddress): Promise<Deployment | undefined> {
  try {
    const reply = await fetchText({ socketPath: address.socket }, { path: '/v1/deployment', timeoutMs: answerMs });
    return parseReply<Deployment>(address, reply);
  } catch (error) {
    if (isNobody(error)) return undefined;
    throw error;
  }
}

export interface CommandReply {
  /** Number of the last event before the command took effect: follow from here. */
  readonly after: number;
  readonly deployment: Deployment;
}

/** Undefined when no supervisor answers on the socket. */
export async function sendCommand(
  address: SupervisorAddress,
  command: Command,
  secrets?: Readonly<Record<string, string>>,
): Promise<CommandReply | undefined> {
  const body = { command, ...(secrets ? { secrets } : {}) };
  try {
    const reply = await fetchText({ socketPath: address.socket }, { method: 'POST', path: '/v1/command', body, timeoutMs: answerMs });
    return parseReply<CommandReply>(address, reply);
  } catch (error) {
    if (isNobody(error)) return undefined;
    throw error;
  }
}

/** Events after `after`, then new ones. Ends when the signal aborts; throws `supervisor/gone` when the stream breaks. */
export async function* followEvents(address: SupervisorAddress, after: number, signal: AbortSignal): AsyncGenerator<DeploymentEvent> {
  let rest = '';
  try {
    const reply = await openReply({ socketPath: address.socket }, { path: `/v1/events?after=${after}`, signal });
    for await (const chunk of reply.stream) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const event = parseEvent(line);
        if (event) yield event;
      }
    }
  } catch (error) {
    if (signal.aborted) return;
    throw DeployError.of('supervisor/gone', { name: address.name }, { cause: toNoReply(error) });
  }
  if (!signal.aborted) throw DeployError.of('supervisor/gone', { name: address.name });
}

function parseReply<T>(address: SupervisorAddress, reply: { readonly status: number; readonly text: string }): T {
  if (reply.status !== 200)
    throw DeployError.of('supervisor/protocol', { name: address.name, problem: `HTTP ${reply.status} ${reply.text}` });
  return JSON.parse(reply.text) as T;
}

/** No socket, or nobody listening behind it, or it closed while we spoke (a supervisor that was just ending). */
function isNobody(error: unknown): boolean {
  return error instanceof NoReply && ['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE'].includes(error.reason);
}
