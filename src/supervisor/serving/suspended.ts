/**
 * Whether somebody has paused generation (`/pause`): requests wait until `/resume`, and no gauge tells. vLLM has the
 * question only with VLLM_SERVER_DEV_MODE. Its engine itself answers it, so that one that is frozen is never excused.
 */
import { fetchText } from '../../host/http.ts';
import { NoReply } from '../../host/no-reply.ts';
import type { ProbeTarget } from '../probes.ts';
import { toProbeHost } from '../state.ts';

/** One that is paused has nothing else to do. */
const longestMs = 1000;

/** Of one launch: a server without the question is asked once. Undefined: not known. */
export function createSuspendedReader({ host, port }: ProbeTarget): (signal: AbortSignal) => Promise<boolean | undefined> {
  let unheardOf = false;
  return async (signal) => {
    if (unheardOf) return undefined;
    try {
      const reply = await fetchText({ host: toProbeHost(host), port }, { path: '/is_paused', timeoutMs: longestMs, signal });
      unheardOf = reply.status === 404;
      return reply.status === 200 ? /"is_paused"\s*:\s*true/.test(reply.text) : undefined;
    } catch (error) {
      if (error instanceof NoReply) return undefined;
      throw error;
    }
  };
}
