import type { Finding } from '../../core/finding.ts';
import type { Profile } from '../profile.ts';
import type { RuleHit } from './rule.ts';

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
