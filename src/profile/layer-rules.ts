/** Rules that the shape alone cannot say: each setting has one spelling and one place, and some must not be set. */
import type { Finding } from '../core/finding.ts';
import { say } from '../core/message.ts';
import { isMap } from './layer.ts';

export type RuleFinding = Pick<Finding, 'code' | 'severity' | 'message' | 'hint'> & {
  readonly path: readonly string[];
  readonly at: 'key' | 'value';
};

/** Takes a layer of any shape, so that the problems of both kinds are found in one run. All of them are errors. */
export function checkRules(layer: Readonly<Record<string, unknown>>): readonly RuleFinding[] {
  const vllm = Object.entries(isMap(layer.vllm) ? layer.vllm : {});
  const env = isMap(layer.engine) && isMap(layer.engine.env) ? layer.engine.env : {};
  return [
    ...vllm.flatMap(([key]) => checkFlagName(key)),
    ...vllm.flatMap(([key, value]) => checkFlagValue(key, value)),
    ...Object.entries(env).flatMap(([name, value]) => checkVariable(name, value)),
  ];
}

/** Settings of ours that are vLLM flags too, and where they belong. */
const ours: Readonly<Record<string, string>> = {
  model: 'model',
  revision: 'model.revision',
  tokenizer: 'model.tokenizer',
  'served-model-name': 'served-names',
  quantization: 'quantization',
  host: 'server.host',
  port: 'server.port',
  'api-key': 'server.api-key',
  'shutdown-timeout': 'stop.drain',
};

function checkFlagName(key: string): readonly RuleFinding[] {
  const path = ['vllm', key];
  const name = key.replace(/^-+/, '').replace(/^[^.]*/, (head) => head.replaceAll('_', '-'));
  const right = Object.hasOwn(ours, name) ? ours[name] : undefined;
  if (right !== undefined) {
    return [
      {
        code: 'profile/wrong-place',
        severity: 'error',
        path,
        at: 'key',
        message: say('profile.wrong-place', { path: path.join('.') }),
        hint: say('profile.hint.place', { right }),
      },
    ];
  }
  if (name === 'config')
    return [{ code: 'profile/wrong-place', severity: 'error', path, at: 'key', message: say('profile.no-config-file') }];
  const positive = name.startsWith('no-') ? name.slice(3) : undefined;
  if (positive !== undefined) {
    return [
      {
        code: 'profile/spelling',
        severity: 'error',
        path,
        at: 'key',
        message: say('profile.negative', { path: path.join('.') }),
        hint: say('profile.hint.negative', { name: positive }),
      },
    ];
  }
  if (name === key && /^[a-z][a-z0-9-]*(\.[\w.+-]+)?$/.test(key)) return [];
  return [
    {
      code: 'profile/spelling',
      severity: 'error',
      path,
      at: 'key',
      message: say('profile.spelling', { path: path.join('.') }),
      hint: say('profile.hint.spelling', { name }),
    },
  ];
}

function checkFlagValue(key: string, value: unknown): readonly RuleFinding[] {
  const path = ['vllm', key];
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return [
      { code: 'profile/wrong-value', severity: 'error', path, at: 'value', message: say('profile.not-finite', { path: path.join('.') }) },
    ];
  }
  if (key === 'hf-token' && typeof value === 'string') {
    const hint = say('flag.hint.token', { variable: 'HF_TOKEN: env:HF_TOKEN' });
    return [{ code: 'profile/secret', severity: 'error', path, at: 'value', message: say('flag.secret', { name: key }), hint }];
  }
  if (key === 'default-chat-template-kwargs' && isMap(value) && Object.hasOwn(value, 'enable_thinking')) {
    return [
      {
        code: 'profile/wrong-place',
        severity: 'error',
        path,
        at: 'value',
        message: say('profile.wrong-place', { path: `${path.join('.')}.enable_thinking` }),
        hint: say('profile.hint.place', { right: 'thinking' }),
      },
    ];
  }
  return [];
}

/** Values of these names are secrets; they may stand in a profile as references only. */
export function isSecretName(name: string): boolean {
  return /(^|_)(TOKEN|KEY|SECRET|PASSWORD|PASSWD)$/i.test(name);
}

function checkVariable(name: string, value: unknown): readonly RuleFinding[] {
  const path = ['engine', 'env', name];
  const finding = (message: RuleFinding['message'], hint?: RuleFinding['message']): readonly RuleFinding[] => [
    { code: 'profile/reserved-variable', severity: 'error', path, at: 'key', message, ...(hint ? { hint } : {}) },
  ];
  if (!/^[A-Za-z_]\w*$/.test(name)) return finding(say('profile.variable-name', { name }));
  if (name === 'VLLM_API_KEY')
    return finding(say('profile.wrong-place', { path: path.join('.') }), say('profile.hint.place', { right: 'server.api-key' }));
  if (name.startsWith('VLLM_PORT'))
    return finding(say('profile.variable-port', { name }), say('profile.hint.place', { right: 'server.port' }));
  if (name === 'PYTHONDONTWRITEBYTECODE') return finding(say('profile.variable-bytecode', { name }));
  if (isSecretName(name) && value != null && !/^(env:[A-Za-z_]\w*|file:.+)$/.test(String(value))) {
    return [
      { code: 'profile/secret', severity: 'error', path, at: 'value', message: say('profile.want.secret', { path: path.join('.') }) },
    ];
  }
  return [];
}
