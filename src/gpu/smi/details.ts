/** What `-q -x` and `-q` have in common: everything about a GPU, its slices, its processes. */
import { type Cells, toBytes, toCount, toEntry, toReason } from './cells.ts';
import type { SmiGpu, SmiMigDevice, SmiProcess } from './reading.ts';
import { toGpu } from './to-gpu.ts';

export interface Details {
  readonly cells: Map<string, string>;
  readonly devices: Map<string, string>[];
  /** Absent: there is no list of processes. */
  processes?: Map<string, string>[];
}

export interface DetailedGpu {
  readonly gpu: SmiGpu;
  readonly processes?: readonly SmiProcess[];
}

/** Parts of the count of errors that could not be corrected are kept under this name until they are added. */
export const eccPart = 'ecc.part.';
/** Set when all of them have been seen: half of a sum would be a wrong number. */
export const eccWhole = 'ecc.whole';

export function toDetailedGpu({ cells, devices, processes }: Details, position: number): DetailedGpu {
  const total = toUncorrected(cells);
  const known = new Map([...cells].filter(([field]) => !field.startsWith(eccPart) && field !== eccWhole));
  if (total !== undefined) known.set('ecc.errors.uncorrected.volatile.total', total);
  const { mig, ...gpu } = toGpu(known, position);
  const slices = devices.map(toDevice);
  const list = processes?.flatMap((process) => toProcess(process, gpu));
  return {
    gpu: { ...gpu, ...(mig ? { mig: slices.length > 0 ? { ...mig, devices: slices } : mig } : {}) },
    ...(list ? { processes: list } : {}),
  };
}

/** Older drivers print the sum; newer ones its parts, of which those that a GPU does not have are N/A. */
function toUncorrected(cells: Cells): string | undefined {
  const parts = [...cells].filter(([field, cell]) => field.startsWith(eccPart) && toReason(cell) === undefined);
  const counts = parts.map(([, cell]) => toCount(cell));
  if (!cells.has(eccWhole) || parts.length === 0 || counts.includes(undefined)) return undefined;
  const sum = cells.get(`${eccPart}total`);
  return sum !== undefined && toCount(sum) !== undefined ? sum : String(counts.reduce<number>((all, count) => all + (count ?? 0), 0));
}

function toDevice(cells: Cells): SmiMigDevice {
  return {
    ...toEntry('index', toCount(cells.get('index'))),
    ...toEntry('instance', toCount(cells.get('instance'))),
    ...toEntry('computeInstance', toCount(cells.get('compute_instance'))),
    ...toEntry('memoryTotalBytes', toBytes(cells.get('memory.total'))),
    ...toEntry('memoryUsedBytes', toBytes(cells.get('memory.used'))),
    ...toEntry('memoryFreeBytes', toBytes(cells.get('memory.free'))),
    ...toEntry('multiprocessors', toCount(cells.get('multiprocessors'))),
  };
}

function toProcess(cells: Cells, { index, uuid }: Pick<SmiGpu, 'index' | 'uuid'>): readonly SmiProcess[] {
  const pid = toCount(cells.get('pid'));
  const type = cells.get('type');
  const name = cells.get('name');
  if (pid === undefined) return [];
  return [
    {
      gpu: index,
      ...toEntry('gpuUuid', uuid),
      pid,
      ...(type !== undefined && /^[CGM+]{1,5}$/.test(type) ? { type } : {}),
      ...(name !== undefined && toReason(name) === undefined ? { name } : {}),
      ...toEntry('instance', toCount(cells.get('instance'))),
      ...toEntry('computeInstance', toCount(cells.get('compute_instance'))),
      ...toEntry('memoryUsedBytes', toBytes(cells.get('memory.used'))),
    },
  ];
}
