/** The only place where catalogue entries become words. */
import type { DeployError } from '../core/error.ts';
import type { Message, Params } from '../core/message.ts';
import { errors } from './en/errors.ts';
import { messages } from './en/index.ts';

export function toText(message: Message): string {
  const template: string | undefined = messages[message.id];
  return template === undefined ? message.id : fill(template, message.params);
}

/** What is wrong and what to do next, in the language of the catalogue. */
export function toErrorText(error: DeployError): { readonly message: string; readonly hint?: string } {
  const entry: { message: string; hint?: string } = errors[error.code];
  const message = fill(entry.message, error.params);
  return entry.hint === undefined ? { message } : { message, hint: fill(entry.hint, error.params) };
}

function fill(template: string, params: Params): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => String(params[name] ?? whole));
}
