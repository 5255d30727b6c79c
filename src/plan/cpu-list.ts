const mostCpus = 4096;

/** Linux' own way to write sets of CPUs: `0-3,6` → 0, 1, 2, 3, 6. What is larger than any machine is cut. */
export function parseCpuList(text: string): readonly number[] {
  return text.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return Array.from({ length: Math.min(Math.max(last - first + 1, 0), mostCpus) }, (_, step) => first + step);
  });
}
