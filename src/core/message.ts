/**
 * A sentence for people, not yet in any language: an id of the message catalogue and its parameters.
 * Domain code makes these; only `text/` turns them into words, so that every string has one home.
 */
import type { messages } from '../text/en/index.ts';

type Catalogue = typeof messages;
export type MessageId = keyof Catalogue;

/** The names between braces in a template: `'{a} of {b}'` → `'a' | 'b'`. */
export type Placeholders<T extends string> = T extends `${string}{${infer Name}}${infer Rest}` ? Name | Placeholders<Rest> : never;

/** A sentence may stand inside another one. */
export type Param = string | number | Message;
export type Params = Readonly<Record<string, Param>>;

export interface Message {
  readonly id: MessageId;
  readonly params: Params;
}

type ParamsFor<T extends string> = [Placeholders<T>] extends [never] ? [] : [params: Readonly<Record<Placeholders<T>, Param>>];

/** Names a sentence of the catalogue; the compiler checks that every placeholder is given. */
export function say<I extends MessageId>(id: I, ...params: ParamsFor<Catalogue[I]>): Message {
  return { id, params: params[0] ?? {} };
}
