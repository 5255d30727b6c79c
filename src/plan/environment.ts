/** Variables that an engine gets on top of what it inherits, each with its reason. */
import { join } from 'node:path';
import { type Message, say } from '../core/message.ts';
import type { Places } from '../host/environment.ts';
import type { BackendName, Profile, SecretRef } from '../profile/profile.ts';
import { isSecretName } from '../profile/secrets.ts';
import { containerCache } from './container.ts';
import { toDecision } from './decide.ts';
import type { DockerFacts } from './docker-facts.ts';
import type { EngineDecision } from './engine-choice.ts';
import type { GpuChoice } from './gpu-choice.ts';
import type { Decision, DecisionOrigin } from './plan.ts';

export interface PlannedEnvironment {
  readonly env: Readonly<Record<string, string>>;
  readonly secretEnv: Readonly<Record<string, SecretRef>>;
  readonly decisions: readonly Decision[];
}

export interface EnvironmentContext {
  readonly places: Places;
  readonly backend: BackendName;
  readonly engine: EngineDecision;
  readonly gpus: GpuChoice;
  readonly docker?: DockerFacts;
}

export function planEnvironment(profile: Profile, context: EnvironmentContext): PlannedEnvironment {
  const written = Object.entries(profile.engine.env);
  const isSecret = ([name, value]: readonly [string, string]) => isSecretName(name) && isReference(value);
  const own = context.backend === 'simulator' ? [] : toOwn(profile, context).filter(({ name }) => !Object.hasOwn(profile.engine.env, name));
  const env = [...own.map(({ name, value }) => [name, value] as const), ...written.filter((entry) => !isSecret(entry))];
  const key = profile.server.apiKey;
  const secrets = [...written.filter(isSecret), ...(key ? [['VLLM_API_KEY', key] as const] : [])] as readonly (readonly [
    string,
    SecretRef,
  ])[];
  return {
    env: Object.fromEntries(env.toSorted(([a], [b]) => (a < b ? -1 : 1))),
    secretEnv: Object.fromEntries(secrets),
    decisions: [
      ...own.map(({ name, value, from, reason }) => ({ setting: `env.${name}`, value, from, reason })),
      ...written.map(([name, value]) =>
        toDecision(profile, { setting: `engine.env.${name}`, value, otherwise: { from: 'profile', reason: say('plan.written') } }),
      ),
      ...(key
        ? [toDecision(profile, { setting: 'server.api-key', value: key, otherwise: { from: 'profile', reason: say('plan.written') } })]
        : []),
    ],
  };
}

interface OwnVariable {
  readonly name: string;
  readonly value: string;
  readonly from: DecisionOrigin;
  readonly reason: Message;
}

function toOwn(profile: Profile, { places, engine, gpus, backend, docker }: EnvironmentContext): readonly OwnVariable[] {
  const fixed: readonly OwnVariable[] = [
    { name: 'VLLM_NO_USAGE_STATS', value: '1', from: 'default', reason: say('plan.no-tracking') },
    { name: 'DO_NOT_TRACK', value: '1', from: 'default', reason: say('plan.no-tracking') },
    { name: 'VLLM_MAX_N_SEQUENCES', value: '64', from: 'default', reason: say('plan.max-sequences') },
    { name: 'VLLM_HOST_IP', value: '127.0.0.1', from: 'default', reason: say('plan.workers-here') },
    { name: 'VLLM_DISABLE_LOG_LOGO', value: '1', from: 'default', reason: say('plan.plain-log') },
    { name: 'VLLM_LOGGING_COLOR', value: '0', from: 'default', reason: say('plan.plain-log') },
    { name: 'PYTHONUNBUFFERED', value: '1', from: 'default', reason: say('plan.unbuffered') },
  ];
  if (backend === 'docker') return [...fixed, ...toOffline(profile), ...toContained(profile, docker)];
  return [...fixed, ...toOffline(profile), ...toBytecode(places, engine), ...toGpus(profile, gpus)];
}

/** Everything is on the disk, so the hub need not be asked: without a network that would take half a minute to fail. */
function toOffline({ model }: Profile): readonly OwnVariable[] {
  const tokenizerIsLocal = model.tokenizer === undefined || model.tokenizer.startsWith('/');
  if (model.source === 'hub' || !tokenizerIsLocal) return [];
  const reason = say('plan.offline');
  return ['HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE'].map((name) => ({ name, value: '1', from: 'model', reason }));
}

/**
 * A container begins with the image's files each time, and all of it is read-only: what is worth keeping goes to one
 * mounted place. Python would compile every import again at each start: that is half of it.
 */
function toContained(profile: Profile, docker: DockerFacts | undefined): readonly OwnVariable[] {
  const kept = {
    HOME: `${containerCache}/home`,
    XDG_CACHE_HOME: containerCache,
    VLLM_CACHE_ROOT: `${containerCache}/vllm`,
    PYTHONPYCACHEPREFIX: `${containerCache}/pycache`,
    TORCHINDUCTOR_CACHE_DIR: `${containerCache}/inductor`,
    TRITON_CACHE_DIR: `${containerCache}/triton`,
    // Libraries that look the user up by name find none.
    USER: 'vllm',
    LOGNAME: 'vllm',
  };
  const reason = say('plan.container-cache');
  const variables = Object.entries(kept).map(([name, value]) => ({ name, value, from: 'engine', reason }) as const);
  if (profile.model.source !== 'hub' || docker === undefined) return variables;
  return [...variables, { name: 'HF_HUB_CACHE', value: docker.hubCache, from: 'machine', reason: say('plan.container-hub') }];
}

function toBytecode(places: Places, engine: EngineDecision): readonly OwnVariable[] {
  if (!engine.needsBytecodeElsewhere) return [];
  return [{ name: 'PYTHONPYCACHEPREFIX', value: join(places.cache, 'pycache'), from: 'engine', reason: say('plan.bytecode') }];
}

function toGpus(profile: Profile, { visible, by }: GpuChoice): readonly OwnVariable[] {
  if (profile.engine.variant !== 'gpu' || visible === undefined) return [];
  const from = by === 'profile' ? 'profile' : 'machine';
  const reasons = { profile: say('plan.gpus-named'), environment: say('plan.gpus-environment'), machine: say('plan.gpus-largest') };
  const reason = reasons[by];
  return [
    { name: 'CUDA_VISIBLE_DEVICES', value: visible, from, reason },
    { name: 'CUDA_DEVICE_ORDER', value: 'PCI_BUS_ID', from: 'default', reason: say('plan.gpu-order') },
  ];
}

function isReference(value: string): value is SecretRef {
  return /^(env:|file:)/.test(value);
}
