/** Rules across the settings of one profile, as one table. */
import type { Finding } from '../../core/finding.ts';
import type { FlagCatalogue } from '../../vllm/flags.ts';
import type { Profile } from '../profile.ts';
import { adaptRules } from './adapt.ts';
import { compileRules } from './compile.ts';
import { contextRules } from './context.ts';
import { cpuRules } from './cpu.ts';
import { environmentRules } from './environment.ts';
import { loraRules } from './lora.ts';
import { memoryRules } from './memory.ts';
import { parallelRules } from './parallel.ts';
import { parserRules } from './parsers.ts';
import { placeHit } from './place.ts';
import { quantizationRules } from './quantization.ts';
import type { ProfileRule } from './rule.ts';
import { schedulerRules } from './scheduler.ts';
import { serverRules } from './server.ts';
import { speculativeRules } from './speculative.ts';

export const profileRules: readonly ProfileRule[] = [
  ...schedulerRules,
  ...contextRules,
  ...memoryRules,
  ...parallelRules,
  ...quantizationRules,
  ...loraRules,
  ...speculativeRules,
  ...parserRules,
  ...serverRules,
  ...cpuRules,
  ...compileRules,
  ...environmentRules,
  ...adaptRules,
];

/** Findings with the place where the setting was written; of one that was not written, without. */
export function checkProfileRules(profile: Profile, catalogue: FlagCatalogue | undefined): readonly Finding[] {
  const known = catalogue ? { catalogue } : {};
  return profileRules.flatMap(({ code, severity, check }) =>
    check(profile, known).map((hit) => ({ code, severity, ...placeHit(hit, profile) })),
  );
}
