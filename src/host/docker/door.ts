/** Calls to one engine, each with its time limit; what goes wrong on the way becomes a DeployError here. */
import { DeployError } from '../../core/error.ts';
import { errnoOf } from '../files.ts';
import { parseJson, toText } from './fields.ts';
import type { Call, Reply, Wire } from './wire.ts';

export interface Limits {
  /** Of a question, to the last byte of its answer, and of the beginning of a stream. */
  readonly askMs: number;
  /** Of what changes something. */
  readonly actMs: number;
  /** How long a registry may send nothing. */
  readonly silenceMs: number;
  /** The same of the engine that packs or unpacks a whole image, of which it says nothing in between. */
  readonly archiveMs: number;
  /** The pause before a registry is asked a second time; the next one is twice as long, and so on. */
  readonly againMs: number;
}

export interface Answer {
  readonly status: number;
  /** Undefined where it is no JSON. */
  readonly value: unknown;
  /** Of a bad status: the engine's words. */
  readonly problem: string;
}

export interface Streaming {
  readonly signal?: AbortSignal;
  readonly beginMs: number;
}

export interface Door {
  readonly address: string;
  readonly limits: Limits;
  ask(call: Call, limitMs?: number): Promise<Answer>;
  /** Only with a good status; the words of a bad one come in an Answer. */
  open(
    call: Call,
    streaming: Streaming,
  ): Promise<{ readonly reply: Reply; readonly chunks: (silenceMs?: number) => AsyncGenerator<Buffer> } | Answer>;
  /** For an answer that nobody knows what to do with. */
  toFailure(answer: Answer): DeployError;
}

export interface DoorOptions {
  readonly address: string;
  /** `/v1.41`; empty while it is not known. */
  readonly prefix: string;
  readonly limits: Limits;
}

/** More than any answer that is read as a whole. */
const answerCap = 64 * 2 ** 20;

export function createDoor(wire: Wire, { address, prefix, limits }: DoorOptions): Door {
  const toError = (error: unknown, begun = false) => toDoorError(error, address, begun);
  const send = (call: Call, signal: AbortSignal) => wire.send({ ...call, path: `${prefix}${call.path}` }, signal);
  return {
    address,
    limits,
    async ask(call, limitMs = limits.askMs) {
      const limit = new AbortController();
      const timer = setTimeout(() => limit.abort(new Late(limitMs)), limitMs);
      try {
        return await readAnswer(await send(call, limit.signal), limit.signal);
      } catch (error) {
        throw toError(limit.signal.aborted ? limit.signal.reason : error);
      } finally {
        clearTimeout(timer);
      }
    },
    async open(call, { signal, beginMs }) {
      const life = new AbortController();
      const end = () => life.abort(signal?.reason);
      if (signal?.aborted) end();
      signal?.addEventListener('abort', end, { once: true });
      const timer = setTimeout(() => life.abort(new Late(beginMs)), beginMs);
      const release = () => signal?.removeEventListener('abort', end);
      try {
        const reply = await send(call, life.signal);
        if (reply.status >= 300) return await readAnswer(reply, life.signal).finally(release);
        reply.stream.once('close', release);
        return { reply, chunks: (silenceMs) => readChunks(reply, { silenceMs, life: life.signal, toError }) };
      } catch (error) {
        release();
        if (signal?.aborted) throw DeployError.of('command/interrupted', {}, { cause: error });
        throw toError(life.signal.aborted ? life.signal.reason : error);
      } finally {
        clearTimeout(timer);
      }
    },
    toFailure: ({ problem }) => DeployError.of('docker/failed', { address, problem }),
  };
}

class Late extends Error {
  readonly limitMs: number;
  constructor(limitMs: number) {
    super('ETIMEDOUT');
    this.limitMs = limitMs;
  }
}

export function toDoorError(error: unknown, address: string, begun = false): unknown {
  if (error instanceof DeployError) return error;
  if (error instanceof Late) return DeployError.of('docker/silent', { address, waited: `${error.limitMs / 1000} s` }, { cause: error });
  const words = error instanceof Error ? error.message : String(error);
  const code = errnoOf(error);
  // Of a file that is not there (a certificate) the words say which.
  const problem = code === undefined || (code === 'ENOENT' && words !== '') ? words : code;
  if (problem === 'EACCES' || problem === 'EPERM') return DeployError.of('docker/forbidden', { address }, { cause: error });
  return DeployError.of(begun ? 'docker/broken' : 'docker/unreachable', { address, problem }, { cause: error });
}

async function readAnswer({ status, stream }: Reply, signal: AbortSignal): Promise<Answer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > answerCap) throw new Error('EMSGSIZE');
  }
  if (signal.aborted) throw signal.reason;
  const text = Buffer.concat(chunks).toString();
  const value = parseJson(text);
  // Docker says `message`, Podman `cause` besides.
  const problem = (toText(value, 'message') ?? toText(value, 'cause') ?? text.slice(0, 500).trim()) || `HTTP ${status}`;
  return { status, value, problem: problem.trim() };
}

interface Reading {
  readonly silenceMs: number | undefined;
  readonly life: AbortSignal;
  readonly toError: (error: unknown, begun: boolean) => unknown;
}

/** Ends without an error when its caller gave up. */
async function* readChunks({ stream }: Reply, { silenceMs, life, toError }: Reading): AsyncGenerator<Buffer> {
  let late: Late | undefined;
  const giveUp = () => {
    late = new Late(silenceMs ?? 0);
    stream.destroy(late);
  };
  const timer = silenceMs === undefined ? undefined : setTimeout(giveUp, silenceMs);
  try {
    for await (const chunk of stream) {
      timer?.refresh();
      yield chunk;
      timer?.refresh();
    }
  } catch (error) {
    if (!life.aborted) throw toError(late ?? error, true);
  } finally {
    clearTimeout(timer);
    stream.destroy();
  }
}
