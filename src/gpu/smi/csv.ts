/**
 * `--query-gpu=… --format=csv` and `--query-compute-apps=…`. Columns are known by the header, else by the command.
 * Warnings stand before, between and after the rows, and one text may hold several tables.
 */
import { type Cells, toBytes, toCount, toEntry, toReason } from './cells.ts';
import { isGeneral, parseSmiError } from './errors.ts';
import type { SmiGpu, SmiProcess } from './reading.ts';
import { reasonPrefix, toGpu } from './to-gpu.ts';

export interface SmiCsv {
  readonly gpus: readonly SmiGpu[];
  /** Absent: no table of processes. */
  readonly processes?: readonly SmiProcess[];
  /** The lines that are no row. */
  readonly strays: readonly string[];
}

export interface ParseSmiCsvOptions {
  /** Names the columns where there is no header. */
  readonly command?: string;
  /** The last line, when its end is missing: a number there may lack digits. */
  readonly cut?: string;
}

/** Undefined when nothing tells what the columns are. */
export function parseSmiCsv(lines: readonly string[], { command = '', cut }: ParseSmiCsvOptions = {}): SmiCsv | undefined {
  // Where nothing could be asked at all, a second line of the reason would pass for the name of a GPU.
  const failed = lines.some((line) => isGeneral(parseSmiError([line])));
  let columns = failed ? [] : toAskedColumns(command);
  let headed = columns.length > 0;
  const gpus: SmiGpu[] = [];
  const processes: SmiProcess[] = [];
  const strays: string[] = [];
  let hasProcesses = columns.includes('pid');
  let rows = 0;
  for (const [at, text] of lines.entries()) {
    const line = at === lines.length - 1 && text === cut ? toCutLine(text, columns) : text;
    const titles = toTitles(line);
    if (line === '') continue;
    if (titles) {
      columns = titles;
      headed = true;
      hasProcesses ||= titles.includes('pid');
      continue;
    }
    const cells = toRow(line, columns);
    if (cells === undefined) strays.push(line);
    else if (columns.includes('pid')) processes.push(...toProcess(cells));
    else {
      // A row of failed cells alone has no GPU in it, but it had a place.
      if ([...cells.values()].some((cell) => toReason(cell) === undefined)) gpus.push(toGpu(cells, rows));
      rows += 1;
    }
  }
  return headed ? { gpus, strays, ...(hasProcesses ? { processes } : {}) } : undefined;
}

function toCutLine(line: string, columns: readonly string[]): string {
  return columns.length === 1 ? '' : line.replace(/(?:[\d.]+|\[[^\]]*)$/, '[N/A]');
}

/** What is asked for by one name may be printed under another; older drivers know only the old names. */
const aliases = new Map([
  ['gpu_name', 'name'],
  ['gpu_uuid', 'uuid'],
  ['gpu_bus_id', 'pci.bus_id'],
  ['clocks.gr', 'clocks.current.graphics'],
  ['clocks.mem', 'clocks.current.memory'],
  ['clocks.max.gr', 'clocks.max.graphics'],
  ['used_gpu_memory', 'used_memory'],
  ['retired_pages.sbe', 'retired_pages.single_bit_ecc.count'],
  ['retired_pages.dbe', 'retired_pages.double_bit.count'],
]);

function toField(name: string): string {
  const field = name.replace(/^clocks_throttle_reasons\./, reasonPrefix);
  return aliases.get(field) ?? field;
}

function toAskedColumns(command: string): readonly string[] {
  const asked = /--query-(?:gpu|compute-apps)=([\w.,]+)/.exec(command)?.[1];
  return asked === undefined ? [] : asked.split(',').map(toField);
}

const knownField =
  /^(?:index|name|pid|process_name|pstate|compute_cap|uuid|pci\.bus_id|driver_version|persistence_mode|compute_mode|gpu_recovery_action|used_memory|[a-z_]+\.[a-z_.]+)$/;

/** The names of a header line, when it is one. */
function toTitles(line: string): readonly string[] | undefined {
  const titles = line.split(', ').map((title) => toField(title.replace(/ \[(?:MiB|%|W|MHz|us|ms|KB\/s|C)\]$/, '')));
  return titles.every((title) => knownField.test(title)) && new Set(titles).size === titles.length ? titles : undefined;
}

/** How warnings and errors begin: in a query for one field they could be taken for its value. */
const sentence = /^(?:WARNING|Warning|Error|Failed|Unable|Field|No|NVIDIA-SMI|nvidia-smi|bash)\b/;

function toRow(line: string, columns: readonly string[]): Cells | undefined {
  if (columns.length === 0 || sentence.test(line) || parseSmiError([line])) return undefined;
  const cells = toParts(line, columns);
  if (cells.length !== columns.length) return undefined;
  const row = new Map(columns.map((column, at) => [column, cells[at] ?? '']));
  const number = row.get('index') ?? row.get('pid');
  // Of a sentence with as many commas as a row.
  return number === undefined || toCount(number) !== undefined || toReason(number) !== undefined ? row : undefined;
}

/** Names of processes may hold commas; nothing else does. */
function toParts(line: string, columns: readonly string[]): readonly string[] {
  const parts = line.split(', ').map((part) => part.trim());
  const at = columns.indexOf('process_name');
  const more = parts.length - columns.length;
  if (at < 0 || more <= 0) return parts;
  return [...parts.slice(0, at), parts.slice(at, at + more + 1).join(', '), ...parts.slice(at + more + 1)];
}

function toProcess(cells: Cells): readonly SmiProcess[] {
  const pid = toCount(cells.get('pid'));
  const name = cells.get('process_name');
  const uuid = cells.get('uuid');
  if (pid === undefined) return [];
  return [
    {
      pid,
      ...toEntry('name', name === undefined || toReason(name) !== undefined ? undefined : name),
      ...toEntry('memoryUsedBytes', toBytes(cells.get('used_memory'))),
      ...toEntry('gpuUuid', uuid === undefined || toReason(uuid) !== undefined ? undefined : uuid),
    },
  ];
}
