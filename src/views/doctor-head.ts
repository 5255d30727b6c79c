/** What the report is about, in a few labelled lines. */
import { type Message, say } from '../core/message.ts';
import { toSizeText } from '../core/units.ts';
import type { HostFacts } from '../doctor/host-facts.ts';
import type { DoctorReport } from '../doctor/report.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { Memory } from '../plan/plan.ts';
import { toText } from '../text/render.ts';

export type Row = readonly [label: string, text: string];

export function toHeadRows(report: DoctorReport): readonly Row[] {
  const { elsewhere, host, gpus, noGpus, backends, memory } = report;
  const row = (label: Message, text: string): Row => [toText(label), text];
  const here = elsewhere === undefined ? [row(say('doctor.label.host'), toHostText(host))] : [row(say('doctor.label.about'), elsewhere)];
  const cards = gpus.length === 0 ? [toText(say('doctor.head.no-gpus', { evidence: noGpus ?? '' }))] : toGpuTexts(gpus);
  const places = (['process', 'docker'] as const).map((name) => row(say(`doctor.label.${name}`), toText(backends[name].why)));
  return [
    ...here,
    ...cards.map((text) => row(say('doctor.label.gpu'), text)),
    ...(elsewhere === undefined ? places : []),
    row(say('doctor.label.profile'), toProfileText(report)),
    ...(memory === undefined ? [] : [row(say('doctor.label.memory'), toMemoryText(memory))]),
  ];
}

function toHostText({
  distribution,
  kernel,
  architecture,
  cpus,
  memoryTotalBytes,
  memoryAvailableBytes,
  container,
  wsl,
}: HostFacts): string {
  const total = memoryTotalBytes === undefined ? undefined : toSizeText(memoryTotalBytes);
  const memory =
    total === undefined || memoryAvailableBytes === undefined
      ? total && say('doctor.head.host.memory-total', { total })
      : say('doctor.head.host.memory', { total, available: toSizeText(memoryAvailableBytes) });
  const parts = [
    distribution,
    [kernel, architecture].filter(Boolean).join(' '),
    cpus && say('doctor.head.host.cpus', { count: cpus }),
    memory,
    container && say('doctor.head.host.container', { container }),
    wsl && say('doctor.head.host.wsl'),
  ];
  return parts.flatMap((part) => (part ? [typeof part === 'object' ? toText(part) : part] : [])).join(', ');
}

/** The versions once, behind the last one: they belong to the driver. */
function toGpuTexts(gpus: readonly Gpu[]): readonly string[] {
  return gpus.map((gpu, index) => {
    const { name, memoryTotalBytes, memoryUsedBytes, computeCapability, driverVersion: driver, cudaVersion: cuda } = gpu;
    const total = memoryTotalBytes === undefined ? undefined : toSizeText(memoryTotalBytes);
    const versions =
      driver && (cuda ? say('doctor.head.gpu.versions-cuda', { driver, cuda }) : say('doctor.head.gpu.versions', { driver }));
    const facts = [
      total &&
        (memoryUsedBytes
          ? say('doctor.head.gpu.memory-used', { total, used: toSizeText(memoryUsedBytes) })
          : say('doctor.head.gpu.memory', { total })),
      computeCapability && say('doctor.head.gpu.capability', { capability: computeCapability }),
      index === gpus.length - 1 ? versions : undefined,
    ];
    const words = facts.flatMap((fact) => (fact ? [`, ${toText(fact)}`] : [])).join('');
    return toText(say('doctor.head.gpu', { index: gpu.index, name, facts: words }));
  });
}

function toProfileText({ subject, chosen, problem }: DoctorReport): string {
  if (problem) return problem.error.code.startsWith('profile/') ? problem.ref : toText(say('doctor.head.profile.none'));
  if (subject === undefined) return toText(say('doctor.head.profile.none'));
  const { profile, plan, running } = subject;
  const text = chosen ? toText(chosen) : toText(say('doctor.head.profile.asked', { name: profile.name, source: profile.source }));
  return running ? toText(say('doctor.head.profile.running', { text, name: plan.name })) : text;
}

function toMemoryText({
  gpu,
  fits,
  fitsNow,
  budgetBytes,
  freeBytes,
  kvBytes,
  kvTokens,
  maxConcurrency,
  source,
  ...memory
}: Memory): string {
  const need = toSizeText(memory.weightsBytes + memory.activationBytes + memory.graphBytes + memory.overheadBytes);
  const params = { need, budget: toSizeText(budgetBytes), kv: toSizeText(Math.max(kvBytes, 0)) };
  const tokens = kvTokens?.toLocaleString('en');
  const isTaken = fits !== 'no' && fitsNow === 'no' && freeBytes !== undefined;
  const parts = [
    isTaken ? say('doctor.head.memory.taken', { ...params, free: toSizeText(freeBytes) }) : say(`doctor.head.memory.${fits}`, params),
    tokens && fits !== 'no' && say('doctor.head.memory.tokens', { tokens, requests: (maxConcurrency ?? 0).toFixed(1) }),
    source === 'calibrated' && say('doctor.head.memory.calibrated'),
    source === 'engine' && say('doctor.head.memory.engine'),
  ];
  const words = parts.flatMap((part) => (part ? [toText(part)] : [])).join('; ');
  return gpu === undefined ? words : `${gpu}: ${words}`;
}
