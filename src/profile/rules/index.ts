/** Rules across the settings of one profile, as one table. */
import type { Finding } from '../../core/finding.ts';
import type { FlagCatalogue } from '../../vllm/flags.ts';
import type { Profile } from '../profile.ts';
import { compileRules } from './compile.ts';
import { contextRules } from './context.ts';
import { cpuRules } from './cpu.ts';
import { environmentRules } from './environment.ts';
import { loraRules } from './lora.ts';
import { memoryRules } from './memory.ts';
import { parallelRules } from './parallel.ts';
import { parserRules } from './parsers.ts';
import { quantizationRules } from './quantization.ts';
import type { ProfileRule, RuleHit } from './rule.ts';
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
];

/** Findings with the place where the setting was written; of one that was not written, without. */
export function checkProfileRules(profile: Profile, catalogue: FlagCatalogue | undefined): readonly Finding[] {
  const known = catalogue ? { catalogue } : {};
  return profileRules.flatMap(({ code, severity, check }) =>
    check(profile, known).map((hit) => ({ code, severity, ...placeHit(hit, profile) })),
  );
}

export type PlacedHit = RuleHit & Pick<Finding, 'file' | 'line' | 'column'>;

/** Of a map, whose keys alone have places, the first of them; of what stands in a short text (`model: ID`), that text. */
export function placeHit(hit: RuleHit, { origins }: Profile): PlacedHit {
  const { path } = hit;
  const paths = Object.keys(origins);
  const found =
    paths.find((known) => known === path) ??
    paths.find((known) => known.startsWith(`${path}.`)) ??
    paths.find((known) => path.startsWith(`${known}.`));
  const origin = found === undefined ? undefined : origins[found];
  return origin?.from === 'profile' ? { ...hit, file: origin.file, line: origin.line, column: origin.column } : hit;
}
