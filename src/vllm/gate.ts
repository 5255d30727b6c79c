/**
 * The readiness gate: what is asked of a fresh engine, and when an answer counts. Pure; the supervisor sends.
 * `/health` alone is a flag that a frozen engine keeps up, and a missing tokenizer or chat template shows only in a
 * real request, so every check has to pass.
 */
import type { GateCheck } from '../core/event.ts';

export interface GateRequest {
  readonly check: GateCheck;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
}

/** In the order in which they are worth asking. Leave out `chat` where no chat is served. */
export function toGateRequests(servedName: string, apiKey?: string): readonly GateRequest[] {
  const headers = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
  const oneToken = { model: servedName, max_tokens: 1, temperature: 0 };
  return [
    { check: 'health', method: 'GET', path: '/health', headers: {} },
    { check: 'models', method: 'GET', path: '/v1/models', headers },
    { check: 'completion', method: 'POST', path: '/v1/completions', headers, body: { ...oneToken, prompt: 'Hello' } },
    {
      check: 'chat',
      method: 'POST',
      path: '/v1/chat/completions',
      headers,
      body: { ...oneToken, messages: [{ role: 'user', content: 'Hello' }] },
    },
  ];
}

export interface GateReply {
  readonly status: number;
  readonly text: string;
  /** Names that `/v1/models` has to list, all of them. */
  readonly servedNames: readonly string[];
}

/** `detail` is short machine text for logs and events: status, the body's own message, the names that were listed. */
export type GateVerdict = { readonly passed: true } | { readonly passed: false; readonly detail: string };

export function checkGateReply(check: GateCheck, reply: GateReply): GateVerdict {
  const body = parseObject(reply.text);
  const message = toErrorMessage(body);
  if (reply.status !== 200) return failed(message === undefined ? `HTTP ${reply.status}` : `HTTP ${reply.status}: ${message}`);
  if (check === 'health') return { passed: true };
  if (body === undefined) return failed(`no JSON object: ${toShort(reply.text)}`);
  if (message !== undefined) return failed(message);
  return check === 'models' ? checkModels(body, reply.servedNames) : checkChoice(body);
}

type JsonObject = Readonly<Record<string, unknown>>;

function checkModels(body: JsonObject, servedNames: readonly string[]): GateVerdict {
  const list = Array.isArray(body['data']) ? body['data'] : [];
  const listed = list.flatMap((entry: unknown) => (isObject(entry) && typeof entry['id'] === 'string' ? [entry['id']] : []));
  const missing = servedNames.filter((name) => !listed.includes(name));
  return missing.length === 0 ? { passed: true } : failed(`listed: ${listed.join(', ') || '-'}; missing: ${missing.join(', ')}`);
}

/** One token may decode to no text at all (half a UTF-8 sequence), so the text is not looked at. */
function checkChoice(body: JsonObject): GateVerdict {
  const choice: unknown = Array.isArray(body['choices']) ? body['choices'][0] : undefined;
  if (!isObject(choice)) return failed('no choices');
  const reason = choice['finish_reason'];
  return reason === 'abort' || reason === 'error' ? failed(`finish_reason ${reason}`) : { passed: true };
}

/** `{"error": {"message": …}}`, older `{"object": "error", "message": …}`, `{"error": "Unauthorized"}`, FastAPI's `{"detail": …}`. */
function toErrorMessage(body: JsonObject | undefined): string | undefined {
  if (body === undefined) return undefined;
  const { error, message, detail, object } = body;
  if (isObject(error) && typeof error['message'] === 'string') return toShort(error['message']);
  if (typeof error === 'string') return toShort(error);
  if (object === 'error' && typeof message === 'string') return toShort(message);
  return typeof detail === 'string' ? toShort(detail) : undefined;
}

function failed(detail: string): GateVerdict {
  return { passed: false, detail };
}

function toShort(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 200 ? `${line.slice(0, 199)}…` : line;
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    // an empty body, a proxy's HTML page
    return undefined;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
