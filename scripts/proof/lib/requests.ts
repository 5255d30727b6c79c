/** Clients of an engine, as simple as they come. */

export interface Streaming {
  /** Pieces of answers that came. */
  readonly pieces: () => number;
  /** Answers that ended before their end. */
  readonly broken: () => number;
  end(): Promise<void>;
}

const longestAnswer = 2000;

/** One streamed answer after the other, until it is ended. */
export function keepStreaming(port: number): Streaming {
  const over = new AbortController();
  const count = { pieces: 0, broken: 0 };
  const streaming = streamOn(port, { count, signal: over.signal });
  return {
    pieces: () => count.pieces,
    broken: () => count.broken,
    async end() {
      over.abort();
      await streaming;
    },
  };
}

interface Stream {
  readonly count: { pieces: number; broken: number };
  readonly signal: AbortSignal;
}

async function streamOn(port: number, { count, signal }: Stream): Promise<void> {
  const decoder = new TextDecoder();
  while (!signal.aborted) {
    let tail = '';
    try {
      const reply = await ask(port, { stream: true, signal });
      for await (const chunk of reply.body ?? []) {
        const text = decoder.decode(chunk, { stream: true });
        count.pieces += text.split('data: ').length - 1;
        tail = (tail + text).slice(-40);
      }
    } catch (error) {
      if (!signal.aborted) tail = String(error);
    }
    if (signal.aborted) return;
    if (tail.includes('[DONE]')) continue;
    count.broken += 1;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Long answers without end, so many at a time; failures do not matter. */
export function keepAsking(port: number, atOnce: number): { end(): void } {
  const over = new AbortController();
  for (let client = 0; client < atOnce; client += 1) void askOn(port, over.signal);
  return { end: () => over.abort() };
}

async function askOn(port: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await ask(port, { stream: false, signal })
      .then((reply) => reply.text())
      .catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function ask(port: number, { stream, signal }: { readonly stream: boolean; readonly signal: AbortSignal }): Promise<Response> {
  const body = { model: 'Qwen3-0.6B', prompt: 'Hello', max_tokens: longestAnswer, ignore_eos: true, stream };
  const headers = { 'content-type': 'application/json' };
  return fetch(`http://127.0.0.1:${port}/v1/completions`, { method: 'POST', headers, body: JSON.stringify(body), signal });
}
