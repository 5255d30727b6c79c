/** The only place where catalogue entries become words. */
import type { DeployError } from '../core/error.ts';
import type { Message, Param, Params } from '../core/message.ts';
import { errors } from './en/errors.ts';
import { messages } from './en/index.ts';

/** A message of another version of this program (journal, control socket) may be unknown here: its parts are shown then. */
export function toText(message: Message): string {
  const template: string | undefined = messages[message.id];
  return template === undefined ? toRawText(message) : fill(template, message.params);
}

/** What is wrong and what to do next, in the language of the catalogue. */
export function toErrorText(error: DeployError): { readonly message: string; readonly hint?: string } {
  const entry: { message: string; hint?: string } | undefined = errors[error.code];
  if (entry === undefined) return { message: toRawText({ id: error.code, params: error.params }) };
  const message = fill(entry.message, error.params);
  return entry.hint === undefined ? { message } : { message, hint: fill(entry.hint, error.params) };
}

function fill(template: string, params: Params): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => toWord(params[name]) ?? whole);
}

function toRawText(message: { readonly id: string; readonly params: Params }): string {
  const values = Object.entries(message.params).map(([name, value]) => `${name}=${toWord(value)}`);
  return [message.id, ...values].join(' ');
}

function toWord(value: Param | undefined): string | undefined {
  if (value === undefined) return undefined;
  return typeof value === 'object' ? toText(value) : String(value);
}
