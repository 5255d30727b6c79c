/** Where things live on this machine, and which of the person's variables an engine may see. */
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Places {
  /** Profiles of the person. */
  readonly config: string;
  /** Engines, miniature models. */
  readonly data: string;
  /** Deployments: state, journal, logs. */
  readonly state: string;
  readonly cache: string;
  /** Control sockets. */
  readonly run: string;
}

/** XDG directories; `QWEN_DEPLOY_HOME` moves all of them under one. */
export function toPlaces(env: NodeJS.ProcessEnv = process.env): Places {
  const home = env.QWEN_DEPLOY_HOME;
  if (home) {
    return {
      config: join(home, 'config'),
      data: join(home, 'data'),
      state: join(home, 'state'),
      cache: join(home, 'cache'),
      run: join(home, 'run'),
    };
  }
  const xdg = (variable: string, fallback: string) => join(env[variable] || join(env.HOME || homedir(), fallback), 'qwen-deploy');
  const state = xdg('XDG_STATE_HOME', '.local/state');
  return {
    config: xdg('XDG_CONFIG_HOME', '.config'),
    data: xdg('XDG_DATA_HOME', '.local/share'),
    state,
    cache: xdg('XDG_CACHE_HOME', '.cache'),
    run: env.XDG_RUNTIME_DIR ? join(env.XDG_RUNTIME_DIR, 'qwen-deploy') : join(state, 'run'),
  };
}

/** Longest Unix socket path that is safe; Node 20 cuts longer ones silently. */
const longestSocketPath = 107;

/** Path of a deployment's control socket; a long one moves to a short hashed directory of this user. */
export function toSocketPath(places: Places, deployment: string): string {
  const direct = join(places.run, `${deployment}.sock`);
  if (Buffer.byteLength(direct) <= longestSocketPath) return direct;
  // Loaded only for this rare case: it costs every command 2 ms.
  const { createHash } = process.getBuiltinModule('node:crypto');
  const hash = createHash('sha256').update(direct).digest('hex').slice(0, 16);
  return join(tmpdir(), `qwen-deploy-${process.getuid?.() ?? 0}`, `${hash}.sock`);
}

/**
 * What an engine inherits. Everything else stays out: tokens of other tools, `VLLM_PORT` (a Kubernetes service
 * of that name breaks vLLM), `PYTHONDONTWRITEBYTECODE` (doubles every start), `PYTHONPATH` strays.
 */
const inherited = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'TZ',
  'LD_LIBRARY_PATH',
  'CUDA_HOME',
  'CUDA_PATH',
  'CUDA_VISIBLE_DEVICES',
  'NVIDIA_VISIBLE_DEVICES',
  'CUDA_DEVICE_ORDER',
  'HF_HOME',
  'HF_HUB_CACHE',
  'HF_ENDPOINT',
  'HF_TOKEN',
  'HF_TOKEN_PATH',
  'HF_HUB_OFFLINE',
  'TRANSFORMERS_OFFLINE',
  'XDG_CACHE_HOME',
  'XDG_CONFIG_HOME',
  'XDG_DATA_HOME',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'ALL_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'all_proxy',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'REQUESTS_CA_BUNDLE',
  'CURL_CA_BUNDLE',
  'VLLM_CACHE_ROOT',
  'VLLM_CONFIG_ROOT',
  'VLLM_USE_MODELSCOPE',
] as const;

/** Of no use to an engine that does not ask the hub. */
const hubTokens: readonly string[] = ['HF_TOKEN', 'HF_TOKEN_PATH'];

/** Of those the ones that mean something in a container too: paths and users of this machine are none of its business. */
export const inheritedInside = [
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'TZ',
  'HF_ENDPOINT',
  'HF_TOKEN',
  'HF_HUB_OFFLINE',
  'TRANSFORMERS_OFFLINE',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'ALL_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'all_proxy',
  'VLLM_USE_MODELSCOPE',
] as const;

export interface EngineEnvironmentOptions {
  /** Whoever gets it never asks the hub. */
  readonly offline?: boolean;
}

/** The same for an engine in a container. Proxies and tokens are among it, so it is to be handled as secrets are. */
export function toContainerEnvironment(env: NodeJS.ProcessEnv, options: EngineEnvironmentOptions = {}): Record<string, string> {
  return pick(env, inheritedInside, options);
}

export function toEngineEnvironment(env: NodeJS.ProcessEnv, options: EngineEnvironmentOptions = {}): Record<string, string> {
  return pick(env, inherited, options);
}

function pick(env: NodeJS.ProcessEnv, names: readonly string[], { offline = false }: EngineEnvironmentOptions): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of names) {
    if (offline && hubTokens.includes(name)) continue;
    const value = env[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}
