/** How our containers are known again. By these alone: a name can be anybody's. */
import type { LaunchSpec } from '../../plan/launch-spec.ts';
import type { LaunchRecord } from '../runtime.ts';

export const labelNames = {
  /** Name of the deployment. */
  instance: 'qwen-deploy.instance',
  launch: 'qwen-deploy.launch-id',
  config: 'qwen-deploy.config-hash',
  /** Of what these labels mean. */
  schema: 'qwen-deploy.schema',
} as const;

const schema = '1';

export function toLabels(deployment: string, spec: LaunchSpec, { launchId }: LaunchRecord): Readonly<Record<string, string>> {
  return {
    [labelNames.instance]: deployment,
    [labelNames.launch]: launchId,
    [labelNames.config]: spec.hash,
    [labelNames.schema]: schema,
  };
}

/** Another one for each launch: what is left of the last one is in nobody's way. Docker takes letters, digits and `_.-`. */
export function toContainerName(deployment: string, { launchId }: LaunchRecord): string {
  return `qwen-deploy-${deployment.replace(/[^\w.-]/g, '-')}-${launchId.replaceAll('-', '').slice(-12)}`;
}
