/** Histograms of vLLM's `/metrics` page, and what lies between two readings of one. */

/** Upper bound of a bucket (the last one is infinite) → how many were below it since the engine began; all engines together. */
export type Histogram = ReadonlyMap<number, number>;

/** The one that is there first: newest name first. Undefined where the page has none of them. */
export function parseHistogram(page: string, names: readonly string[]): Histogram | undefined {
  for (const name of names) {
    const found = readBuckets(page, `vllm:${name}_bucket{`);
    if (found.size > 0) return found;
  }
  return undefined;
}

/**
 * The value below which so much (0–1) of what came between two readings lies, by linear interpolation within its
 * bucket. Undefined when nothing came, or when the engine began anew in between.
 */
export function toQuantile(share: number, before: Histogram, after: Histogram): number | undefined {
  const bounds = [...after.keys()].toSorted((a, b) => a - b);
  const counts = bounds.map((bound) => (after.get(bound) ?? 0) - (before.get(bound) ?? 0));
  const total = counts.at(-1) ?? 0;
  if (total <= 0 || counts.some((count) => count < 0)) return undefined;
  const rank = share * total;
  const index = counts.findIndex((count) => count >= rank);
  const [lower, upper] = [bounds[index - 1] ?? 0, bounds[index] ?? 0];
  // Beyond the last bound nothing is known but the bound.
  if (!Number.isFinite(upper)) return lower;
  const below = counts[index - 1] ?? 0;
  return lower + ((upper - lower) * (rank - below)) / ((counts[index] ?? 0) - below);
}

/** The lines of one histogram lie together, so no other line of the page is looked at. */
function readBuckets(page: string, head: string): Map<number, number> {
  const counts = new Map<number, number>();
  let start = page.startsWith(head) ? 0 : page.indexOf(`\n${head}`) + 1;
  while (page.startsWith(head, start)) {
    const end = page.indexOf('\n', start);
    // A last line without its end may be cut in the middle of a number.
    if (end < 0) break;
    addBucket(counts, page.slice(start, end));
    start = end + 1;
  }
  return counts;
}

function addBucket(counts: Map<number, number>, line: string): void {
  const [, le = '', text = ''] = /[{,]le="([^"]*)".*\}\s+(\S+)/.exec(line) ?? [];
  const [bound, count] = [le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le), Number(text)];
  if (le === '' || text === '' || Number.isNaN(bound) || !Number.isFinite(count)) return;
  counts.set(bound, (counts.get(bound) ?? 0) + count);
}
