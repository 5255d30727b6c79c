/**
 * `nvidia-smi -q -x`. Its elements have been renamed from DTD to DTD (9 to 13): old and new names stand side by side
 * below. The file begins with a DOCTYPE; nothing is ever fetched or expanded, and one that declares entities is refused.
 * Reading ends at the first thing that is no XML: elements that were closed until then are right, all after it is not.
 */
import { SaxesParser } from 'saxes';
import { type Message, say } from '../../core/message.ts';
import { toSizeText } from '../../core/units.ts';
import { type Details, eccPart, eccWhole } from './details.ts';
import { reasonPrefix } from './to-gpu.ts';

export interface SmiXml {
  readonly gpus: readonly Details[];
  /** Leaves that are not inside of a GPU: `driver_version` → `595.84`. */
  readonly head: ReadonlyMap<string, string>;
  readonly schemaVersion?: number;
  /** It ends before its root does, or is damaged there. */
  readonly cut: boolean;
  readonly refused?: Message;
}

/** Seven levels have been seen. */
const depthMost = 32;
const charactersMost = 4 * 2 ** 20;
const chunk = 2 ** 16;

export function parseSmiXml(text: string): SmiXml {
  const state: State = {
    path: [],
    words: '',
    head: new Map(),
    gpus: [],
    current: undefined,
    closed: false,
    damaged: false,
    refused: undefined,
    schema: undefined,
  };
  if (text.length > charactersMost) state.refused = say('gpu.xml-long', { most: toSizeText(charactersMost) });
  else walk(text, state);
  const { gpus, head, closed, refused, schema } = state;
  return {
    gpus: refused ? [] : gpus,
    head: refused ? new Map() : head,
    cut: !closed,
    ...(schema === undefined ? {} : { schemaVersion: schema }),
    ...(refused ? { refused } : {}),
  };
}

interface State {
  readonly path: string[];
  words: string;
  readonly head: Map<string, string>;
  readonly gpus: Details[];
  current: Details | undefined;
  closed: boolean;
  damaged: boolean;
  refused: Message | undefined;
  schema: number | undefined;
}

function walk(text: string, state: State): void {
  const parser = new SaxesParser();
  const isOver = () => state.damaged || state.closed || state.refused !== undefined;
  parser.on('error', () => {
    state.damaged = true;
  });
  parser.on('doctype', (doctype) => {
    if (/<!ENTITY|\[/i.test(doctype)) state.refused = say('gpu.xml-entities');
    const version = /nvsmi_device_v(\d{1,3})\.dtd/.exec(doctype)?.[1];
    if (version !== undefined) state.schema = Number(version);
  });
  parser.on('opentag', ({ name, attributes }) => {
    if (isOver()) return;
    open(name, state);
    if (name === 'gpu' && attributes.id !== undefined) state.current?.cells.set('pci.bus_id', attributes.id);
  });
  const add = (words: string) => {
    state.words += words;
  };
  parser.on('text', add);
  parser.on('cdata', add);
  parser.on('closetag', () => {
    if (!isOver()) close(state);
  });
  for (let at = 0; at < text.length && !isOver(); at += chunk) parser.write(text.slice(at, at + chunk));
}

function open(name: string, state: State): void {
  state.path.push(name);
  state.words = '';
  if (state.path.length > depthMost) state.refused = say('gpu.xml-deep', { most: depthMost });
  if (state.path[0] !== 'nvidia_smi_log') state.damaged = true;
  const path = state.path.slice(1).join('/');
  if (path === 'gpu') {
    state.current = { cells: new Map(), devices: [] };
    state.gpus.push(state.current);
  }
  if (path === 'gpu/processes' && state.current) state.current.processes ??= [];
  if (path === 'gpu/processes/process_info') state.current?.processes?.push(new Map());
  if (path === 'gpu/mig_devices/mig_device') state.current?.devices.push(new Map());
}

function close(state: State): void {
  const path = state.path.slice(1).join('/');
  const words = state.words.trim();
  state.words = '';
  state.path.pop();
  if (state.path.length === 0) state.closed = true;
  else if (path === 'gpu') state.current = undefined;
  else if (path.startsWith('gpu/') && state.current) keep(path.slice('gpu/'.length), words, state.current);
  else if (words !== '' && !state.head.has(path)) state.head.set(path, words);
}

/** What stands twice, because what was between is lost, counts where it stood first. */
function keep(path: string, words: string, { cells, devices, processes }: Details): void {
  const put = (target: Map<string, string> | undefined, name: string | undefined) => {
    if (name !== undefined && words !== '' && target && !target.has(name)) target.set(name, words);
  };
  put(processes?.at(-1), inProcess.get(path));
  put(devices.at(-1), inDevice.get(path));
  put(cells, fields.get(path) ?? toPatternField(path));
  if (path === 'ecc_errors/volatile') cells.set(eccWhole, 'Yes');
}

function toPatternField(path: string): string | undefined {
  const reason = /^clocks_(?:event|throttle)_reasons\/clocks_(?:event|throttle)_reason_(\w+)$/.exec(path)?.[1];
  if (reason !== undefined) return reasonPrefix + reason;
  const part = /^ecc_errors\/volatile\/([ds]ram_uncorrectable\w*)$/.exec(path)?.[1];
  return part === undefined ? undefined : eccPart + part;
}

const fields = new Map([
  ['product_name', 'name'],
  ['product_architecture', 'architecture'],
  ['uuid', 'uuid'],
  ['persistence_mode', 'persistence_mode'],
  ['display_active', 'display_active'],
  ['compute_mode', 'compute_mode'],
  ['performance_state', 'pstate'],
  ['fan_speed', 'fan.speed'],
  ['mig_mode/current_mig', 'mig.mode.current'],
  ['driver_model/current_dm', 'driver_model.current'],
  ['gpu_recovery_action', 'gpu_recovery_action'],
  ['gpu_reset_status/reset_required', 'reset_required'],
  ['fb_memory_usage/total', 'memory.total'],
  ['fb_memory_usage/reserved', 'memory.reserved'],
  ['fb_memory_usage/used', 'memory.used'],
  ['fb_memory_usage/free', 'memory.free'],
  ['utilization/gpu_util', 'utilization.gpu'],
  ['temperature/gpu_temp', 'temperature.gpu'],
  ['ecc_mode/current_ecc', 'ecc.mode.current'],
  ['ecc_errors/volatile/double_bit/total', `${eccPart}total`],
  ['retired_pages/multiple_single_bit_retirement/retired_count', 'retired_pages.single_bit_ecc.count'],
  ['retired_pages/double_bit_retirement/retired_count', 'retired_pages.double_bit.count'],
  ['retired_pages/pending_retirement', 'retired_pages.pending'],
  ['remapped_rows/remapped_row_corr', 'remapped_rows.correctable'],
  ['remapped_rows/remapped_row_unc', 'remapped_rows.uncorrectable'],
  ['remapped_rows/remapped_row_pending', 'remapped_rows.pending'],
  ['remapped_rows/remapped_row_failure', 'remapped_rows.failure'],
  ['pci/pci_gpu_link_info/pcie_gen/current_link_gen', 'pcie.link.gen.current'],
  ['pci/pci_gpu_link_info/pcie_gen/max_link_gen', 'pcie.link.gen.max'],
  ['pci/pci_gpu_link_info/link_widths/current_link_width', 'pcie.link.width.current'],
  ['pci/pci_gpu_link_info/link_widths/max_link_width', 'pcie.link.width.max'],
  ...['power_readings', 'gpu_power_readings'].flatMap((group): readonly [string, string][] => [
    [`${group}/power_draw`, 'power.draw'],
    [`${group}/average_power_draw`, 'power.draw.average'],
    [`${group}/instant_power_draw`, 'power.draw.instant'],
    [`${group}/power_limit`, 'power.limit'],
    [`${group}/current_power_limit`, 'power.limit'],
  ]),
  ['clocks/graphics_clock', 'clocks.current.graphics'],
  ['clocks/mem_clock', 'clocks.current.memory'],
  ['max_clocks/graphics_clock', 'clocks.max.graphics'],
  ['fabric/state', 'fabric.state'],
]);

const inProcess = new Map([
  ['processes/process_info/pid', 'pid'],
  ['processes/process_info/type', 'type'],
  ['processes/process_info/process_name', 'name'],
  ['processes/process_info/used_memory', 'memory.used'],
  ['processes/process_info/gpu_instance_id', 'instance'],
  ['processes/process_info/compute_instance_id', 'compute_instance'],
]);

const inDevice = new Map([
  ['mig_devices/mig_device/index', 'index'],
  ['mig_devices/mig_device/gpu_instance_id', 'instance'],
  ['mig_devices/mig_device/compute_instance_id', 'compute_instance'],
  ['mig_devices/mig_device/device_attributes/shared/multiprocessor_count', 'multiprocessors'],
  ['mig_devices/mig_device/fb_memory_usage/total', 'memory.total'],
  ['mig_devices/mig_device/fb_memory_usage/used', 'memory.used'],
  ['mig_devices/mig_device/fb_memory_usage/free', 'memory.free'],
]);
