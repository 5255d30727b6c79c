/** Known GPUs by name, for plans about a card that is not here. Pure: whoever needs the table hands it in. */
import { toNearest } from '../core/nearest.ts';
import type { Gpu } from './gpu.ts';

/** One line of data/gpus.json. */
export interface KnownGpu {
  readonly name: string;
  readonly capability: string;
  /** As nvidia-smi says it. */
  readonly memoryMiB: number;
  /** It has no memory of its own. */
  readonly unified?: boolean;
}

export type FoundGpus =
  | { readonly is: 'found'; readonly gpus: readonly Gpu[] }
  | { readonly is: 'unknown'; readonly name: string; readonly nearest: readonly string[] }
  | { readonly is: 'ambiguous'; readonly name: string; readonly names: readonly string[] };

const mostGpus = 16;

/** `RTX 4090`, `nvidia geforce rtx4090`, `2x L4`. Cards that only differ in what a plan does not ask for are one. */
export function findKnownGpus(text: string, table: readonly KnownGpu[]): FoundGpus {
  const match = /^\s*(\d{1,2})\s*[x×]\s*(.+)$/i.exec(text);
  const count = Math.min(Math.max(Number(match?.[1] ?? 1), 1), mostGpus);
  const name = (match?.[2] ?? text).trim();
  const found = findByName(name, table);
  const [first] = found;
  if (first === undefined) return { is: 'unknown', name, nearest: toNearestNames(name, table) };
  const isSame = (gpu: KnownGpu) => gpu.capability === first.capability && gpu.memoryMiB === first.memoryMiB;
  if (!found.every(isSame)) return { is: 'ambiguous', name, names: found.map((gpu) => gpu.name) };
  return { is: 'found', gpus: Array.from({ length: count }, (_, index) => toGpu(first, index)) };
}

/** All of the same words, else all that have these words among theirs. */
function findByName(name: string, table: readonly KnownGpu[]): readonly KnownGpu[] {
  const asked = toWords(name);
  if (asked.length === 0) return [];
  const has = (words: readonly string[]) => asked.every((word) => words.includes(word));
  // What stands in brackets may be said and need not be, nor the name of a series.
  const exact = table.filter((gpu) => {
    const needed = toWords(gpu.name.replace(/\(.*\)|\b[RG]TX\b/g, ''));
    return has(toWords(gpu.name)) && needed.every((word) => asked.includes(word));
  });
  return exact.length > 0 ? exact : table.filter((gpu) => has(toWords(gpu.name)));
}

/** Names of the maker, of which every card has some. */
const brands = ['nvidia', 'geforce', 'tesla'];

/** `rtx4060ti 16 GB` and `RTX 4060 Ti 16GB` are the same words. */
function toWords(name: string): readonly string[] {
  const text = name
    .toLowerCase()
    .replace(/(\d+)\s*gi?b\b/g, '$1gb')
    .replace(/\b(rtx|gtx)(?=\w)/g, '$1 ')
    .replace(/(\d)(ti|super)\b/g, '$1 $2');
  return text.split(/[^a-z0-9]+/).filter((word) => word !== '' && !brands.includes(word));
}

function toNearestNames(name: string, table: readonly KnownGpu[]): readonly string[] {
  if (toWords(name).length === 0) return [];
  const byWords = new Map(table.map((gpu) => [toWords(gpu.name).join(' '), gpu.name]));
  return toNearest(toWords(name).join(' '), [...byWords.keys()], 3).flatMap((words) => byWords.get(words) ?? []);
}

/** What only a driver can say (free memory, identity, version) is absent. */
function toGpu({ name, capability, memoryMiB }: KnownGpu, index: number): Gpu {
  return { index, name, computeCapability: capability, memoryTotalBytes: memoryMiB * 2 ** 20 };
}
