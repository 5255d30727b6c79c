/** What would mend it: per cause a function of what the log told and of the settings, the best first. */
import type { Remedy } from '../../core/finding.ts';
import type { CauseId } from './causes.ts';
import { toRemedyFacts } from './remedies/facts.ts';
import { machineRemedies } from './remedies/machine.ts';
import { memoryRemedies } from './remedies/memory.ts';
import { modelRemedies } from './remedies/model.ts';
import type { RemedyContext, RemedyMaker } from './remedies/remedy.ts';
import { settingRemedies } from './remedies/settings.ts';

const makers: Readonly<Record<CauseId, RemedyMaker>> = { ...memoryRemedies, ...settingRemedies, ...modelRemedies, ...machineRemedies };

export function toRemedies(cause: CauseId, context: RemedyContext): readonly Remedy[] {
  return makers[cause](toRemedyFacts(context));
}
