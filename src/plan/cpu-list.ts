const mostCpus = 4096;

/** Linux' own way to write sets of CPUs: `0-3,6` → 0, 1, 2, 3, 6. What is larger than any machine is cut. */
export function parseCpuList(text: string): readonly number[] {
  return text.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return Array.from({ length: Math.min(Math.max(last - first + 1, 0), mostCpus) }, (_, step) => first + step);
  });
}

/** 0, 1, 2, 3, 6 → `0-3,6`. */
export function toCpuList(cpus: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const cpu of [...new Set(cpus)].toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last && last[1] === cpu - 1) last[1] = cpu;
    else ranges.push([cpu, cpu]);
  }
  return ranges.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)).join(',');
}
