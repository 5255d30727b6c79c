/**
 * The table of plain `nvidia-smi`: 79, 89 or 91 columns wide, with two or three lines for a GPU. Read by the borders
 * between its cells and by the shape of what stands in them, never by columns: widths and titles change with drivers.
 * Each line of a cell counts as a whole or not at all.
 */
import { toBytes, toCount, toEntry, toReason } from './cells.ts';
import type { SmiGpu, SmiMigDevice, SmiProcess } from './reading.ts';
import { toGpu } from './to-gpu.ts';

export interface SmiTable {
  readonly gpus: readonly SmiGpu[];
  /** Absent: there is no table of them. */
  readonly processes?: readonly SmiProcess[];
  /** Some GPU's second line is missing. */
  readonly cut: boolean;
}

export function isTableRow(line: string): boolean {
  return toHead(toColumns(line)) !== undefined || /^\|\s*NVIDIA-SMI\s+\d/.test(line);
}

export function parseSmiTable(lines: readonly string[]): SmiTable {
  const blocks = toBlocks(lines);
  const devices = toDevices(lines);
  const processes = toProcesses(lines);
  const gpus = blocks.map(({ cells }, position) => {
    const gpu = toGpu(cells, position);
    const own = devices.filter((device) => device.gpu === gpu.index).map(({ gpu: _, ...device }) => device);
    if (own.length === 0) return gpu;
    return { ...gpu, mig: { enabled: true, devices: own } };
  });
  const cut = blocks.some(({ lines: count }) => count < 2);
  return { gpus, cut, ...(processes ? { processes } : {}) };
}

/** Between its borders: the last cell of a line that was cut is not known to be whole. */
function toColumns(line: string): readonly string[] {
  const text = line.trim();
  return text.length > 1 && text.startsWith('|') && text.endsWith('|') ? text.slice(1, -1).split('|') : [];
}

/** ` 0  NVIDIA L40S   On ` · `00000000:4F:00.0 Off` · `0`; on Windows the driver's model stands in place of persistence. */
function toHead(columns: readonly string[]): Map<string, string> | undefined {
  const [first = '', second = '', third = ''] = columns;
  const [, index, name, mode] = /^\s*(\d{1,4})\s+(\S.*?)\s+(On|Off|N\/A|ERR!|WDDM|TCC|MCDM)\s*$/.exec(first) ?? [];
  const [, busId, display] = /^\s*(\S+)\s+(On|Off|N\/A|ERR!)\s*$/.exec(second) ?? [];
  if (columns.length !== 3 || index === undefined || name === undefined || mode === undefined || busId === undefined) return undefined;
  const cells = new Map([
    ['index', index],
    ['name', name],
    ['pci.bus_id', busId],
    ['display_active', display ?? ''],
    [/^[WTM]/.test(mode) ? 'driver_model.current' : 'persistence_mode', mode],
  ]);
  const ecc = third.trim();
  // With ECC on it shows how many errors there were; on GPUs in slices the word `On`.
  if (toCount(ecc) !== undefined) cells.set('ecc.mode.current', 'On').set('ecc.errors.uncorrected.volatile.total', ecc);
  else if (/^(?:On|Off|N\/A|ERR!)$/.test(ecc)) cells.set('ecc.mode.current', ecc);
  return cells;
}

const broken = '(?:N/A|ERR!|Unknown Error)';
/** `ERR!` of a fan that is gone touches the border. */
const measures = new RegExp(
  `^\\s*(\\d+%|${broken})\\s+(-?\\d+C|${broken})\\s+(P\\d+|${broken})\\s+(\\d+W|${broken})\\s*/\\s*(\\d+W|${broken})\\s*$`,
);
const memory = /^\s*(\d+MiB)\s*\/\s*(\d+MiB)\s*$/;
const memoryWords = /^\s*(N\/A|Not Supported|Unknown Error|ERR!|Insufficient Permissions)\s*$/;
const load = /^\s*(\d+%|N\/A|ERR!)\s+(Default|E\. Process|E\. Thread|Prohibited|N\/A|ERR!)\s*$/;
const computeModes = new Map([
  ['E. Process', 'Exclusive_Process'],
  ['E. Thread', 'Exclusive_Thread'],
]);

function toSecond(columns: readonly string[]): readonly (readonly [string, string])[] {
  const [first = '', second = '', third = ''] = columns;
  const [, fan, temperature, state, draw, limit] = measures.exec(first) ?? [];
  const [, used, total] = memory.exec(second) ?? [];
  const words = memoryWords.exec(second)?.[1];
  const [, use, mode] = load.exec(third) ?? [];
  const found: readonly (readonly [string, string | undefined])[] = [
    ['fan.speed', fan],
    ['temperature.gpu', temperature],
    ['pstate', state],
    ['power.draw', draw],
    ['power.limit', limit],
    ['memory.used', used ?? words],
    ['memory.total', total ?? words],
    ['utilization.gpu', use],
    ['compute_mode', computeModes.get(mode ?? '') ?? mode],
  ];
  return found.flatMap(([field, cell]) => (cell === undefined ? [] : [[field, cell] as const]));
}

interface Block {
  readonly cells: Map<string, string>;
  readonly lines: number;
}

/** A line of borders ends a GPU; a line of no known shape counts and says nothing. */
function toBlocks(lines: readonly string[]): readonly Block[] {
  const blocks: Block[] = [];
  let open = false;
  for (const line of lines) {
    const columns = toColumns(line);
    const head = toHead(columns);
    const last = blocks.at(-1);
    if (head) {
      blocks.push({ cells: head, lines: 1 });
      open = true;
    } else if (columns.length !== 3 || /^[\s|+=-]*$/.test(line)) open = false;
    else if (open && last) {
      const isThird = last.lines > 1;
      const mig = /^\s*(Enabled\*?|Disabled\*?|N\/A)\s*$/.exec(columns[2] ?? '')?.[1];
      for (const [field, cell] of isThird ? [] : toSecond(columns)) last.cells.set(field, cell);
      if (isThird && mig !== undefined) last.cells.set('mig.mode.current', mig);
      blocks[blocks.length - 1] = { ...last, lines: last.lines + 1 };
    }
  }
  return blocks;
}

/** `0    7   0   0` · `13MiB /  9728MiB` · `14      0`: GPU, GPU instance, compute instance, number. */
function toDevices(lines: readonly string[]): readonly (SmiMigDevice & { readonly gpu: number })[] {
  return lines.flatMap((line) => {
    const [first = '', second = '', third = ''] = toColumns(line);
    const [, gpu, instance, computeInstance, index] = /^\s*(\d{1,4})\s+(\d{1,4})\s+(\d{1,4})\s+(\d{1,4})\s*$/.exec(first) ?? [];
    if (gpu === undefined) return [];
    const [, used, total] = memory.exec(second) ?? [];
    return [
      {
        gpu: Number(gpu),
        index: Number(index),
        instance: Number(instance),
        computeInstance: Number(computeInstance),
        ...toEntry('memoryUsedBytes', toBytes(used)),
        ...toEntry('memoryTotalBytes', toBytes(total)),
        ...toEntry('multiprocessors', toCount(/^\s*(\d{1,4})\s/.exec(third)?.[1])),
      },
    ];
  });
}

/** With the instances of a GPU in slices since driver 450; names are cut from the left. */
const processLine =
  /^\|?\s*(\d{1,4})\s+(?:(\d{1,4}|N\/A)\s+(\d{1,4}|N\/A)\s+)?(\d{1,9})\s+([CGM+]{1,5})\s+(\S.*?)\s+(\d+MiB|N\/A)\s*\|?\s*$/;

function toProcesses(lines: readonly string[]): readonly SmiProcess[] | undefined {
  const start = lines.findIndex((line) => /^\|\s*Processes:/.test(line));
  if (start < 0) return undefined;
  const rest = lines.slice(start);
  const found = rest.flatMap((line) => toProcess(line));
  // Cut before its end it may have held more: an empty list would then say too much.
  return found.length > 0 || rest.some((line) => /No running processes found/.test(line)) || isClosed(rest) ? found : undefined;
}

function isClosed(lines: readonly string[]): boolean {
  const head = lines.findIndex((line) => /^\|=+\|$/.test(line.trim()));
  return head >= 0 && lines.slice(head).some((line) => /^\+-+\+$/.test(line.trim()));
}

function toProcess(line: string): readonly SmiProcess[] {
  const [, gpu, instance, computeInstance, pid, type, name, used] = processLine.exec(line) ?? [];
  if (gpu === undefined || type === undefined || name === undefined) return [];
  return [
    {
      gpu: Number(gpu),
      pid: Number(pid),
      type,
      ...toEntry('instance', toCount(instance)),
      ...toEntry('computeInstance', toCount(computeInstance)),
      ...toEntry('name', toReason(name) === undefined ? name : undefined),
      ...toEntry('memoryUsedBytes', toBytes(used)),
    },
  ];
}
