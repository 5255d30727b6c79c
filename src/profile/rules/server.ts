/** Who can reach the server, what it tells, and what our own probes need of it. */
import { say } from '../../core/message.ts';
import type { Profile } from '../profile.ts';
import { isOn, isSince, isWritten, toModel, toWord, toWritten } from './read.ts';
import type { ProfileRule, RuleHit } from './rule.ts';

const checks = 'vllm/entrypoints/launchers/cli_args.py validate_parsed_serve_args';

export const serverRules: readonly ProfileRule[] = [
  {
    code: 'profile/open-without-key',
    severity: 'warning',
    source: 'docs/usage/security of vLLM: the server is not made to face a network alone',
    check: checkOpen,
  },
  {
    code: 'profile/metrics-open',
    severity: 'info',
    source: 'measured with 0.32: the key guards /v1 only; /metrics, /health, /tokenize and others answer without',
    check: checkMetrics,
  },
  {
    code: 'profile/open-routes',
    severity: 'warning',
    source: 'docs/usage/security of vLLM: routes for developers and for adapters have no guard',
    check: checkRoutes,
  },
  { code: 'profile/outputs-without-requests', severity: 'error', source: `${checks}, 0.24 to 0.32`, check: checkLogOutputs },
  { code: 'profile/metrics-without-stats', severity: 'error', source: `${checks}, since 0.29`, check: checkRequestMetrics },
  {
    code: 'profile/stats-off',
    severity: 'warning',
    source: 'vllm/v1/metrics: without statistics /metrics tells nothing of the engine, 0.32',
    check: checkStats,
  },
  {
    code: 'profile/remote-code',
    severity: 'warning',
    source: 'vllm/config/model.py trust_remote_code: runs Python of the repository; Qwen3 is part of vLLM',
    check: checkRemoteCode,
  },
  {
    code: 'profile/prompt-embeds',
    severity: 'warning',
    source: 'CVE-2025-62164, CVE-2026-56340: tensors of a client that crash the engine or write where they should not',
    check: checkEmbeds,
  },
  {
    code: 'profile/no-http',
    severity: 'error',
    source: 'vllm/entrypoints/cli/serve.py and uvicorn, 0.32; measured: with --uds no port is opened',
    check: checkHttp,
  },
  {
    code: 'profile/no-completions',
    severity: 'error',
    source: 'vllm/config/model.py _get_runner_type, 0.32: a pooling model serves no /v1/completions, which readiness asks',
    check: checkCompletions,
  },
];

export function isLoopback(host: string): boolean {
  return /^(127\.|localhost$|::1$|\[::1\]$)/.test(host);
}

function checkOpen({ server, engine }: Profile): readonly RuleHit[] {
  if (isLoopback(server.host) || server.apiKey !== undefined || engine.backend === 'simulator') return [];
  const message = say('rule.open-without-key', { host: server.host });
  return [{ path: 'server.host', message, hint: say('rule.open-without-key.hint') }];
}

function checkMetrics({ server }: Profile): readonly RuleHit[] {
  if (isLoopback(server.host) || server.apiKey === undefined) return [];
  return [{ path: 'server.api-key', message: say('rule.metrics-open'), hint: say('rule.metrics-open.hint') }];
}

const routes = ['VLLM_SERVER_DEV_MODE', 'VLLM_ALLOW_RUNTIME_LORA_UPDATING'];

function checkRoutes({ server, engine }: Profile): readonly RuleHit[] {
  if (isLoopback(server.host)) return [];
  return routes
    .filter((name) => ['1', 'true'].includes((engine.env[name] ?? '').toLowerCase()))
    .map((name) => ({ path: `engine.env.${name}`, message: say('rule.open-routes', { name, host: server.host }) }));
}

function checkLogOutputs(profile: Profile): readonly RuleHit[] {
  if (!isOn(profile, 'enable-log-outputs') || isOn(profile, 'enable-log-requests')) return [];
  return [
    {
      path: 'vllm.enable-log-outputs',
      message: say('rule.outputs-without-requests'),
      fix: { 'vllm.enable-log-requests': true },
    },
  ];
}

function checkRequestMetrics(profile: Profile): readonly RuleHit[] {
  const both = isOn(profile, 'enable-per-request-metrics') && isOn(profile, 'disable-log-stats');
  if (!both || !isSince(profile, '0.29')) return [];
  const path = 'vllm.disable-log-stats';
  return [{ path, message: say('rule.metrics-without-stats'), fix: { [path]: null } }];
}

function checkStats(profile: Profile): readonly RuleHit[] {
  const path = 'vllm.disable-log-stats';
  if (!isOn(profile, 'disable-log-stats')) return [];
  return [{ path, message: say('rule.stats-off'), hint: say('rule.leave-out'), fix: { [path]: null } }];
}

function checkRemoteCode(profile: Profile): readonly RuleHit[] {
  const path = 'vllm.trust-remote-code';
  if (!isOn(profile, 'trust-remote-code')) return [];
  const hint = toModel(profile) ? say('rule.leave-out') : say('rule.remote-code.hint');
  return [{ path, message: say('rule.remote-code'), hint, ...(toModel(profile) ? { fix: { [path]: null } } : {}) }];
}

function checkEmbeds(profile: Profile): readonly RuleHit[] {
  const name = 'enable-prompt-embeds';
  if (!isOn(profile, name)) return [];
  return [{ path: `vllm.${name}`, message: say('rule.prompt-embeds'), hint: say('rule.leave-out'), fix: { [`vllm.${name}`]: null } }];
}

/** Readiness and liveness are asked by HTTP on the port of the profile. */
function checkHttp(profile: Profile): readonly RuleHit[] {
  const secure = toWritten(profile, ['ssl-certfile', 'ssl-keyfile']);
  const hits = [
    ...toWritten(profile, ['uds']).map((name) => ({ name, message: say('rule.no-http.socket') })),
    ...['headless', 'grpc'].filter((name) => isOn(profile, name)).map((name) => ({ name, message: say('rule.no-http.other', { name }) })),
    ...secure.slice(0, 1).map((name) => ({ name, message: say('rule.no-http.tls', { name }) })),
  ];
  return hits.map(({ name, message }) => {
    const names = secure.includes(name) ? secure : [name];
    return {
      path: `vllm.${name}`,
      message,
      hint: say(secure.includes(name) ? 'rule.no-http.tls.hint' : 'rule.leave-out'),
      fix: Object.fromEntries(names.map((one) => [`vllm.${one}`, null])),
    };
  });
}

function checkCompletions(profile: Profile): readonly RuleHit[] {
  const runner = toWord(profile, 'runner') ?? 'auto';
  const convert = toWord(profile, 'convert') ?? 'auto';
  if (profile.engine.backend === 'simulator') return [];
  if (runner === 'pooling' || (runner === 'auto' && ['embed', 'classify'].includes(convert))) {
    const path = isWritten(profile, 'runner') ? 'vllm.runner' : 'vllm.convert';
    return [{ path, message: say('rule.no-completions'), hint: say('rule.leave-out'), fix: { [path]: null } }];
  }
  const model = toModel(profile);
  if (runner !== 'auto' || model === undefined || model.toolParser !== undefined) return [];
  return [{ path: 'model', message: say('rule.no-completions.model', { model: model.id }) }];
}
