/**
 * Whatever nvidia-smi printed, here or on another machine, by hand or asked by us: which of its dialects it is shows in
 * the text itself. Localised, cut, mixed or damaged texts give fewer values, never wrong ones.
 */
import { stripVTControlCharacters } from 'node:util';
import type { Finding } from '../core/finding.ts';
import { type Message, say } from '../core/message.ts';
import { toSizeText } from '../core/units.ts';
import type { Gpu, GpuObservation } from './gpu.ts';
import { parseSmiCsv } from './smi/csv.ts';
import { type Details, toDetailedGpu } from './smi/details.ts';
import { isGeneral, parseFailedBusIds, parseSmiError, toKindOfExit } from './smi/errors.ts';
import { parseDriverVersion } from './smi/kernel.ts';
import { isSmiList, parseSmiList } from './smi/list.ts';
import { isMonitor, parseMonitor } from './smi/monitor.ts';
import { isSmiQuery, parseSmiQuery } from './smi/query.ts';
import type { SmiErrorKind, SmiGpu, SmiProcess, SmiReading } from './smi/reading.ts';
import { isTableRow, parseSmiTable } from './smi/table.ts';
import { isTopology, parseTopology } from './smi/topology.ts';
import { parseTableVersions, parseVersionLines, toVersions } from './smi/version.ts';
import { parseXids } from './xid.ts';

export interface ParseSmiOptions {
  /** What was run: it names the columns of CSV without a header. */
  readonly command?: string;
  readonly exitCode?: number;
}

/** `-q -x` of sixteen GPUs is a megabyte. */
const charactersMost = 4 * 2 ** 20;

/** Never rejects. Asynchronous because the reader of XML is only loaded for XML. */
export async function parseSmi(text: string, options: ParseSmiOptions = {}): Promise<SmiReading> {
  if (text.length > charactersMost) return toFailure('too-long', toSizeText(charactersMost));
  const clean = stripVTControlCharacters(text.replace(/^\uFEFF/, '')).replaceAll('\r\n', '\n');
  if (isBinary(clean)) return toFailure('binary');
  const xml = clean.search(/<\?xml|<!DOCTYPE|<nvidia_smi_log|^\s*<\w/);
  const lines = clean.split('\n').map((line) => line.trimEnd());
  // A last line without an end may lack more than that: 8155 of 81559.
  const whole = lines.slice(0, -1);
  const part = xml >= 0 ? await readXml(clean.slice(xml)) : readLines({ lines, whole }, options);
  return finish(part, lines, options);
}

type Part = Omit<SmiReading, 'kind' | 'errorKind' | 'said' | 'failedBusIds' | 'gpus' | 'problems'> & {
  readonly gpus?: readonly SmiGpu[];
  readonly cut?: boolean;
  readonly refused?: Message;
  /** Lines that may tell what is wrong; all lines when absent. */
  readonly strays?: readonly string[];
};

/** A shell in another encoding leaves a few odd characters behind; a file that is no text has many. */
function isBinary(text: string): boolean {
  const start = text.slice(0, 10_000);
  const odd = start.match(/[^\t\n\r\P{C}]|\uFFFD/gu)?.length ?? 0;
  return start.includes('\0') || odd > Math.max(8, start.length / 20);
}

async function readXml(text: string): Promise<Part> {
  // Only where there is XML: nothing else pays for its parser.
  const { parseSmiXml } = await import('./smi/xml.ts');
  const { gpus, head, schemaVersion, cut, refused } = parseSmiXml(text);
  const named = new Map([...head].map(([name, value]) => [name.replaceAll('_', ' '), value]));
  return {
    dialect: 'xml',
    ...toVersions(named),
    ...(schemaVersion === undefined ? {} : { schemaVersion }),
    ...toDetailed(gpus),
    cut,
    ...(refused ? { refused } : {}),
  };
}

function toDetailed(details: readonly Details[]): Pick<Part, 'gpus' | 'processes'> {
  const read = details.map(toDetailedGpu);
  const listed = read.filter((one) => one.processes !== undefined);
  return {
    // One of which nothing is known was only mentioned.
    gpus: read.map(({ gpu }) => gpu).filter((gpu) => gpu.name !== undefined || gpu.uuid !== undefined || gpu.busId !== undefined),
    ...(listed.length > 0 ? { processes: listed.flatMap((one) => one.processes ?? []) } : {}),
  };
}

interface Lines {
  readonly lines: readonly string[];
  /** Those that were printed to their end. */
  readonly whole: readonly string[];
}

function readLines({ lines, whole }: Lines, { command }: ParseSmiOptions): Part {
  if (lines.some(isSmiQuery)) {
    const { gpus, head } = parseSmiQuery(whole);
    return { dialect: 'query', ...toVersions(new Map([...head].map(([name, value]) => [name.toLowerCase(), value]))), ...toDetailed(gpus) };
  }
  if (lines.some(isTableRow)) return { dialect: 'table', ...parseTableVersions(lines), ...parseSmiTable(lines) };
  if (lines.some(isTopology)) return { dialect: 'topology', ...parseTopology(whole) };
  if (lines.some(isSmiList)) return { dialect: 'list', gpus: parseSmiList(lines) };
  if (lines.some(isMonitor)) return { dialect: 'monitor', rows: parseMonitor(whole) };
  const cut = lines.at(-1)?.trim();
  const csv = parseSmiCsv(lines.map((line) => line.trim()).filter(Boolean), { ...(command ? { command } : {}), ...(cut ? { cut } : {}) });
  if (csv && (csv.gpus.length > 0 || csv.processes || !lines.some((line) => parseSmiError([line])))) {
    return { dialect: 'csv', ...csv, cut: csv.gpus.length === 0 && csv.processes === undefined };
  }
  return readOthers({ lines, whole });
}

function readOthers({ lines, whole }: Lines): Part {
  const text = lines.join('\n');
  if (/^(?:\S.*)?NVRM(?::| version:)/m.test(text)) return { dialect: 'kernel', ...parseDriverVersion(text), xids: parseXids(text) };
  const versions = parseVersionLines(whole);
  if (versions.smiVersion !== undefined || versions.driverVersion !== undefined) return { dialect: 'version', ...versions };
  const spawnError = /^\{.*"code":"(E[A-Z]+)".*"syscall":"spawn [^"]*nvidia-smi"/.exec(text.trim())?.[1];
  return spawnError === undefined ? { dialect: 'text', ...versions } : { dialect: 'spawn-error', spawnError };
}

function finish({ cut, refused, strays, ...part }: Part, lines: readonly string[], { exitCode }: ParseSmiOptions): SmiReading {
  const gpus = attachProcesses(part.gpus ?? [], part.processes);
  const failedBusIds = parseFailedBusIds(lines);
  const sentence = parseSmiError(strays ?? lines);
  const hasMore =
    [part.processes, part.links, part.rows].some(Boolean) || part.dialect === 'version' || part.openKernelModule !== undefined;
  const found = { ...part, gpus, failedBusIds };
  if (refused) return { ...found, kind: 'error', errorKind: 'xml-refused', problems: [toRefusal(refused)] };
  if (part.xids?.some(({ xid }) => xid === 79)) return { ...found, kind: 'error', errorKind: 'xid-79-off-bus', problems: [] };
  const unreachable = isGeneral(sentence) ? undefined : sentence;
  const problems: Finding[] = [
    ...(unreachable ? [toUnreachable(unreachable.said)] : []),
    ...(cut ? [{ code: 'gpu/cut-output', severity: 'warning', message: say('gpu.cut-output') } as const] : []),
  ];
  if (gpus.length === 0 && (!hasMore || (sentence && part.dialect !== 'csv'))) {
    const errorKind = sentence?.kind ?? (part.spawnError === 'ENOENT' ? 'command-not-found' : toKindOfExit(exitCode)) ?? 'unreadable';
    return { ...found, kind: 'error', errorKind, ...toSaid(sentence?.said ?? lines.find((line) => line.trim() !== '')), problems };
  }
  const errorKind = unreachable?.kind ?? toKindOfGpus(gpus);
  const failed =
    errorKind !== undefined || problems.length > 0 || gpus.some((gpu) => gpu.problems?.some(({ severity }) => severity === 'error'));
  return { ...found, kind: failed ? 'partial' : 'ok', ...(errorKind ? { errorKind } : {}), ...toSaid(unreachable?.said), problems };
}

function toRefusal(message: Message): Finding {
  return { code: 'gpu/xml-refused', severity: 'error', message };
}

function toUnreachable(said: string): Finding {
  return { code: 'gpu/unreachable', severity: 'error', message: say('gpu.unreachable', { said }), evidence: said };
}

function toKindOfGpus(gpus: readonly SmiGpu[]): SmiErrorKind | undefined {
  const codes = gpus.flatMap((gpu) => gpu.problems?.map(({ code }) => code) ?? []);
  if (codes.includes('gpu/lost')) return 'gpu-is-lost';
  return codes.includes('gpu/requires-reset') ? 'gpu-requires-reset' : undefined;
}

/** Enough to know what it is; a page of it would only hide the rest. */
const saidMost = 200;

function toSaid(line: string | undefined): { readonly said?: string } {
  return line === undefined ? {} : { said: line.trim().slice(0, saidMost) };
}

function toFailure(errorKind: SmiErrorKind, said?: string): SmiReading {
  return { dialect: 'text', kind: 'error', errorKind, ...toSaid(said), gpus: [], failedBusIds: [], problems: [] };
}

function attachProcesses(gpus: readonly SmiGpu[], processes: readonly SmiProcess[] | undefined): readonly SmiGpu[] {
  if (!processes) return gpus;
  return gpus.map((gpu) => {
    const own = processes.filter(({ gpu: index, gpuUuid: uuid }) =>
      uuid !== undefined && gpu.uuid !== undefined ? uuid === gpu.uuid : index === undefined ? gpus.length === 1 : index === gpu.index,
    );
    return { ...gpu, processes: own.map(({ gpu: _, gpuUuid, instance, computeInstance, ...process }) => process) };
  });
}

/**
 * What it means for a machine that cannot be looked at: `absent` only when nvidia-smi itself said that there is none.
 */
export function toObservation(reading: SmiReading): GpuObservation {
  const gpus = reading.gpus.flatMap(({ name, missing: _, ...gpu }): readonly Gpu[] => (name === undefined ? [] : [{ ...gpu, name }]));
  const { driverVersion = gpus.find((gpu) => gpu.driverVersion !== undefined)?.driverVersion, cudaVersion, problems } = reading;
  const told = problems.length > 0 ? { problems } : {};
  if (gpus.length > 0) {
    return { is: 'present', gpus, ...(driverVersion ? { driverVersion } : {}), ...(cudaVersion ? { cudaVersion } : {}), ...told };
  }
  const evidence = toEvidence(reading);
  if (reading.errorKind === 'no-devices') return { is: 'absent', evidence };
  const faults = reading.xids?.map(({ xid, busId }) => `Xid ${xid} (${busId})`) ?? [];
  const speaks = reading.errorKind !== 'command-not-found' && reading.errorKind !== 'unreadable';
  return { is: 'silent', signs: faults.length > 0 ? faults : speaks ? ['nvidia-smi'] : [], evidence, ...told };
}

function toEvidence({ errorKind, said, problems, gpus }: SmiReading): Message {
  if (errorKind === 'command-not-found') return say('gpu.no-smi');
  if (errorKind === 'binary') return say('gpu.smi-binary');
  if (errorKind === 'too-long') return say('gpu.smi-too-long', { most: said ?? '' });
  if (errorKind === 'xml-refused' && problems[0]) return problems[0].message;
  if (errorKind === 'unreadable') return say('gpu.smi-unreadable');
  if (said !== undefined) return say('gpu.smi-said', { said });
  return gpus.length > 0 ? say('gpu.smi-nameless') : say('gpu.smi-unreadable');
}
