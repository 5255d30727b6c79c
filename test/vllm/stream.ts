/** A client that reads a stream of tokens, and one that does not. */
import { type IncomingMessage, request } from 'node:http';

export interface Stream {
  /** The first token is there: the request runs. */
  readonly begun: Promise<void>;
  /** Never rejects: a broken connection is an end too. */
  readonly ended: Promise<StreamEnd>;
  hangUp(): void;
}

export interface StreamEnd {
  /** By vLLM's own count at the end of the stream; 0 when it broke off. */
  readonly tokens: number;
  /** vLLM's word for how the answer ended; absent when the stream broke off. */
  readonly finish?: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export interface StreamRequest {
  readonly port: number;
  readonly maxTokens: number;
  /** Stops reading after the first token, and keeps the connection. */
  readonly deaf?: boolean;
}

/** A header with status 200 comes before the first token and proves nothing, and neither does `[DONE]`. */
export function openStream({ port, maxTokens, deaf = false }: StreamRequest): Stream {
  const headers = { 'content-type': 'application/json' };
  const ask = request({ host: '127.0.0.1', port, path: '/v1/completions', method: 'POST', headers });
  const body = { model: 'Qwen3-0.6B', prompt: 'Hello', max_tokens: maxTokens, ignore_eos: true };
  ask.end(JSON.stringify({ ...body, stream: true, stream_options: { include_usage: true } }));
  const answered = new Promise<IncomingMessage | undefined>((resolve) => {
    ask.once('response', resolve);
    // Stays: a connection may break after the answer has begun.
    ask.on('error', () => resolve(undefined));
  });
  const begun = answered.then((reply) => reply && untilFirst(reply, deaf));
  return { begun, ended: answered.then(readToEnd), hangUp: () => void ask.destroy() };
}

function untilFirst(reply: IncomingMessage, deaf: boolean): Promise<void> {
  return new Promise((resolve) => {
    reply.once('close', resolve);
    reply.once('data', () => {
      if (deaf) reply.pause();
      resolve();
    });
  });
}

function readToEnd(reply: IncomingMessage | undefined): Promise<StreamEnd> {
  let text = '';
  return new Promise((resolve) => {
    if (reply === undefined) return resolve(toEnd(text));
    reply.on('data', (chunk) => {
      text += chunk;
    });
    reply.on('error', () => resolve(toEnd(text)));
    reply.once('close', () => resolve(toEnd(text)));
  });
}

function toEnd(text: string): StreamEnd {
  const finish = /"finish_reason":"(\w+)"/.exec(text)?.[1];
  // Not the number of lines: tokens that nobody has fetched yet come together.
  const tokens = Number(/"completion_tokens":(\d+)/.exec(text)?.[1] ?? 0);
  return { tokens, ...(finish === undefined ? {} : { finish }), at: Date.now() };
}
