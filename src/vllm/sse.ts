/**
 * Streams of OpenAI's kind: server-sent events whose data is JSON, ended by `[DONE]`. Bytes come in whatever pieces
 * the network made of them. HTTP 200 proves nothing here: an engine that dies, or a full queue, sends an error as
 * data and a normal `[DONE]` after it; a killed server just stops.
 */
export type StreamItem =
  | { readonly is: 'data'; readonly data: unknown }
  | { readonly is: 'error'; readonly message: string; readonly code?: number }
  | { readonly is: 'done' }
  /** The stream ended without `[DONE]`. */
  | { readonly is: 'cut' };

export interface StreamReader {
  /** What the piece completed. */
  push(piece: Uint8Array): readonly StreamItem[];
  /** Call once at the end of the stream. */
  end(): readonly StreamItem[];
}

/** One event larger than this is an error and ends the reading. */
const eventCap = 8 * 2 ** 20;

export function createStreamReader(): StreamReader {
  const decoder = new TextDecoder();
  let rest = '';
  let over = false;
  const take = (text: string): readonly StreamItem[] => {
    if (over) return [];
    const { events, left } = splitEvents(rest + text);
    rest = left;
    const items = events.flatMap(toItem);
    if (rest.length > eventCap) items.push({ is: 'error', message: 'event too large' });
    const last = items.findIndex(({ is }) => is === 'done');
    over = last >= 0 || rest.length > eventCap;
    return last >= 0 ? items.slice(0, last + 1) : items;
  };
  return {
    push: (piece) => take(decoder.decode(piece, { stream: true })),
    end() {
      const items = take(`${decoder.decode()}\n\n`);
      return over ? items : [...items, { is: 'cut' }];
    },
  };
}

/** A line ends in `\n`, `\r\n` or `\r`; a `\r` at the very end may be half of `\r\n` and has to wait. */
function splitEvents(text: string): { readonly events: readonly string[]; readonly left: string } {
  const waits = text.endsWith('\r');
  const parts = (waits ? text.slice(0, -1) : text).replace(/\r\n?/g, '\n').split('\n\n');
  const left = parts.pop() ?? '';
  return { events: parts, left: waits ? `${left}\r` : left };
}

/** Comments (`: keep-alive`) and other fields carry nothing for us. */
function toItem(event: string): StreamItem[] {
  const lines = event.split('\n').flatMap((line) => (line.startsWith('data:') ? [line.slice(5).replace(/^ /, '')] : []));
  if (lines.length === 0) return [];
  const text = lines.join('\n');
  if (text.trim() === '[DONE]') return [{ is: 'done' }];
  const data = parseJson(text);
  if (data === undefined) return [{ is: 'error', message: `no JSON: ${text.slice(0, 200)}` }];
  return [toError(data) ?? { is: 'data', data }];
}

function toError(data: unknown): StreamItem | undefined {
  if (typeof data !== 'object' || data === null || !('error' in data) || data.error === null) return undefined;
  const { error } = data;
  if (typeof error !== 'object') return { is: 'error', message: String(error) };
  const message = 'message' in error && typeof error.message === 'string' ? error.message : JSON.stringify(error);
  const code = 'code' in error ? Number(error.code) : Number.NaN;
  return { is: 'error', message, ...(Number.isInteger(code) && code > 0 ? { code } : {}) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // reported by the caller with the text itself
    return undefined;
  }
}
