/** Bodies of answers as vLLM shapes them: chat and completion, whole and in chunks. */
import { randomBytes } from 'node:crypto';
import type { FinishReason } from './engine.ts';
import type { SimulatorIdentity, SimulatorOptions } from './options.ts';
import type { RequestKind } from './request.ts';
import type { Piece } from './text.ts';

export interface Usage {
  readonly prompt_tokens: number;
  readonly total_tokens: number;
  readonly completion_tokens: number;
}

/** What every body of one answer shares. */
export interface AnswerHead {
  readonly kind: RequestKind;
  readonly id: string;
  readonly created: number;
  readonly model: string;
  readonly fingerprint: string;
}

export interface Choice {
  readonly index: number;
  readonly pieces: readonly Piece[];
  readonly finish: FinishReason;
}

export function toAnswerHead(kind: RequestKind, model: string, identity: SimulatorIdentity): AnswerHead {
  const id = `${kind === 'chat' ? 'chatcmpl' : 'cmpl'}-${randomBytes(8).toString('hex')}`;
  return { kind, id, created: Math.floor(Date.now() / 1000), model, fingerprint: identity.fingerprint };
}

export function toUsage(promptTokens: number, completionTokens: number): Usage {
  return { prompt_tokens: promptTokens, total_tokens: promptTokens + completionTokens, completion_tokens: completionTokens };
}

export function toAnswer(head: AnswerHead, choices: readonly Choice[], usage: Usage): unknown {
  return {
    id: head.id,
    object: head.kind === 'chat' ? 'chat.completion' : 'text_completion',
    created: head.created,
    model: head.model,
    choices: choices.map((choice) => ({
      index: choice.index,
      ...(head.kind === 'chat' ? { message: toMessage(choice.pieces) } : { text: choice.pieces.map(({ text }) => text).join('') }),
      logprobs: null,
      finish_reason: choice.finish,
      stop_reason: null,
    })),
    service_tier: null,
    system_fingerprint: head.fingerprint,
    usage: { ...usage, prompt_tokens_details: null },
  };
}

/** The first chunk of a chat names the speaker and says nothing. */
export function toOpeningChunk(head: AnswerHead, index: number): unknown {
  return toChunk(head, { index, delta: { role: 'assistant', content: '' }, logprobs: null, finish_reason: null }, false);
}

export function toPieceChunk(
  head: AnswerHead,
  index: number,
  what: { readonly piece: Piece | undefined; readonly finish: FinishReason | undefined; readonly last: boolean },
): unknown {
  const text = what.piece?.text ?? '';
  const body = head.kind === 'completion' ? { text } : { delta: { [what.piece?.part ?? 'content']: text } };
  const finish = { logprobs: null, finish_reason: what.finish ?? null };
  return toChunk(head, { index, ...body, ...finish, ...(what.finish === undefined ? {} : { stop_reason: null }) }, what.last);
}

export function toUsageChunk(head: AnswerHead, usage: Usage): unknown {
  return { ...toChunkHead(head), choices: [], usage, system_fingerprint: head.fingerprint };
}

export function toModelList(options: SimulatorOptions, created: number): unknown {
  const data = options.servedNames.map((id) => ({
    id,
    object: 'model',
    created,
    owned_by: options.identity.ownedBy,
    root: options.model,
    parent: null,
    max_model_len: options.maxModelLen,
    permission: [],
  }));
  return { object: 'list', data };
}

/** Empty parts are null, as vLLM's reasoning parser leaves them. */
function toMessage(pieces: readonly Piece[]): unknown {
  const join = (part: Piece['part']) => {
    const text = pieces.filter((piece) => piece.part === part).map((piece) => piece.text);
    return text.length === 0 ? null : text.join('').trim();
  };
  return {
    role: 'assistant',
    content: join('content'),
    refusal: null,
    annotations: null,
    audio: null,
    function_call: null,
    reasoning: join('reasoning'),
  };
}

function toChunk(head: AnswerHead, choice: unknown, last: boolean): unknown {
  return { ...toChunkHead(head), choices: [choice], ...(last ? { system_fingerprint: head.fingerprint } : {}) };
}

function toChunkHead({ kind, id, created, model }: AnswerHead): Readonly<Record<string, unknown>> {
  return { id, object: kind === 'chat' ? 'chat.completion.chunk' : 'text_completion', created, model };
}
