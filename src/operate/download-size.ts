/** What a download of a model comes to, as far as it is known before it begins. */
import { toModelFacts } from '../model/catalogue.ts';
import type { LaunchSpec } from '../plan/launch-spec.ts';

/** Nothing is said of models that use one matrix twice: some of their files hold it twice, some once. */
export function toDownloadBytes({ model }: LaunchSpec): number | undefined {
  const facts = toModelFacts(model);
  return facts?.tied === true ? undefined : facts?.weightsBytes;
}
