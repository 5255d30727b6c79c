/** Output of `nvidia-smi --query-gpu=… --format=csv` → GPUs. Pure. */
import type { Gpu } from './gpu.ts';

export interface ParsedGpus {
  readonly gpus: readonly Gpu[];
  /** The first line that is no table row: nvidia-smi prints its errors to stdout, also when CSV was asked. */
  readonly problem?: string;
  /** An old driver refuses the whole query for one field that it does not know. */
  readonly unknownField: boolean;
}

/** Columns are known by the header line, so their order and their number do not matter. */
export function parseGpuCsv(text: string): ParsedGpus {
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const header = lines.findIndex((line) => /(^|, )name(,|$)/.test(line) || /^index(,|$)/.test(line));
  const columns = header < 0 ? [] : (lines[header] ?? '').split(', ').map((title) => title.replace(/ \[.*\]$/, ''));
  const gpus: Gpu[] = [];
  const strays: string[] = header < 0 ? lines : lines.slice(0, header);
  for (const line of header < 0 ? [] : lines.slice(header + 1)) {
    const gpu = parseRow(line, columns, gpus.length);
    if (gpu) gpus.push(gpu);
    else strays.push(line);
  }
  const problem = strays[0];
  const unknownField = strays.some((line) => /is not a valid field to query/.test(line));
  return { gpus, unknownField, ...(problem === undefined ? {} : { problem }) };
}

/** Highest CUDA version that the driver runs, from the head of plain `nvidia-smi`; driver 610 changed the words. */
export function parseCudaVersion(text: string): string | undefined {
  return /CUDA(?: UMD)? Version\s*:\s*(\d+\.\d+)/.exec(text)?.[1];
}

function parseRow(line: string, columns: readonly string[], position: number): Gpu | undefined {
  const cells = line.split(', ');
  if (cells.length !== columns.length) return undefined;
  const cell = (column: string) => toValue(cells[columns.indexOf(column)]);
  const name = cell('name');
  // A row of a GPU that failed holds error texts only.
  if (name === undefined) return undefined;
  const index = cell('index');
  return {
    index: index !== undefined && /^\d+$/.test(index) ? Number(index) : position,
    name,
    ...toText('uuid', cell('uuid')),
    ...toText('computeCapability', cell('compute_cap')),
    ...toBytes('memoryTotalBytes', cell('memory.total')),
    ...toBytes('memoryUsedBytes', cell('memory.used')),
    ...toBytes('memoryFreeBytes', cell('memory.free')),
    ...toText('driverVersion', cell('driver_version')),
  };
}

/** `[N/A]`, `[Not Supported]`, `[GPU requires reset]` …: every text in brackets is a missing value. */
function toValue(cell: string | undefined): string | undefined {
  const missing = cell === undefined || cell === '' || /^\[.*\]$/.test(cell) || /^(N\/A|Not Supported|Unknown Error|ERR!)$/.test(cell);
  return missing ? undefined : cell;
}

function toText<K extends string>(key: K, value: string | undefined): { readonly [P in K]?: string } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: string };
}

function toBytes<K extends string>(key: K, value: string | undefined): { readonly [P in K]?: number } {
  const match = /^(\d+) MiB$/.exec(value ?? '');
  return (match ? { [key]: Number(match[1]) * 2 ** 20 } : {}) as { readonly [P in K]?: number };
}
