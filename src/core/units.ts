/** Sizes and durations as people write them, and as we print them. */

const binary = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;
const sizeFactors: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};
const durationFactors: Readonly<Record<string, number>> = { ms: 1, s: 1e3, m: 60e3, h: 3600e3, d: 86400e3 };

/** `8GiB` → bytes; decimal and binary units are different things. Undefined when it is not a size. */
export function parseBytes(text: string): number | undefined {
  return parseWithUnit(text, sizeFactors, true);
}

/** `30s`, `5m`, `250ms` → milliseconds. Undefined when it is not a duration. */
export function parseDurationMs(text: string): number | undefined {
  return parseWithUnit(text, durationFactors, false);
}

/** `1.4 GiB`; whole bytes below 1 KiB. */
export function toSizeText(bytes: number): string {
  let value = bytes;
  let step = 0;
  while (value >= 1024 && step < binary.length - 1) {
    value /= 1024;
    step += 1;
  }
  return `${step === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${binary[step]}`;
}

/** `62 ms`, `1.4 s`, `41 s`, `3m 20s`, `2h 5m`, `4d 1h`. */
export function toDurationText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const parts: [number, string][] = [
    [Math.floor(seconds / 86400), 'd'],
    [Math.floor((seconds % 86400) / 3600), 'h'],
    [Math.floor((seconds % 3600) / 60), 'm'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount}${unit}`)
    .join(' ');
}

function parseWithUnit(text: string, factors: Readonly<Record<string, number>>, anyCase: boolean): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*$/.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  const factor = factors[anyCase ? match[2].toLowerCase() : match[2]];
  const value = factor === undefined ? Number.NaN : Number(match[1]) * factor;
  return Number.isFinite(value) ? Math.round(value) : undefined;
}
