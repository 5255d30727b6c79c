/** The body of a generating request → what to generate, or the refusal that vLLM would give. */
import { type ApiFailure, toBadRequest, toMissing, toUnknownModel } from './failure.ts';
import type { SimulatorOptions } from './options.ts';
import { type ChatMessage, type Piece, renderChatPrompt, toChatAnswer, toCompletion, toTokens } from './text.ts';

export type RequestKind = 'chat' | 'completion';

export interface GenerationRequest {
  readonly kind: RequestKind;
  readonly model: string;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  /** One answer each. */
  readonly prompts: readonly { readonly tokens: number; readonly text: string; readonly answer: readonly Piece[] }[];
  readonly maxTokens: number;
  readonly minTokens: number;
}

export type ParsedRequest =
  | { readonly is: 'request'; readonly request: GenerationRequest }
  | { readonly is: 'failure'; readonly failure: ApiFailure };

export function parseRequest(kind: RequestKind, text: string, options: SimulatorOptions): ParsedRequest {
  const body = parseObject(text);
  if (body === undefined) return refuse(toMissing('body'));
  const model = typeof body['model'] === 'string' ? body['model'] : options.servedNames[0];
  if (!options.servedNames.includes(model)) return refuse(toUnknownModel(model, options.servedNames));
  const prompts = kind === 'chat' ? toChatPrompts(body, options.thinking) : toCompletionPrompts(body);
  if (prompts === undefined) return refuse(toMissing(kind === 'chat' ? 'body.messages' : 'body.prompt'));
  const longest = Math.max(...prompts.map(({ tokens }) => tokens));
  const asked = toCount(body['max_completion_tokens']) ?? toCount(body['max_tokens']) ?? (kind === 'completion' ? 16 : undefined);
  const failure = checkLengths({ longest, asked, limit: options.maxModelLen });
  if (failure !== undefined) return refuse(failure);
  return {
    is: 'request',
    request: {
      kind,
      model,
      stream: body['stream'] === true,
      includeUsage: isRecord(body['stream_options']) && body['stream_options']['include_usage'] === true,
      prompts,
      maxTokens: asked ?? options.maxModelLen - longest,
      minTokens: body['ignore_eos'] === true ? Number.POSITIVE_INFINITY : (toCount(body['min_tokens']) ?? 0),
    },
  };
}

type Body = Readonly<Record<string, unknown>>;

function refuse(failure: ApiFailure): ParsedRequest {
  return { is: 'failure', failure };
}

function parseObject(text: string): Body | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    // only the parser can fail here, and what it says is not part of vLLM's answer
    return undefined;
  }
}

function toChatPrompts(body: Body, thinkingDefault: boolean): GenerationRequest['prompts'] | undefined {
  const { messages, chat_template_kwargs: kwargs } = body;
  if (!Array.isArray(messages)) return undefined;
  const asked = isRecord(kwargs) ? kwargs['enable_thinking'] : undefined;
  const thinking = typeof asked === 'boolean' ? asked : thinkingDefault;
  const turns = messages.filter(isRecord).map(toMessage);
  const text = renderChatPrompt(turns, thinking);
  return [{ tokens: toTokens(text).length, text, answer: toChatAnswer(turns, thinking) }];
}

function toMessage(message: Body): ChatMessage {
  const { role, content } = message;
  const parts = Array.isArray(content) ? content.filter(isRecord).map((part) => String(part['text'] ?? '')) : [String(content ?? '')];
  return { role: typeof role === 'string' ? role : 'user', text: parts.join('\n') };
}

/** A string, strings, token ids, or lists of token ids. */
function toCompletionPrompts(body: Body): GenerationRequest['prompts'] | undefined {
  const { prompt } = body;
  if (typeof prompt === 'string') return [toCompletionPrompt(prompt)];
  if (!Array.isArray(prompt) || prompt.length === 0) return undefined;
  if (prompt.every((item) => typeof item === 'number')) return [toTokenPrompt(prompt)];
  return prompt.map((item: unknown) => (Array.isArray(item) ? toTokenPrompt(item) : toCompletionPrompt(String(item))));
}

function toCompletionPrompt(text: string): GenerationRequest['prompts'][number] {
  return { tokens: Math.max(toTokens(text).length, 1), text, answer: toCompletion(text) };
}

function toTokenPrompt(ids: readonly unknown[]): GenerationRequest['prompts'][number] {
  return { tokens: ids.length, text: '', answer: toCompletion('') };
}

function checkLengths(sizes: {
  readonly longest: number;
  readonly asked: number | undefined;
  readonly limit: number;
}): ApiFailure | undefined {
  const { longest, asked = 1, limit } = sizes;
  const head = `This model's maximum context length is ${limit} tokens. However, `;
  if (asked > limit) {
    const message = `max_tokens=${asked} cannot be greater than max_model_len=${limit}. Please request fewer output tokens. (parameter=max_tokens, value=${asked})`;
    return toBadRequest(message, 'max_tokens');
  }
  if (longest > limit) {
    const message = `${head}your prompt contains at least ${limit + 1} input tokens, which exceeds this limit even without any output tokens. Please reduce the length of the input prompt. (parameter=input_tokens, value=${limit + 1})`;
    return toBadRequest(message, 'input_tokens');
  }
  if (longest + asked <= limit) return undefined;
  const message = `${head}you requested ${asked} output tokens and your prompt contains at least ${longest} input tokens, for a total of at least ${longest + asked} tokens. Please reduce the length of the input prompt or the number of requested output tokens. (parameter=input_tokens, value=${longest})`;
  return toBadRequest(message, 'input_tokens');
}

function toCount(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined;
}

function isRecord(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
