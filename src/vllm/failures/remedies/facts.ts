import type { RemedyContext, RemedyFacts } from './remedy.ts';

export function toRemedyFacts({ evidence, hits, permanent }: RemedyContext): RemedyFacts {
  const entries = hits.toReversed().flatMap(({ facts }) => Object.entries(facts));
  return {
    facts: Object.fromEntries(entries),
    text: hits[0]?.text ?? '',
    settings: evidence.settings ?? evidence.log.settings,
    evidence,
    permanent,
  };
}
