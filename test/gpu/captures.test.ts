import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { SmiGpu, SmiProcess, SmiReading } from '../../src/gpu/smi/reading.ts';
import { parseSmi } from '../../src/gpu/smi.ts';
import { capturesDirectory, readCapture, readCaptures } from './captures.ts';

const MiB = 2 ** 20;
const mib = (bytes: number | undefined) => (bytes === undefined ? undefined : bytes / MiB);
const kebab = (word: unknown) => (typeof word === 'string' ? word.replaceAll('_', '-') : word);

/** What an index says of persistence, display, ECC and MIG in nvidia-smi's words, as truth. */
const flags: Readonly<Record<string, boolean | undefined>> = { On: true, Enabled: true, Off: false, Disabled: false, 'N/A': undefined };
const flag = (word: unknown) => (word === null ? undefined : flags[String(word)]);

type Compare = (want: unknown) => readonly [wanted: unknown, found: unknown];

/** Key of `expected` → what was wanted and what was found, in the same words; null, like absence, is undefined. */
function compareReading(reading: SmiReading): Readonly<Record<string, Compare>> {
  const plain =
    (found: unknown): Compare =>
    (want) => [want ?? undefined, found];
  return {
    kind: plain(reading.kind),
    error_kind: (want) => [kebab(want) ?? undefined, reading.errorKind],
    driver: plain(reading.driverVersion),
    cuda: plain(reading.cudaVersion),
    nvidia_smi_version: plain(reading.smiVersion),
    kmd_version: plain(reading.kmdVersion),
    cuda_umd_version: plain(reading.umdVersion),
    nvml_library_version: plain(reading.nvmlVersion),
    open_kernel_module: plain(reading.openKernelModule),
    xml_schema: plain(reading.schemaVersion),
    spawn_error: plain(reading.spawnError),
    failed_gpu_bus_ids: plain(reading.failedBusIds),
    nics: plain(reading.nics),
    xids: plain(reading.xids?.map(({ busId, xid }) => ({ pci: busId, xid }))),
    gpus: (want) => [(want as unknown[]).length, reading.links ? reading.links.length : reading.gpus.length],
    mig_devices: (want) => [want, reading.gpus.flatMap((gpu) => toDevices(gpu, want))],
    // An empty list is written there also where there is no table of processes.
    processes: (want) => [want, (reading.processes ?? []).map((process) => toProcess(process, want))],
    columns: (want) => [want, want],
    // One row of the index is no row of the file: the word of another tool.
    rows: (want) => [toRows(want), reading.rows?.slice(0, toRows(want).length)],
    // How it was run; not in the text.
    exit_code: plainest,
    stream: plainest,
    rows_note: plainest,
  };
}

const plainest: Compare = () => [true, true];

function toRows(want: unknown): readonly unknown[] {
  return (want as unknown[])
    .filter((row) => !Array.isArray(row))
    .map((row) => Object.fromEntries(Object.entries(row as object).filter(([, value]) => value !== null)));
}

/** Only with the keys that the index has. */
function pick(found: Readonly<Record<string, unknown>>, like: unknown): unknown {
  const keys = Object.keys((like as Record<string, unknown>[])[0] ?? {});
  return Object.fromEntries(keys.map((key) => [key, found[key] ?? null]));
}

function toDevices(gpu: SmiGpu, like: unknown): readonly unknown[] {
  return (gpu.mig?.devices ?? []).map((device) =>
    pick(
      {
        gpu: gpu.index,
        gi: device.instance,
        ci: device.computeInstance,
        dev: device.index,
        index: device.index,
        profile: device.profile,
        uuid: device.uuid,
        memory_used_mib: mib(device.memoryUsedBytes),
        memory_total_mib: mib(device.memoryTotalBytes),
        memory_free_mib: mib(device.memoryFreeBytes),
        sm: device.multiprocessors,
      },
      like,
    ),
  );
}

function toProcess(process: SmiProcess, like: unknown): unknown {
  return pick(
    {
      gpu: process.gpu,
      gi: process.instance,
      ci: process.computeInstance,
      pid: process.pid,
      type: process.type,
      name: process.name,
      memory_mib: mib(process.memoryUsedBytes),
    },
    like,
  );
}

function compareGpu(gpu: SmiGpu, reading: SmiReading): Readonly<Record<string, Compare>> {
  const plain =
    (found: unknown): Compare =>
    (want) => [want ?? undefined, found];
  const truth =
    (found: unknown): Compare =>
    (want) => [flag(want), found];
  return {
    index: plain(gpu.index),
    name: plain(gpu.name),
    name_truncated: plain(gpu.nameCut ?? false),
    bus_id: plain(gpu.busId),
    uuid: plain(gpu.uuid),
    architecture: plain(gpu.architecture),
    driver: plain(gpu.driverVersion),
    memory_total_mib: plain(mib(gpu.memoryTotalBytes)),
    memory_used_mib: plain(mib(gpu.memoryUsedBytes)),
    memory_free_mib: plain(mib(gpu.memoryFreeBytes)),
    memory_reserved_mib: plain(mib(gpu.memoryReservedBytes)),
    memory_text: plain(gpu.missing?.['memory.total']),
    utilization_pct: plain(gpu.utilizationPercent),
    temperature_c: plain(gpu.temperatureC),
    power_w: plain(gpu.powerW),
    power_limit_w: plain(gpu.powerLimitW),
    fan_pct: plain(gpu.fanPercent),
    fan_error: (want) => [want, gpu.problems?.some(({ code, evidence }) => code === 'gpu/cell-error' && evidence === 'fan.speed')],
    pstate: plain(gpu.performanceState),
    persistence: truth(gpu.persistence),
    display_active: truth(gpu.displayActive),
    ecc_mode: truth(gpu.ecc),
    // The table prints a count where ECC is on.
    ecc: (want) => (/^\d+$/.test(String(want)) ? [Number(want), gpu.eccErrors?.uncorrectedVolatile] : [flag(want), gpu.ecc]),
    mig_mode: (want) => [flag(want), gpu.mig?.enabled],
    mig_devices: (want) => [want, toDevices(gpu, want)],
    compute_mode: plain(gpu.computeMode),
    compute_cap: plain(gpu.computeCapability),
    driver_model: plain(gpu.driverModel),
    recovery_action: plain(gpu.recoveryAction),
    processes: (want) => [want, (gpu.processes ?? []).map((process) => toProcess(process, want))],
    links: plain(reading.links?.[gpu.index]?.links),
  };
}

describe('captures of nvidia-smi', () => {
  const captures = readCaptures();

  it('are all listed, and nothing else is', () => {
    const files = readdirSync(capturesDirectory).filter((file) => file.startsWith('smi-'));
    expect(files.sort()).toEqual(captures.map(({ file }) => file).sort());
  });

  it.each(captures)('$id: is read as it was written', async ({ file, command, expected }) => {
    const reading = await parseSmi(readCapture(file), { command });
    for (const [key, want] of Object.entries(expected)) {
      const [wanted, found] = (compareReading(reading)[key] ?? unknownKey(key))(want);
      expect(found, key).toEqual(wanted);
    }
    const gpus = (expected['gpus'] ?? []) as readonly Readonly<Record<string, unknown>>[];
    for (const [at, want] of gpus.entries()) compareEach(want, at, reading);
  });

  it('without its command only CSV without a header is lost', async () => {
    const lost: string[] = [];
    for (const { id, file, expected } of captures) {
      if ((await parseSmi(readCapture(file))).kind !== expected['kind']) lost.push(id);
    }
    expect(lost).toEqual(['smi-26-csv-one-gpu-failed-quoted']);
  });
});

function compareEach(want: Readonly<Record<string, unknown>>, at: number, reading: SmiReading): void {
  const links = reading.links?.[at];
  const found = links ? compareLinks(links) : compareGpu(reading.gpus[at] ?? { index: -1 }, reading);
  for (const [key, one] of Object.entries(want)) {
    const [wanted, is] = (found[key] ?? unknownKey(key))(one);
    expect(is, `gpus[${at}].${key}`).toEqual(wanted);
  }
}

function compareLinks(links: NonNullable<SmiReading['links']>[number]): Readonly<Record<string, Compare>> {
  const plain =
    (found: unknown): Compare =>
    (want) => [want ?? undefined, found];
  return {
    index: plain(links.index),
    links: plain(links.links),
    cpu_affinity: plain(links.cpuAffinity),
    numa_affinity: plain(links.numaAffinity),
    gpu_numa_id: plain(links.gpuNumaId),
  };
}

function unknownKey(key: string): Compare {
  return () => [`a comparison of ${key}`, undefined];
}
