/** `topo -m`: how GPUs and network cards reach each other. Tabs part the columns; the header is underlined by escapes. */
import { toEntry, toReason } from './cells.ts';
import type { SmiLinks } from './reading.ts';

export interface SmiTopology {
  readonly links: readonly SmiLinks[];
  readonly nics: readonly string[];
}

/** The line must begin with a tab: it has no title for the names of the rows. */
export function isTopology(line: string): boolean {
  return /^\t\s*GPU\d+\s*(?:\t|$)/.test(line);
}

const nicName = /^(?:NIC\d+|mlx\d+_\d+|ibp\S*)$/;
const link = /^(?:X|SYS|NODE|PHB|PXB|PIX|NV\d{1,3})$/;

export function parseTopology(lines: readonly string[]): SmiTopology {
  const start = lines.findIndex(isTopology);
  const titles = (lines[start] ?? '').split('\t').map((title) => title.trim());
  const rows = lines.slice(start + 1).map((line) => line.split('\t').map((cell) => cell.trim()));
  const links = rows.flatMap((cells) => toLinks(cells, titles));
  return { links, nics: titles.filter((title) => nicName.test(title)) };
}

function toLinks(cells: readonly string[], titles: readonly string[]): readonly SmiLinks[] {
  const index = /^GPU(\d{1,4})$/.exec(cells[0] ?? '')?.[1];
  if (index === undefined) return [];
  const found = titles.flatMap((title, at) => (/^GPU\d+$/.test(title) && link.test(cells[at] ?? '') ? [[title, cells[at] ?? '']] : []));
  const cell = (title: string, pattern: RegExp) => {
    const text = cells[titles.indexOf(title)];
    return text === undefined || toReason(text) !== undefined || !pattern.test(text) ? undefined : text;
  };
  const gpuNumaId = cells.at(-1);
  return [
    {
      index: Number(index),
      links: Object.fromEntries(found),
      ...toEntry('cpuAffinity', cell('CPU Affinity', /^[\d,-]+$/)),
      ...toEntry('numaAffinity', cell('NUMA Affinity', /^[\d,-]+$/)),
      // A second tab stands before this one's cells, and none before its title: it is the last of both.
      ...toEntry(
        'gpuNumaId',
        titles.at(-1) === 'GPU NUMA ID' && /^\d+$/.test(gpuNumaId ?? '') && cells.length > titles.length ? gpuNumaId : undefined,
      ),
    },
  ];
}
