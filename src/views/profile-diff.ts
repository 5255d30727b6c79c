/** What two profiles do differently: each setting with both values, and below it what that means. */
import { type Message, say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import type { Palette } from './screen.ts';

export interface ComparedProfiles {
  readonly a: string;
  readonly b: string;
  readonly differences: readonly {
    readonly path: string;
    readonly from?: unknown;
    readonly to?: unknown;
    readonly meaning?: Message;
  }[];
}

export function toProfileDiffDocument({ differences, ...rest }: ComparedProfiles): object {
  const told = differences.map(({ meaning, ...one }) => ({ ...one, ...(meaning === undefined ? {} : { meaning: toText(meaning) }) }));
  return { ...rest, differences: told };
}

export function renderProfileDiff({ a, b, differences }: ComparedProfiles, palette: Palette): string {
  if (differences.length === 0) return `${toText(say('profiles.diff.none', { a, b }))}\n`;
  const head = `${palette.strong(a)} → ${palette.strong(b)}\n`;
  const lines = differences.map(({ path, from, to, meaning }) => {
    const change = `  ${path}: ${palette.bad(toShown(from))} → ${palette.good(toShown(to))}\n`;
    return meaning === undefined ? change : `${change}    ${palette.dim(toText(meaning))}\n`;
  });
  return head + lines.join('');
}

function toShown(value: unknown): string {
  if (value === undefined) return toText(say('views.unset'));
  return typeof value === 'string' ? value : JSON.stringify(value);
}
