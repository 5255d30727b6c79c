/** (Profile, Facts) → the plan with its reasons, and the launch spec. Pure: the same input gives the same spec. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Finding } from '../core/finding.ts';
import { type Message, say } from '../core/message.ts';
import type { Places } from '../host/environment.ts';
import { miniatureName } from '../model/miniature-name.ts';
import { checkIdleSettings } from '../profile/idle.ts';
import type { BackendName, Profile } from '../profile/profile.ts';
import type { FlagCatalogue } from '../vllm/flags.ts';
import { planContainer } from './container.ts';
import { toDecision } from './decide.ts';
import { chooseEngine, type EngineDecision } from './engine-choice.ts';
import { planEnvironment } from './environment.ts';
import type { Facts } from './facts.ts';
import { chooseGpus, toGpusText } from './gpu-choice.ts';
import { toServeArgs } from './launch.ts';
import type { LaunchSpec } from './launch-spec.ts';
import type { Decision, Memory, Plan } from './plan.ts';
import { planResources } from './resources.ts';
import { planSettings } from './settings.ts';

export interface PlanRequest {
  readonly profile: Profile;
  /** Name of the deployment. */
  readonly name: string;
  readonly facts: Facts;
  readonly places: Places;
  /** Wins over the profile's. */
  readonly backend?: BackendName;
  /** Path of the simulator's entry file. */
  readonly simulatorEntry: string;
  /** How the engine's version spells its flags. */
  readonly catalogue?: FlagCatalogue;
  /** What was found when the profile was read. */
  readonly notes?: readonly Finding[];
  /** What its GPU will hold. */
  readonly memory?: Memory;
  /** Its number among the replicas of the profile, from 1; absent for a deployment that stands alone. */
  readonly replica?: number;
}

export function planDeployment(request: PlanRequest): { readonly plan: Plan; readonly spec: LaunchSpec } {
  const { profile, name, facts, places, replica } = request;
  const backend = toBackend(request);
  const engine = chooseEngine(profile, facts, { places, backend });
  const gpus = chooseGpus(profile, facts, replica);
  const number = replica === undefined ? {} : { replica };
  const settings = planSettings(profile, { facts, backend, version: engine.version, gpus, ...number });
  const docker = facts.docker ? { docker: facts.docker } : {};
  const environment = planEnvironment(profile, { places, backend, engine, gpus, ...docker });
  const model = toModelArgument(profile, places, backend);
  const taken = planResources(profile, { facts, gpus, backend });
  const command = toCommand(engine, request.simulatorEntry);
  const contained = planContainer(profile, { places, engine, gpus, settings, model, ...docker });
  const spec = withHash({
    backend,
    ...(contained ? { container: contained.container } : {}),
    program: command.program,
    args: [...command.before, ...toServeArgs(model, settings, request.catalogue)],
    env: environment.env,
    secretEnv: environment.secretEnv,
    endpoint: { host: profile.server.host, port: profile.server.port },
    model,
    servedNames: profile.servedNames,
    ...(profile.server.apiKey ? { apiKey: profile.server.apiKey } : {}),
    resources: taken.resources,
    drainMs: profile.stop.drainMs,
    health: profile.health,
    restart: profile.restart,
    engineVersion: engine.version,
    simulated: backend === 'simulator',
  });
  const decisions = [
    toBackendDecision(request, backend),
    toVersionDecision(profile, engine, backend),
    { setting: 'argv.program', value: [command.program, ...command.before].join(' '), from: 'engine', reason: engine.reason } as const,
    toModelDecision(profile, model),
    ...settings.map((setting) => setting.decision),
    ...environment.decisions,
    ...(contained?.decisions ?? []),
    ...taken.decisions,
  ];
  const plan: Plan = {
    profile: profile.name,
    name,
    description: profile.description,
    backend,
    simulated: spec.simulated,
    engine: { version: engine.version, source: engine.source },
    model: profile.model.id,
    decisions,
    findings: [...toAssumed(request, backend), ...(request.notes ?? []), ...checkIdleSettings(profile, backend), ...checkAdapters(profile)],
    ...(request.memory ? { memory: request.memory } : {}),
  };
  return { plan, spec };
}

/** Where nobody chose, the facts were asked for the one that suits this machine. */
function toBackend({ profile: { engine }, facts, backend }: PlanRequest): BackendName {
  return backend ?? (engine.backend === 'auto' ? facts.backend : engine.backend);
}

/** Where the miniature model of this version lies; `up` writes it when it is not there. */
function toMiniatureDirectory(places: Places): string {
  return join(places.data, 'models', miniatureName);
}

/** What `vllm serve` is given. The simulator reads no model, so it is given a name and not a directory. */
function toModelArgument({ model }: Profile, places: Places, backend: BackendName): string {
  if (model.source === 'local') return model.path ?? model.id;
  return model.source === 'miniature' && backend !== 'simulator' ? toMiniatureDirectory(places) : model.id;
}

function toCommand({ source }: EngineDecision, simulatorEntry: string): { readonly program: string; readonly before: readonly string[] } {
  if (source.kind === 'simulator') return { program: process.execPath, before: [simulatorEntry] };
  // The official images begin with `vllm serve`; older ones with something else.
  if (source.kind === 'image') return { program: 'vllm', before: [] };
  return { program: source.program, before: [] };
}

function toBackendDecision({ profile, backend: override }: PlanRequest, backend: BackendName): Decision {
  if (override !== undefined) return { setting: 'engine.backend', value: backend, from: 'set', reason: say('plan.backend-option') };
  if (profile.engine.backend === 'auto')
    return { setting: 'engine.backend', value: backend, from: 'machine', reason: toAutoReason(profile, backend) };
  return toDecision(profile, {
    setting: 'engine.backend',
    value: backend,
    otherwise: { from: 'machine', reason: toAutoReason(profile, backend) },
  });
}

function toAutoReason({ engine }: Profile, backend: BackendName): Message {
  if (backend === 'docker') return say('plan.backend-auto-docker');
  if (engine.executable !== undefined) return say('plan.backend-auto-executable');
  return engine.variant === 'cpu' ? say('plan.backend-auto-cpu') : say('plan.backend-auto-process');
}

function toVersionDecision(profile: Profile, { version }: EngineDecision, backend: BackendName): Decision {
  const reason = say(backend === 'simulator' ? 'plan.no-version' : 'plan.default-version');
  return toDecision(profile, { setting: 'engine.version', value: version, otherwise: { from: 'default', reason } });
}

function toModelDecision(profile: Profile, model: string): Decision {
  if (profile.model.source === 'miniature') return { setting: 'model', value: model, from: 'model', reason: say('plan.miniature') };
  return toDecision(profile, { setting: 'model', value: model, otherwise: { from: 'profile', reason: say('plan.written') } });
}

/** Said first: whoever reads the plan must know that its GPU is nowhere to be seen. */
function toAssumed({ profile, facts }: PlanRequest, backend: BackendName): readonly Finding[] {
  if (facts.gpus?.is !== 'present' || !facts.gpusAssumed) return [];
  const message =
    backend === 'simulator' || profile.engine.variant === 'cpu'
      ? say('plan.gpu-unused', { profile: profile.name })
      : say('plan.gpu-assumed', { gpus: toGpusText(facts.gpus.gpus) });
  return [{ code: 'plan/gpu-assumed', severity: 'info', message }];
}

function checkAdapters({ lora, vllm }: Profile): readonly Finding[] {
  if (vllm['enable-lora'] !== true || Object.keys(lora).length > 0) return [];
  const message = say('plan.no-adapter');
  return [{ code: 'plan/no-adapter', severity: 'warning', message, hint: say('plan.give-adapter'), path: 'lora' }];
}

function withHash(spec: Omit<LaunchSpec, 'hash'>): LaunchSpec {
  return {
    ...spec,
    // Worked out when somebody asks: `plan` does not, and loading what computes it is a tenth of its time.
    get hash() {
      return createHash('sha256').update(toCanonicalJson(spec)).digest('hex').slice(0, 16);
    },
  };
}

/** Keys sorted at every depth: equal values have equal texts. */
function toCanonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(toCanonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return `{${entries
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => `${JSON.stringify(key)}:${toCanonicalJson(inner)}`)
    .join(',')}}`;
}
