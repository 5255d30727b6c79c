import { DeployError } from '../core/error.ts';
import { type OpenReply, openReply, readAll } from '../host/http.ts';
import { NoReply, toNoReply } from '../host/no-reply.ts';
import { isServing } from '../supervisor/deployment.ts';
import { toProbeHost } from '../supervisor/state.ts';
import { createStreamReader, type StreamItem } from '../vllm/sse.ts';
import type { Context } from './context.ts';
import { findDeployment, type Known } from './find.ts';
import { readApiKey } from './secrets.ts';
import { readDocument } from './status-list.ts';

export interface AskRequest {
  readonly name?: string;
  readonly text: string;
  readonly system?: string;
  /** Undefined: as the server is set. */
  readonly thinking?: boolean;
  readonly maxTokens?: number;
}

export interface Answer {
  readonly kind: 'Answer';
  readonly version: 1;
  readonly text: string;
  readonly reasoning?: string;
  readonly model: string;
  readonly usage: Usage;
  readonly ttftMs: number;
  readonly totalMs: number;
  readonly simulated: boolean;
}

export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
}

export type OnText = (part: { readonly kind: 'text' | 'reasoning'; readonly text: string }) => void;

/** One question, streamed. Throws `deployment/not-running` and `ask/refused`. */
export async function ask(request: AskRequest, context: Context, onText: OnText): Promise<Answer> {
  const known = await findDeployment(request.name, 'ask', context);
  const document = await readDocument(known.name, known.state, context);
  if (!isServing(document.state)) {
    throw DeployError.of('deployment/not-running', { name: known.name, state: document.state, profile: document.profile });
  }
  const sentAt = performance.now();
  const reply = await send(known, request, context);
  try {
    const read = await readAnswer(reply, { name: known.name, sentAt, onText });
    const { model, simulated } = { model: document.servedNames[0] ?? '', simulated: document.simulated };
    return { kind: 'Answer', version: 1, ...read, model, totalMs: Math.round(performance.now() - sentAt), simulated };
  } finally {
    reply.close();
  }
}

async function send(known: Known, request: AskRequest, context: Context): Promise<OpenReply> {
  const { spec } = known.state.wanted;
  const key = await readApiKey(spec, context);
  const body = {
    model: spec.servedNames[0],
    messages: [
      ...(request.system === undefined ? [] : [{ role: 'system', content: request.system }]),
      { role: 'user', content: request.text },
    ],
    stream: true,
    stream_options: { include_usage: true },
    ...(request.maxTokens === undefined ? {} : { max_tokens: request.maxTokens }),
    ...(request.thinking === undefined ? {} : { chat_template_kwargs: { enable_thinking: request.thinking } }),
  };
  const target = { host: toProbeHost(spec.endpoint.host), port: spec.endpoint.port };
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const reply = await openReply(target, { method: 'POST', path: '/v1/chat/completions', headers, body, signal: context.signal }).catch(
    (error: unknown) => {
      if (error instanceof NoReply) throw DeployError.of('ask/refused', { name: known.name, problem: error.reason }, { cause: error });
      throw error;
    },
  );
  if (reply.status === 200) return reply;
  const text = await readAll(reply.stream);
  throw DeployError.of('ask/refused', { name: known.name, problem: `HTTP ${reply.status}: ${toErrorMessage(text)}` });
}

interface Reading {
  readonly name: string;
  readonly sentAt: number;
  readonly onText: OnText;
}

type Read = Pick<Answer, 'text' | 'usage' | 'ttftMs'> & { readonly reasoning?: string };

/** An engine that dies in mid-stream sends an error as data, or just stops: neither is an answer. */
async function readAnswer(reply: OpenReply, { name, sentAt, onText }: Reading): Promise<Read> {
  const reader = createStreamReader();
  const texts = { text: '', reasoning: '' };
  let usage: Usage = { promptTokens: 0, completionTokens: 0 };
  let ttftMs: number | undefined;
  const take = (item: StreamItem) => {
    if (item.is === 'error') throw DeployError.of('ask/refused', { name, problem: item.message });
    if (item.is === 'cut') throw DeployError.of('ask/refused', { name, problem: 'the stream ended in the middle' });
    if (item.is !== 'data') return;
    const chunk = toChunk(item.data);
    usage = chunk.usage ?? usage;
    for (const kind of ['reasoning', 'text'] as const) {
      if (!chunk[kind]) continue;
      ttftMs ??= performance.now() - sentAt;
      texts[kind] += chunk[kind];
      onText({ kind, text: chunk[kind] });
    }
  };
  try {
    for await (const piece of reply.stream) for (const item of reader.push(piece as Uint8Array)) take(item);
  } catch (error) {
    if (error instanceof DeployError) throw error;
    // An engine that is killed drops the connection in the middle.
    throw DeployError.of('ask/refused', { name, problem: toNoReply(error).reason }, { cause: error });
  }
  for (const item of reader.end()) take(item);
  const { text, reasoning } = texts;
  return { text, ...(reasoning ? { reasoning } : {}), usage, ttftMs: Math.round(ttftMs ?? performance.now() - sentAt) };
}

interface Chunk {
  readonly text: string;
  readonly reasoning: string;
  readonly usage: Usage | undefined;
}

interface WireChunk {
  readonly choices?: readonly {
    readonly delta?: { readonly content?: string; readonly reasoning?: string; readonly reasoning_content?: string };
  }[];
  readonly usage?: { readonly prompt_tokens?: number; readonly completion_tokens?: number } | null;
}

function toChunk(data: unknown): Chunk {
  const wire = (typeof data === 'object' && data !== null ? data : {}) as WireChunk;
  const delta = wire.choices?.[0]?.delta;
  return {
    text: delta?.content ?? '',
    // Called `reasoning_content` before it was renamed.
    reasoning: delta?.reasoning ?? delta?.reasoning_content ?? '',
    usage: wire.usage ? { promptTokens: wire.usage.prompt_tokens ?? 0, completionTokens: wire.usage.completion_tokens ?? 0 } : undefined,
  };
}

function toErrorMessage(body: string): string {
  try {
    const { error } = JSON.parse(body) as { error?: { message?: string } | string };
    return (typeof error === 'string' ? error : error?.message) ?? body;
  } catch {
    // not JSON: the text itself is the best there is
    return body.slice(0, 300);
  }
}
