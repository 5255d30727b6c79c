/** The `docker run` that comes to the same container as `up --backend docker`, and what it cannot do as `up` does. */
import type { Finding } from '../core/finding.ts';
import { type Message, say } from '../core/message.ts';
import { inheritedInside } from '../host/environment.ts';
import type { ContainerSpec, LaunchSpec } from '../plan/launch-spec.ts';
import { renderDockerRun } from '../render/docker-run.ts';
import { toPlainBody } from '../runtime/docker/body.ts';
import { toPlainName } from '../runtime/docker/labels.ts';
import type { MadePlan } from './plan.ts';

type Planned = Pick<MadePlan, 'name' | 'spec' | 'profile'>;

export function toDockerRunText({ name, spec }: Omit<Planned, 'profile'>): string {
  const container = toContainer(spec);
  return renderDockerRun({
    name: toPlainName(name),
    body: toPlainBody({ spec, container }),
    directories: toDirectories(container),
    secrets: spec.secretEnv,
    inherited: toInherited(spec),
  });
}

/** What whoever runs the line has to know. */
export function checkDockerRun({ spec, profile }: Planned): readonly Finding[] {
  const container = toContainer(spec);
  const { user, gpus } = container;
  const hidden = [...Object.keys(spec.secretEnv), ...toInherited(spec).filter((name) => name === 'HF_TOKEN')];
  const owner = user !== undefined && process.getuid?.() === 0 ? { user, directories: toDirectories(container).join(', ') } : undefined;
  return [
    toWarning('plan/rendered-unkept', say('render.unkept')),
    ...(hidden.length === 0 ? [] : [toWarning('plan/rendered-secrets', say('render.secrets', { names: hidden.join(', ') }))]),
    ...(profile.model.source === 'miniature' ? [toWarning('plan/rendered-files', say('render.files', { path: spec.model }))] : []),
    ...(owner === undefined ? [] : [toWarning('plan/rendered-owner', say('render.owner', owner))]),
    ...(gpus?.by === 'cdi' ? [toWarning('plan/rendered-cdi', say('render.cdi'))] : []),
  ];
}

function toContainer({ container }: LaunchSpec): ContainerSpec {
  if (container === undefined) throw new Error('a plan of the backend docker says nothing of its container');
  return container;
}

function toDirectories({ mounts }: ContainerSpec): readonly string[] {
  return mounts.flatMap(({ source, create }) => (create ? [source] : []));
}

/** Proxies and the token of the hub: an engine that asks nobody outside needs nothing of a shell. */
function toInherited({ env, secretEnv }: LaunchSpec): readonly string[] {
  if (env.HF_HUB_OFFLINE === '1') return [];
  return inheritedInside.filter((name) => !Object.hasOwn(env, name) && !Object.hasOwn(secretEnv, name));
}

function toWarning(code: string, message: Message): Finding {
  return { code, severity: 'warning', message };
}
