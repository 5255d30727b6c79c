/** The model's words as they come: text on stdout, its thinking and the figures on stderr. */
import { say } from '../core/message.ts';
import { toDurationText } from '../core/units.ts';
import { toText } from '../text/render.ts';
import { toVisible } from './clean.ts';
import type { Screen } from './screen.ts';

export interface AnswerPart {
  readonly kind: 'text' | 'reasoning';
  readonly text: string;
}

/** What the summary needs of an Answer document. */
export interface AnswerFigures {
  readonly model: string;
  readonly usage: { readonly completionTokens: number };
  readonly ttftMs: number;
  readonly totalMs: number;
  readonly simulated?: boolean;
}

export interface AnswerView {
  readonly show: (part: AnswerPart) => void;
  end(answer: AnswerFigures): void;
}

export function openAnswer(screen: Screen): AnswerView {
  const { mode } = screen.output;
  let last: AnswerPart | undefined;
  const endLine = () => {
    if (last === undefined || last.text.endsWith('\n')) return;
    if (last.kind === 'text') screen.out('\n');
    else screen.err('\n');
  };
  return {
    show(part) {
      if (mode === 'json' || (mode === 'quiet' && part.kind === 'reasoning') || part.text === '') return;
      if (last !== undefined && last.kind !== part.kind) endLine();
      if (part.kind === 'text') screen.out(screen.terminal ? toVisible(part.text) : part.text);
      else screen.err(screen.palette.dim(toVisible(part.text)));
      last = part;
    },
    end(answer) {
      if (mode === 'json') return screen.out(`${JSON.stringify(answer)}\n`);
      endLine();
      if (mode !== 'quiet') screen.err(`${screen.palette.dim(toFiguresText(answer))}\n`);
    },
  };
}

function toFiguresText({ model, usage, ttftMs, totalMs, simulated }: AnswerFigures): string {
  const figures = { model, ttft: toDurationText(ttftMs), total: toDurationText(totalMs), tokens: usage.completionTokens };
  const text = toText(say('views.answer', figures));
  return simulated ? toText(say('views.simulated', { text })) : text;
}
