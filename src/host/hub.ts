/** The hub that models come from, as huggingface_hub in the engine will ask it. */

export type HubAnswer =
  | { readonly is: 'answered'; readonly status: number; readonly endpoint: string }
  /** `problem`: a code of the operating system, or what was thrown. */
  | { readonly is: 'silent'; readonly problem: string; readonly endpoint: string };

const defaultHub = 'https://huggingface.co';
const hubLimitMs = 3000;

/** Whether the files of a model can be had: asked of the hub that the engine will ask, within three seconds. */
export async function isHubReachable(id: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  if (env.HF_HUB_OFFLINE === '1') return false;
  const answer = await askHub(id, env);
  // Node's fetch goes past proxies, so where one is set the engine may still reach what we cannot.
  return answer.is === 'answered' ? answer.status < 400 : isProxied(env);
}

export interface AskHubOptions {
  readonly signal?: AbortSignal;
  /** Sent for models that not everybody may see. */
  readonly token?: string;
}

/** Asks for a model's configuration, without reading it. Never rejects. */
export async function askHub(id: string, env: NodeJS.ProcessEnv, { signal, token }: AskHubOptions = {}): Promise<HubAnswer> {
  const endpoint = (env.HF_ENDPOINT || defaultHub).replace(/\/+$/, '');
  try {
    const reply = await fetch(`${endpoint}/${id}/resolve/main/config.json`, {
      method: 'HEAD',
      redirect: 'manual',
      signal: AbortSignal.any([AbortSignal.timeout(hubLimitMs), ...(signal ? [signal] : [])]),
      ...(token ? { headers: { authorization: `Bearer ${token}` } } : {}),
    });
    return { is: 'answered', status: reply.status, endpoint };
  } catch (error) {
    return { is: 'silent', problem: toFetchProblem(error), endpoint };
  }
}

export function isProxied(env: NodeJS.ProcessEnv): boolean {
  return (env.HTTPS_PROXY ?? env.https_proxy ?? env.ALL_PROXY ?? env.all_proxy) !== undefined;
}

/** `fetch` says only "fetch failed"; why stands in its cause. */
export function toFetchProblem(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (cause instanceof DOMException) return cause.name === 'TimeoutError' ? 'ETIMEDOUT' : 'EABORT';
  if (cause instanceof Error) return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
  return String(cause);
}
