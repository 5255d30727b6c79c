/** Files of a container launch, beside those that every launch has. */
import type { LaunchRecord } from '../runtime.ts';

export function toDockerFiles({ exitFile }: Pick<LaunchRecord, 'exitFile'>) {
  return { secrets: `${exitFile}.env`, cursor: `${exitFile}.cursor` };
}
