import { distance } from 'fastest-levenshtein';

/** The known words closest to a mistyped one, best first; none when all are too far away to be meant. */
export function toNearest(word: string, known: readonly string[], most = 2): readonly string[] {
  const limit = Math.max(2, Math.floor(word.length * 0.4));
  return known
    .map((candidate) => ({ candidate, steps: candidate.startsWith(word) ? 1 : distance(word, candidate) }))
    .filter(({ steps }) => steps <= limit)
    .sort((a, b) => a.steps - b.steps || a.candidate.localeCompare(b.candidate))
    .slice(0, most)
    .map(({ candidate }) => candidate);
}
