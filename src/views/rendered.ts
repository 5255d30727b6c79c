/** What `render` made, wrote, or found different. */
import { type Message, say } from '../core/message.ts';
import type { ComparedFile, Rendered } from '../operate/render.ts';
import { toText } from '../text/render.ts';
import { toFindingDocument } from './documents.ts';

export function toRenderedDocument({ warnings, ...rest }: Rendered, compared?: readonly ComparedFile[]): object {
  const states = compared === undefined ? {} : { compared: compared.map(({ path, is }) => ({ path, is })) };
  return { ...rest, ...states, warnings: warnings.map(toFindingDocument) };
}

export function renderWritten(compared: readonly ComparedFile[]): string {
  return toLines(compared.map(({ path, is }) => (is === 'same' ? say('render.unchanged', { path }) : say('render.written', { path }))));
}

export function renderCompared(compared: readonly ComparedFile[]): string {
  return toLines(
    compared.flatMap(({ path, is, difference }) => {
      if (is === 'same') return [say('render.unchanged', { path })];
      if (is === 'missing') return [say('render.missing', { path })];
      return [say('render.differs', { path }), ...difference.map((line) => say('render.line', { line }))];
    }),
  );
}

function toLines(messages: readonly Message[]): string {
  return messages.map((message) => `${toText(message)}\n`).join('');
}
