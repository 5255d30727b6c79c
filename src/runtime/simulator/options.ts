/** What a simulated server is told: from vLLM's flags and, for its speed, from two variables of its own. */
import { parseHumanInteger, type ServeArgs } from './args.ts';

export interface SimulatorOptions {
  readonly model: string;
  readonly servedNames: readonly [string, ...string[]];
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly maxModelLen: number;
  readonly maxNumSeqs: number;
  /** How long a stop waits for answers that are being given. */
  readonly drainMs: number;
  /** Bearer tokens that open `/v1`; empty: open to all. */
  readonly apiKeys: readonly string[];
  /** Whether a chat thinks when the request does not say. */
  readonly thinking: boolean;
  readonly eager: boolean;
  readonly loadTracking: boolean;
  readonly logStats: boolean;
  /** Paths whose access lines are not logged; `*`: none is logged. */
  readonly quietPaths: readonly string[];
  /** One engine step, that is one token of every running request. */
  readonly tokenMs: number;
  /** From the first log line to the first answer. */
  readonly startMs: number;
  readonly kvTokens: number;
  readonly identity: SimulatorIdentity;
}

/** How the server names itself in its answers. */
export interface SimulatorIdentity {
  readonly version: string;
  readonly ownedBy: string;
  readonly fingerprint: string;
  /** Sent with every answer. */
  readonly headers: Readonly<Record<string, string>>;
}

export const simulatedIdentity: SimulatorIdentity = {
  version: '0.0.0+simulated',
  ownedBy: 'qwen-deploy-simulator',
  fingerprint: 'simulated',
  headers: { 'x-qwen-deploy-simulated': '1' },
};

export function toSimulatorOptions(args: ServeArgs, env: NodeJS.ProcessEnv): SimulatorOptions {
  const first = (name: string) => args.flags.get(name)?.[0];
  const number = (name: string, otherwise: number) => parseHumanInteger(first(name)) ?? otherwise;
  const [name = args.model, ...aliases] = args.flags.get('served-model-name') ?? [];
  return {
    model: args.model,
    servedNames: [name, ...aliases],
    host: first('host') ?? '0.0.0.0',
    port: number('port', 8000),
    maxModelLen: number('max-model-len', 40_960),
    maxNumSeqs: number('max-num-seqs', 256),
    drainMs: number('shutdown-timeout', 0) * 1000,
    apiKeys: (args.flags.get('api-key') ?? [env['VLLM_API_KEY'] ?? '']).filter((key) => key !== ''),
    thinking: toThinkingDefault(first('default-chat-template-kwargs')),
    eager: args.flags.has('enforce-eager'),
    loadTracking: args.flags.has('enable-server-load-tracking'),
    logStats: !args.flags.has('disable-log-stats'),
    quietPaths: args.flags.has('disable-uvicorn-access-log')
      ? ['*']
      : (first('disable-access-log-for-endpoints') ?? '').split(',').filter((path) => path !== ''),
    tokenMs: toMs(env['QWEN_DEPLOY_SIMULATED_TOKEN_MS'], 20),
    startMs: toMs(env['QWEN_DEPLOY_SIMULATED_START_MS'], 60),
    kvTokens: 262_144,
    identity: simulatedIdentity,
  };
}

/** Qwen3 thinks unless it is told not to; a value that is not JSON is left to vLLM's own parser to refuse. */
function toThinkingDefault(text: string | undefined): boolean {
  return !/"enable_thinking"\s*:\s*false/.test(text ?? '');
}

function toMs(text: string | undefined, otherwise: number): number {
  const value = Number(text ?? Number.NaN);
  return Number.isFinite(value) && value >= 0 ? value : otherwise;
}
