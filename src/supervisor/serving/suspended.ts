/**
 * Whether somebody has paused generation (`/pause`): requests wait until `/resume`, and no gauge tells. vLLM has the
 * question only with VLLM_SERVER_DEV_MODE. Its engine itself answers it, so that one that is frozen is never excused.
 */
import { type Endpoint, readEnginePage } from '../engine-page.ts';

/** One that is paused has nothing else to do. */
const longestMs = 1000;

/** Of one launch: a server without the question is asked once. Undefined: not known. */
export function createSuspendedReader(endpoint: Endpoint): (signal: AbortSignal) => Promise<boolean | undefined> {
  let unheardOf = false;
  return async (signal) => {
    if (unheardOf) return undefined;
    const page = await readEnginePage(endpoint, '/is_paused', { timeoutMs: longestMs, signal });
    unheardOf = page.is === 'none' && page.status === 404;
    return page.is === 'page' ? /"is_paused"\s*:\s*true/.test(page.text) : undefined;
  };
}
