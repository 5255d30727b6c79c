/** Cells → a GPU, the same for all outputs. What is not printed, or not readable, is absent. */
import type { Finding } from '../../core/finding.ts';
import { say } from '../../core/message.ts';
import type { Gpu } from '../gpu.ts';
import { type Cells, toBytes, toCount, toEntry, toFlag, toNumber, toReason, toText } from './cells.ts';
import type { SmiGpu } from './reading.ts';

/** `position` counts from 0; it is the index of a GPU that has none printed. */
export function toGpu(cells: Cells, position: number): SmiGpu {
  const index = toCount(cells.get('index')) ?? position;
  const name = toText(cells.get('name'), /\S/);
  const problems = toProblems(cells, index);
  const missing = toMissing(cells);
  return {
    index,
    ...toEntry('name', name),
    ...(name?.endsWith('...') ? { nameCut: true } : {}),
    ...toIdentity(cells),
    ...toMemory(cells, name),
    ...toMeasurements(cells),
    ...toSettings(cells),
    ...toHealth(cells),
    ...(problems.length > 0 ? { problems } : {}),
    ...(Object.keys(missing).length > 0 ? { missing } : {}),
  };
}

const busIdPattern = /^[0-9A-F]{4,8}:[0-9A-F]{2}:[0-9A-F]{2}\.[0-7]$/i;
const versionPattern = /^\d{2,4}\.\d{1,4}(?:\.\d{1,4})?$/;
const uuidPattern = /^(?:GPU|MIG)-[0-9A-Za-z/-]+$/;
const computeModes = /^(?:Default|Exclusive_Process|Exclusive_Thread|Prohibited)$/;

function toIdentity(cells: Cells) {
  return {
    ...toEntry('uuid', toText(cells.get('uuid'), uuidPattern)),
    ...toEntry('busId', toText(cells.get('pci.bus_id'), busIdPattern)),
    ...toEntry('architecture', toText(cells.get('architecture'), /^[A-Z][A-Za-z ]+$/)),
    ...toEntry('computeCapability', toText(cells.get('compute_cap'), /^\d{1,2}\.\d$/)),
    ...toEntry('driverVersion', toText(cells.get('driver_version'), versionPattern)),
    ...toEntry('driverModel', toText(cells.get('driver_model.current'), /^(?:WDDM|TCC|MCDM)$/)),
  };
}

/** Integrated with the processor: their memory is the machine's, and nvidia-smi gives no figures. */
const unifiedNames = /\b(?:GB10|Orin|Thor|Xavier)\b|\bnvgpu\b/i;
const unifiedCapabilities = ['5.3', '6.2', '7.2', '8.7', '12.1'];

function toMemory(cells: Cells, name: string | undefined): Partial<SmiGpu> {
  const total = toBytes(cells.get('memory.total'));
  const asked = cells.has('memory.total');
  const unified = unifiedNames.test(name ?? '') || unifiedCapabilities.includes(cells.get('compute_cap') ?? '');
  const kind: Gpu['memoryKind'] = unified ? 'unified' : total !== undefined ? 'dedicated' : asked ? 'unknown' : undefined;
  return {
    ...toEntry('memoryTotalBytes', total),
    ...toEntry('memoryUsedBytes', toBytes(cells.get('memory.used'))),
    ...toEntry('memoryFreeBytes', toBytes(cells.get('memory.free'))),
    ...toEntry('memoryReservedBytes', toBytes(cells.get('memory.reserved'))),
    ...toEntry('memoryKind', kind),
  };
}

function toMeasurements(cells: Cells): Partial<SmiGpu> {
  const clocks = {
    ...toEntry('graphicsMhz', toNumber(cells.get('clocks.current.graphics'), 'MHz')),
    ...toEntry('memoryMhz', toNumber(cells.get('clocks.current.memory'), 'MHz')),
    ...toEntry('graphicsMaxMhz', toNumber(cells.get('clocks.max.graphics'), 'MHz')),
  };
  const pcie = {
    ...toEntry('generation', toCount(cells.get('pcie.link.gen.current'))),
    ...toEntry('generationMax', toCount(cells.get('pcie.link.gen.max'))),
    ...toEntry('width', toNumber(cells.get('pcie.link.width.current'), 'x')),
    ...toEntry('widthMax', toNumber(cells.get('pcie.link.width.max'), 'x')),
  };
  // `power.draw` is an average on newer cards; the instantaneous one is given where both are.
  const power = toNumber(cells.get('power.draw.instant'), 'W') ?? toNumber(cells.get('power.draw'), 'W');
  return {
    ...toEntry('utilizationPercent', toNumber(cells.get('utilization.gpu'), '%')),
    ...toEntry('temperatureC', toNumber(cells.get('temperature.gpu'), 'C')),
    ...toEntry('powerW', power ?? toNumber(cells.get('power.draw.average'), 'W')),
    ...toEntry('powerLimitW', toNumber(cells.get('power.limit'), 'W')),
    ...toEntry('fanPercent', toNumber(cells.get('fan.speed'), '%')),
    ...toEntry('performanceState', toText(cells.get('pstate'), /^P\d{1,2}$/)),
    ...(Object.keys(clocks).length > 0 ? { clocks } : {}),
    ...(Object.keys(pcie).length > 0 ? { pcie } : {}),
  };
}

function toSettings(cells: Cells): Partial<SmiGpu> {
  const mig = toFlag(cells.get('mig.mode.current'));
  return {
    ...toEntry('persistence', toFlag(cells.get('persistence_mode'))),
    ...toEntry('displayActive', toFlag(cells.get('display_active'))),
    ...toEntry('computeMode', toText(cells.get('compute_mode'), computeModes)),
    ...toEntry('ecc', toFlag(cells.get('ecc.mode.current'))),
    ...toEntry('fabricState', toText(cells.get('fabric.state'), /^[A-Z][A-Za-z ]+$/)),
    ...(mig === undefined ? {} : { mig: { enabled: mig } }),
  };
}

function toHealth(cells: Cells): Partial<SmiGpu> {
  const eccErrors = toEntry('uncorrectedVolatile', toCount(cells.get('ecc.errors.uncorrected.volatile.total')));
  const retiredPages = {
    ...toEntry('singleBit', toCount(cells.get('retired_pages.single_bit_ecc.count'))),
    ...toEntry('doubleBit', toCount(cells.get('retired_pages.double_bit.count'))),
    ...toEntry('pending', toFlag(cells.get('retired_pages.pending'))),
  };
  const remappedRows = {
    ...toEntry('correctable', toCount(cells.get('remapped_rows.correctable'))),
    ...toEntry('uncorrectable', toCount(cells.get('remapped_rows.uncorrectable'))),
    ...toEntry('pending', toFlagOrCount(cells.get('remapped_rows.pending'))),
    ...toEntry('failure', toFlagOrCount(cells.get('remapped_rows.failure'))),
  };
  return {
    ...toEntry('throttleReasons', toThrottleReasons(cells)),
    ...(Object.keys(eccErrors).length > 0 ? { eccErrors } : {}),
    ...(Object.keys(retiredPages).length > 0 ? { retiredPages } : {}),
    ...(Object.keys(remappedRows).length > 0 ? { remappedRows } : {}),
    ...toEntry('recoveryAction', toText(cells.get('gpu_recovery_action'), /^[A-Z][A-Za-z0-9 ]+$/)),
  };
}

/** In CSV they are counts. */
function toFlagOrCount(cell: string | undefined): boolean | undefined {
  const count = toCount(cell);
  return count === undefined ? toFlag(cell) : count > 0;
}

export const reasonPrefix = 'clocks_event_reasons.';

/** An empty list says that none is active, so it is only given when each of them could be read. */
function toThrottleReasons(cells: Cells): readonly string[] | undefined {
  const known = [...cells].filter(
    ([field, cell]) => field.startsWith(reasonPrefix) && !/\.(?:active|supported)$/.test(field) && !isAbsent(cell),
  );
  const active = known.filter(([, cell]) => toFlag(cell) === true).map(([field]) => field.slice(reasonPrefix.length));
  const certain = known.length > 0 && known.every(([, cell]) => toFlag(cell) !== undefined);
  return certain || active.length > 0 ? active : undefined;
}

function isAbsent(cell: string): boolean {
  return toReason(cell) === 'N/A' || toReason(cell) === 'Not Supported';
}

function toMissing(cells: Cells): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...cells].flatMap(([field, cell]) => {
      const reason = toReason(cell);
      return reason === undefined || reason === 'N/A' ? [] : [[field, reason]];
    }),
  );
}

/** Words that say that something is wrong, and not only that there is nothing to say. */
const failures = /^(?:Unknown Error|ERR!|GPU requires reset|GPU is lost|Insufficient Permissions)$/;

function toProblems(cells: Cells, index: number): readonly Finding[] {
  const fields = new Map<string, readonly string[]>();
  for (const [field, cell] of cells) {
    const reason = toReason(cell);
    if (reason === undefined || !failures.test(reason)) continue;
    fields.set(reason, [...(fields.get(reason) ?? []), field]);
  }
  const reset = toFlag(cells.get('reset_required')) === true && !fields.has('GPU requires reset');
  const found = [...fields].map(([reason, names]) => toProblem(reason, { names, index }));
  return reset ? [...found, toProblem('GPU requires reset', { names: ['reset_required'], index })] : found;
}

function toProblem(said: string, { names, index }: { readonly names: readonly string[]; readonly index: number }): Finding {
  const evidence = names.join(', ');
  if (said === 'GPU requires reset') {
    return { code: 'gpu/requires-reset', severity: 'error', message: say('gpu.requires-reset', { index }), evidence };
  }
  if (said === 'GPU is lost') return { code: 'gpu/lost', severity: 'error', message: say('gpu.lost', { index }), evidence };
  const severity = names.some((name) => name.startsWith('memory.')) && said !== 'Insufficient Permissions' ? 'error' : 'warning';
  return { code: 'gpu/cell-error', severity, message: say('gpu.cell-error', { said, fields: evidence, index }), evidence };
}
