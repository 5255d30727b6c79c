/** How our containers are known again. By these alone: a name can be anybody's. */
import type { ContainerSummary, Docker } from '../../host/docker/docker.ts';
import type { LaunchSpec } from '../../plan/launch-spec.ts';
import type { LaunchRecord } from '../runtime.ts';

export const labelNames = {
  /** Name of the deployment. */
  instance: 'qwen-deploy.instance',
  launch: 'qwen-deploy.launch-id',
  /** Whose: another home on this machine may have a deployment of the same name. */
  home: 'qwen-deploy.home',
  config: 'qwen-deploy.config-hash',
  /** Of what these labels mean. */
  schema: 'qwen-deploy.schema',
} as const;

const schema = '1';

export interface Labelled {
  readonly deployment: string;
  readonly spec: LaunchSpec;
  readonly record: LaunchRecord;
  /** Mark of the home; a container without it is nobody's leftover. */
  readonly home?: string;
}

export function toLabels({ deployment, spec, record, home }: Labelled): Readonly<Record<string, string>> {
  return {
    [labelNames.instance]: deployment,
    [labelNames.launch]: record.launchId,
    ...(home === undefined ? {} : { [labelNames.home]: home }),
    [labelNames.config]: spec.hash,
    [labelNames.schema]: schema,
  };
}

export interface OwnContainer extends Pick<ContainerSummary, 'id' | 'state' | 'image'> {
  readonly name: string;
  readonly deployment: string;
  readonly launchId: string;
  readonly home: string;
}

/** Those of which every label is as we write it, of whatever home: a name, or a label alone, can be anybody's. */
export async function listOwnContainers(docker: Docker): Promise<readonly OwnContainer[]> {
  const { instance, launch, home } = labelNames;
  const found = await docker.list([instance, launch, home, `${labelNames.schema}=${schema}`]);
  return found.flatMap((one) => toOwn(one) ?? []);
}

const launchPattern = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;
const homePattern = /^[\da-f]{16}$/;

function toOwn({ id, names, state, image, labels }: ContainerSummary): OwnContainer | undefined {
  const { [labelNames.instance]: deployment, [labelNames.launch]: launchId = '', [labelNames.home]: home = '' } = labels;
  if (deployment === undefined || labels[labelNames.schema] !== schema) return undefined;
  if (!launchPattern.test(launchId) || !homePattern.test(home)) return undefined;
  return { id, state, image, name: names[0] ?? id.slice(0, 12), deployment, launchId, home };
}

/** Another one for each launch: what is left of the last one is in nobody's way. Docker takes letters, digits and `_.-`. */
export function toContainerName(deployment: string, { launchId }: LaunchRecord): string {
  return `${toPlainName(deployment)}-${launchId.replaceAll('-', '').slice(-12)}`;
}

/** Of a container that somebody makes by hand. */
export function toPlainName(deployment: string): string {
  return `qwen-deploy-${deployment.replace(/[^\w.-]/g, '-')}`;
}
