/** Runs a generating request on the engine and writes its answer, whole or as server-sent events. */
import type { ServerResponse } from 'node:http';
import type { FinishReason, Job, SimulatedEngine } from './engine.ts';
import { engineDead, toFailureBody } from './failure.ts';
import type { SimulatorIdentity } from './options.ts';
import { type AnswerHead, type Choice, toAnswer, toAnswerHead, toOpeningChunk, toPieceChunk, toUsage, toUsageChunk } from './replies.ts';
import type { GenerationRequest } from './request.ts';
import type { Piece } from './text.ts';

export interface GenerationPlace {
  readonly engine: SimulatedEngine;
  readonly identity: SimulatorIdentity;
  readonly response: ServerResponse;
  /** Sends a JSON body; used for whole answers and for failures before the first byte. */
  readonly send: (status: number, body: unknown) => void;
}

export function generate(request: GenerationRequest, place: GenerationPlace): void {
  const head = toAnswerHead(request.kind, request.model, place.identity);
  const writer = request.stream ? openStream(request, place, head) : collectAnswer(request, place, head);
  const cancels = request.prompts.map(({ tokens, answer }, index) =>
    place.engine.submit({
      promptTokens: tokens,
      answer,
      maxTokens: request.maxTokens,
      minTokens: request.minTokens,
      ...writer(index),
    }),
  );
  // A client that goes away takes its request with it; after a full answer this finds nothing to cancel.
  place.response.once('close', () => {
    for (const cancel of cancels) cancel();
  });
}

type Writer = (index: number) => Pick<Job, 'onPiece' | 'onFailure'>;

function collectAnswer(request: GenerationRequest, place: GenerationPlace, head: AnswerHead): Writer {
  const choices: Choice[] = [];
  let failed = false;
  return (index) => {
    const pieces: Piece[] = [];
    return {
      onPiece(piece, finish) {
        if (piece !== undefined) pieces.push(piece);
        if (finish === undefined) return;
        choices.push({ index, pieces, finish });
        if (choices.length < request.prompts.length || failed) return;
        place.send(
          200,
          toAnswer(
            head,
            choices.sort((a, b) => a.index - b.index),
            toRequestUsage(request, choices),
          ),
        );
      },
      onFailure() {
        if (!failed) place.send(engineDead.status, toFailureBody(engineDead));
        failed = true;
      },
    };
  };
}

/** The header goes out before the first token, so a later failure can only be told inside the stream. */
function openStream(request: GenerationRequest, place: GenerationPlace, head: AnswerHead): Writer {
  const { response } = place;
  const write = (body: unknown) => response.write(`data: ${typeof body === 'string' ? body : JSON.stringify(body)}\n\n`);
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  response.flushHeaders();
  const choices: Choice[] = [];
  const end = () => {
    if (response.writableEnded) return;
    write('[DONE]');
    response.end();
  };
  const finishChoice = (choice: Choice) => {
    choices.push(choice);
    if (choices.length < request.prompts.length) return;
    if (request.includeUsage) write(toUsageChunk(head, toRequestUsage(request, choices)));
    end();
  };
  return (index) => {
    const pieces: Piece[] = [];
    let opened = request.kind === 'completion';
    return {
      onPiece(piece: Piece | undefined, finish: FinishReason | undefined) {
        if (!opened) write(toOpeningChunk(head, index));
        opened = true;
        if (piece !== undefined) pieces.push(piece);
        write(toPieceChunk(head, index, { piece, finish, last: finish !== undefined && !request.includeUsage }));
        if (finish !== undefined) finishChoice({ index, pieces, finish });
      },
      onFailure() {
        if (response.writableEnded) return;
        write(toFailureBody(engineDead));
        end();
      },
    };
  };
}

function toRequestUsage(request: GenerationRequest, choices: readonly Choice[]) {
  const prompt = request.prompts.reduce((sum, { tokens }) => sum + tokens, 0);
  return toUsage(
    prompt,
    choices.reduce((sum, { pieces }) => sum + pieces.length, 0),
  );
}
