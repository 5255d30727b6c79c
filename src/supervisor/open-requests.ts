/** How many requests an API server has open (`/load`): counted by itself, so that it knows them while its engine hangs. */
import { type Endpoint, readEnginePage } from './engine-page.ts';

/** Undefined when it does not answer, or does not count them (`--enable-server-load-tracking`). */
export async function readOpenRequests(
  endpoint: Endpoint,
  limits: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<number | undefined> {
  const page = await readEnginePage(endpoint, '/load', limits);
  const match = page.is === 'page' ? /"server_load"\s*:\s*(\d+)/.exec(page.text) : null;
  return match?.[1] === undefined ? undefined : Number(match[1]);
}
