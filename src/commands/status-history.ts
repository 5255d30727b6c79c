/** What `status --history` shows. Loaded only for it: `status` must stay quick. */
import type { Command } from 'commander';
import { ExitStatus } from '../core/exit.ts';
import { say } from '../core/message.ts';
import { parseDurationMs } from '../core/units.ts';
import { readHistories } from '../operate/history.ts';
import { toText } from '../text/render.ts';
import { isUnicode, renderHistory, toHistoryDocument } from '../views/history.ts';
import { refuse } from './options.ts';
import type { Session } from './session.ts';
import type { Look } from './status-all.ts';
import { toCommandPath } from './usage.ts';

const usualMs = 3_600_000;
const leastMs = 60_000;

interface Asked {
  readonly name: string | undefined;
  readonly since: string | undefined;
  readonly command: Command;
}

/** A mistake in `--since` is said before anything is looked at. */
export function chooseLook({ name, since, command }: Asked, session: Session): () => Promise<Look> {
  const sinceMs = parseSince(since, command);
  return () => lookBack(name, sinceMs, session);
}

/** `1h`, `24h`, `7d`: anything from a minute on. */
function parseSince(value: string | undefined, command: Command): number {
  const ms = value === undefined ? usualMs : parseDurationMs(value);
  if (ms !== undefined && ms >= leastMs) return ms;
  throw refuse(toText(say('commands.bad-since', { value: value ?? '' })), toCommandPath(command));
}

async function lookBack(name: string | undefined, sinceMs: number, { context, screen }: Session): Promise<Look> {
  const histories = await readHistories(name, sinceMs, context);
  const columns = screen.size()?.columns;
  const look = { palette: screen.palette, unicode: isUnicode(context.env), ...(columns === undefined ? {} : { columns }) };
  const documents = histories.map(toHistoryDocument);
  const [only] = documents;
  const document = documents.length === 1 && only ? only : { kind: 'HistoryList', version: 1, histories: documents };
  return { document, text: histories.map((history) => renderHistory(history, look)).join('\n'), status: ExitStatus.done };
}
