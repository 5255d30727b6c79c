/** How many requests an API server has open (`/load`): counted by itself, so that it knows them while its engine hangs. */
import { fetchText } from '../host/http.ts';
import { NoReply } from '../host/no-reply.ts';
import { toProbeHost } from './state.ts';

/** Undefined when it does not answer, or does not count them (`--enable-server-load-tracking`). */
export async function readOpenRequests(
  { host, port }: { readonly host: string; readonly port: number },
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<number | undefined> {
  try {
    const reply = await fetchText({ host: toProbeHost(host), port }, { path: '/load', timeoutMs, signal });
    const match = /"server_load"\s*:\s*(\d+)/.exec(reply.text);
    return reply.status === 200 && match?.[1] !== undefined ? Number(match[1]) : undefined;
  } catch (error) {
    if (error instanceof NoReply) return undefined;
    throw error;
  }
}
