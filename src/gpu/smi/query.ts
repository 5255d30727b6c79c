/** `nvidia-smi -q`: names and values parted by ` : `, groups by indentation alone. Not kept stable by NVIDIA; the XML is. */
import type { Cells } from './cells.ts';
import { type Details, eccPart, eccWhole } from './details.ts';
import { reasonPrefix } from './to-gpu.ts';

export interface SmiQuery {
  readonly gpus: readonly Details[];
  readonly head: Cells;
}

const gpuLine = /^GPU ([0-9A-Fa-f]{4,8}:[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}\.[0-7])$/;

export function isSmiQuery(line: string): boolean {
  return /^=+NVSMI LOG=+$/.test(line) || gpuLine.test(line);
}

export function parseSmiQuery(lines: readonly string[]): SmiQuery {
  const gpus: Details[] = [];
  const head = new Map<string, string>();
  const path: { readonly indent: number; readonly label: string }[] = [];
  for (const line of lines) {
    const busId = gpuLine.exec(line)?.[1];
    if (busId !== undefined) {
      gpus.push({ cells: new Map([['pci.bus_id', busId]]), devices: [] });
      path.length = 0;
      continue;
    }
    const [, blanks = '', label = '', value] = /^(\s*)(\S.*?)(?:\s+: (.*))?$/.exec(line) ?? [];
    const indent = blanks.length;
    while ((path.at(-1)?.indent ?? -1) >= indent) path.pop();
    path.push({ indent, label: label.trim() });
    const details = gpus.at(-1);
    // Whatever is not indented stands outside of the GPUs, above or below them.
    if (indent > 0 && details) keep(path.map((step) => step.label).join('/'), value?.trim(), details);
    else if (value !== undefined && indent === 0 && !head.has(label)) head.set(label, value.trim());
  }
  return { gpus, head };
}

function keep(path: string, value: string | undefined, details: Details): void {
  if (path.startsWith('Processes')) return keepProcess(path, value, details);
  if (/^E(?:CC|cc) Errors\/Aggregate$/.test(path)) details.cells.set(eccWhole, 'Yes');
  const field = fields.get(path) ?? toPatternField(path);
  if (field !== undefined && value && !details.cells.has(field)) details.cells.set(field, value);
}

/** The instances of a process stand before its number, all else below it. */
function keepProcess(path: string, value: string | undefined, details: Details): void {
  if (path === 'Processes' && value !== undefined && value !== 'None') return;
  details.processes ??= [];
  const last = details.processes.at(-1);
  const name = inProcess.get(path);
  if (name === undefined || value === undefined) return;
  const isNext = last === undefined || (last.has('pid') && !path.startsWith('Processes/Process ID/'));
  const target = isNext ? new Map<string, string>() : last;
  if (isNext) details.processes.push(target);
  if (!target.has(name)) target.set(name, value);
}

function toPatternField(path: string): string | undefined {
  const reason = /^Clocks (?:Event|Throttle) Reasons\/(?:HW Slowdown\/)?([\w ]+)$/.exec(path)?.[1];
  if (reason !== undefined) return reasonPrefix + (reasonNames.get(reason) ?? reason.toLowerCase().replaceAll(' ', '_'));
  const part = /^E(?:CC|cc) Errors\/Volatile\/([SD]RAM Uncorrectable[\w -]*)$/.exec(path)?.[1];
  return part === undefined ? undefined : eccPart + part;
}

/** The others are called as in CSV, but for case and blanks. */
const reasonNames = new Map([
  ['Idle', 'gpu_idle'],
  ['Display Clock Setting', 'display_clocks_setting'],
]);

const fields = new Map([
  ['Product Name', 'name'],
  ['Product Architecture', 'architecture'],
  ['GPU UUID', 'uuid'],
  ['Persistence Mode', 'persistence_mode'],
  ['Display Active', 'display_active'],
  ['Compute Mode', 'compute_mode'],
  ['Performance State', 'pstate'],
  ['Fan Speed', 'fan.speed'],
  ['MIG Mode/Current', 'mig.mode.current'],
  ['Driver Model/Current', 'driver_model.current'],
  ['GPU Recovery Action', 'gpu_recovery_action'],
  ['GPU Reset Status/Reset Required', 'reset_required'],
  ['FB Memory Usage/Total', 'memory.total'],
  ['FB Memory Usage/Reserved', 'memory.reserved'],
  ['FB Memory Usage/Used', 'memory.used'],
  ['FB Memory Usage/Free', 'memory.free'],
  ['Utilization/GPU', 'utilization.gpu'],
  ['Utilization/Gpu', 'utilization.gpu'],
  ['Temperature/GPU Current Temp', 'temperature.gpu'],
  ['ECC Mode/Current', 'ecc.mode.current'],
  ['Ecc Mode/Current', 'ecc.mode.current'],
  ['ECC Errors/Volatile/Double Bit/Total', `${eccPart}total`],
  ['Retired Pages/Single Bit ECC', 'retired_pages.single_bit_ecc.count'],
  ['Retired Pages/Double Bit ECC', 'retired_pages.double_bit.count'],
  ['Retired Pages/Pending Page Blacklist', 'retired_pages.pending'],
  ['Remapped Rows/Correctable Error', 'remapped_rows.correctable'],
  ['Remapped Rows/Uncorrectable Error', 'remapped_rows.uncorrectable'],
  ['Remapped Rows/Pending', 'remapped_rows.pending'],
  ['Remapped Rows/Remapping Failure Occurred', 'remapped_rows.failure'],
  ['PCI/GPU Link Info/PCIe Generation/Current', 'pcie.link.gen.current'],
  ['PCI/GPU Link Info/PCIe Generation/Max', 'pcie.link.gen.max'],
  ['PCI/GPU Link Info/Link Width/Current', 'pcie.link.width.current'],
  ['PCI/GPU Link Info/Link Width/Max', 'pcie.link.width.max'],
  ...['Power Readings', 'GPU Power Readings'].flatMap((group): readonly [string, string][] => [
    [`${group}/Power Draw`, 'power.draw'],
    [`${group}/Average Power Draw`, 'power.draw.average'],
    [`${group}/Instantaneous Power Draw`, 'power.draw.instant'],
    [`${group}/Power Limit`, 'power.limit'],
    [`${group}/Current Power Limit`, 'power.limit'],
  ]),
  ['Clocks/Graphics', 'clocks.current.graphics'],
  ['Clocks/Memory', 'clocks.current.memory'],
  ['Max Clocks/Graphics', 'clocks.max.graphics'],
  ['Fabric/State', 'fabric.state'],
]);

const inProcess = new Map([
  ['Processes/GPU instance ID', 'instance'],
  ['Processes/Compute instance ID', 'compute_instance'],
  ['Processes/Process ID', 'pid'],
  ['Processes/Process ID/Type', 'type'],
  ['Processes/Process ID/Name', 'name'],
  ['Processes/Process ID/Used GPU Memory', 'memory.used'],
]);
