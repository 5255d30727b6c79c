/**
 * What the simulated model reads and writes. A "token" is a word or a part of one with the space before it, which is
 * close enough to a real tokenizer for counts, streams and limits to behave.
 */

export interface Piece {
  readonly part: 'reasoning' | 'content';
  readonly text: string;
}

export interface ChatMessage {
  readonly role: string;
  readonly text: string;
}

export function toTokens(text: string): readonly string[] {
  return text.match(/\s*[\p{L}\p{N}_]{1,10}|\s*[^\s\p{L}\p{N}_]|\s+$/gu) ?? [];
}

/** The prompt as Qwen3's chat template writes it: without thinking the answer opens with an empty thinking block. */
export function renderChatPrompt(messages: readonly ChatMessage[], thinking: boolean): string {
  const turns = messages.map(({ role, text }) => `<|im_start|>${role}\n${text}<|im_end|>\n`);
  return `${turns.join('')}<|im_start|>assistant\n${thinking ? '' : '<think>\n\n</think>\n\n'}`;
}

export function toChatAnswer(messages: readonly ChatMessage[], thinking: boolean): readonly Piece[] {
  const question = messages.findLast(({ role }) => role === 'user')?.text ?? '';
  const answer = toPieces('content', `Simulated answer: no model is running.${toQuote(question)}`);
  if (!thinking) return answer;
  return [...toPieces('reasoning', 'Simulated thinking: the person wrote something, and there is no model to think about it.'), ...answer];
}

export function toCompletion(prompt: string): readonly Piece[] {
  return toPieces('content', ` Simulated text: no model is running.${toQuote(prompt)}`);
}

/** What follows when a request insists on more tokens than the answer has (`ignore_eos`, `min_tokens`). */
export function toFiller(index: number): Piece {
  return { part: 'content', text: fillerWords[index % fillerWords.length] ?? '' };
}

const fillerWords = [' simulated', ' text', ' goes', ' on'];

function toQuote(text: string): string {
  const words = text.trim().replaceAll(/\s+/g, ' ');
  if (words === '') return '';
  return words.length > 60 ? ` You wrote: "${words.slice(0, 60)}…"` : ` You wrote: "${words}"`;
}

function toPieces(part: Piece['part'], text: string): readonly Piece[] {
  return toTokens(text).map((token) => ({ part, text: token }));
}
