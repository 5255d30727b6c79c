/** A page that an engine's API server gives to anybody who asks (`/metrics`, `/load`, …). */
import { fetchText } from '../host/http.ts';
import { NoReply } from '../host/no-reply.ts';
import { toProbeHost } from './state.ts';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export type EnginePage =
  | { readonly is: 'page'; readonly text: string }
  /** `status`: of an answer that was no page. */
  | { readonly is: 'none'; readonly problem: string; readonly status?: number };

/** Never rejects for what the engine does, or does not do. */
export async function readEnginePage(
  { host, port }: Endpoint,
  path: string,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal },
): Promise<EnginePage> {
  try {
    const { status, text } = await fetchText({ host: toProbeHost(host), port }, { path, timeoutMs, ...(signal ? { signal } : {}) });
    return status === 200 ? { is: 'page', text } : { is: 'none', problem: `HTTP ${status}`, status };
  } catch (error) {
    if (error instanceof NoReply) return { is: 'none', problem: error.reason };
    throw error;
  }
}
