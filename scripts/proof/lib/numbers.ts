/** Figures of many measurements. */

/** The smallest value that at least `share` of all do not exceed; 0 of none. */
export function toPercentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

export function toMost(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}

export function toSeconds(ms: number, digits = 2): string {
  return `${(ms / 1000).toFixed(digits)} s`;
}

/** Median, 99th percentile and the worst. */
export function toSpread(values: readonly number[]): string {
  return `p50 ${toSeconds(toPercentile(values, 0.5))}, p99 ${toSeconds(toPercentile(values, 0.99))}, most ${toSeconds(toMost(values))}`;
}

/** Theil–Sen: the median of the slopes between all pairs; a few leaps do not move it. */
export function toSlope(points: readonly { readonly x: number; readonly y: number }[]): number {
  const slopes = points.flatMap((from, at) =>
    points.slice(at + 1).flatMap((to) => (to.x === from.x ? [] : [(to.y - from.y) / (to.x - from.x)])),
  );
  return toPercentile(slopes, 0.5);
}
