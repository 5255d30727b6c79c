import { describe, expect, it } from 'vitest';
import { parseSmi, toObservation } from '../../src/gpu/smi.ts';
import { parseXids } from '../../src/gpu/xid.ts';
import { toText } from '../../src/text/render.ts';
import { readCapture } from './captures.ts';

const MiB = 2 ** 20;
const lines = (...parts: readonly string[]) => `${parts.join('\n')}\n`;

describe('CSV', () => {
  it('knows columns by their names, also by those of older drivers', async () => {
    const { gpus } = await parseSmi(
      lines(
        'gpu_uuid, gpu_name, clocks.gr [MHz], clocks_throttle_reasons.hw_slowdown, clocks_throttle_reasons.gpu_idle, clocks_throttle_reasons.active',
        'GPU-1, Tesla T4, 300 MHz, Active, Not Active, 0x0000000000000008',
      ),
    );
    expect(gpus).toEqual([{ index: 0, uuid: 'GPU-1', name: 'Tesla T4', clocks: { graphicsMhz: 300 }, throttleReasons: ['hw_slowdown'] }]);
  });

  it('does not call a card unthrottled when a reason could not be read', async () => {
    const header = 'index, clocks_event_reasons.hw_slowdown, clocks_event_reasons.sw_power_cap';
    const read = async (row: string) => (await parseSmi(lines(header, row))).gpus[0]?.throttleReasons;
    expect(await read('0, Not Active, Not Active')).toEqual([]);
    expect(await read('0, Not Active, [Unknown Error]')).toBeUndefined();
    expect(await read('0, Active, [Unknown Error]')).toEqual(['hw_slowdown']);
  });

  it('takes columns from the command where there is no header', async () => {
    const command = 'nvidia-smi --query-gpu=index,name,memory.total,retired_pages.sbe,remapped_rows.pending --format=csv,noheader,nounits';
    const { gpus, kind } = await parseSmi('1, NVIDIA A40, 46068, 2, 1\n', { command });
    expect(kind).toBe('ok');
    expect(gpus).toEqual([
      {
        index: 1,
        name: 'NVIDIA A40',
        memoryTotalBytes: 46068 * MiB,
        memoryKind: 'dedicated',
        retiredPages: { singleBit: 2 },
        remappedRows: { pending: true },
      },
    ]);
  });

  it('keeps the reason where a value is missing', async () => {
    const { gpus, kind } = await parseSmi(lines('index, name, memory.free [MiB]', '0, NVIDIA A100, [Insufficient Permissions]'));
    expect(kind).toBe('ok');
    expect(gpus[0]).toMatchObject({ missing: { 'memory.free': 'Insufficient Permissions' }, problems: [{ code: 'gpu/cell-error' }] });
    expect(gpus[0]).not.toHaveProperty('memoryFreeBytes');
  });

  it.each([
    ['another unit', '97887 KiB'],
    ['no number', '97x87 MiB'],
    ['digits of another script', '\u0661\u0662 MiB'],
    ['more digits than there are', '99999999999999999999 MiB'],
    ['less than nothing', '-3 MiB'],
    ['half a unit', '97887 Mi'],
  ])('has no memory for %s', async (_, cell) => {
    const { gpus } = await parseSmi(lines('index, name, memory.total [MiB]', `0, NVIDIA L4, ${cell}`));
    expect(gpus).toMatchObject([{ index: 0, memoryKind: 'unknown' }]);
    expect(gpus[0]).not.toHaveProperty('memoryTotalBytes');
  });

  it('reads processes whose names hold commas, and whose GPU is told by its UUID', async () => {
    const { processes } = await parseSmi(lines('pid, process_name, used_gpu_memory [MiB], gpu_uuid', '7, python a, b, 10 MiB, GPU-1'));
    expect(processes).toEqual([{ pid: 7, name: 'python a, b', memoryUsedBytes: 10 * MiB, gpuUuid: 'GPU-1' }]);
  });

  it('knows machines that share their memory, by name or capability', async () => {
    const { gpus } = await parseSmi(
      lines('name, compute_cap, memory.total [MiB]', 'NVIDIA GB10, 12.1, [N/A]', 'NVIDIA GH200 480GB, 9.0, 97871 MiB'),
    );
    expect(gpus.map(({ memoryKind }) => memoryKind)).toEqual(['unified', 'dedicated']);
    expect(gpus[0]).not.toHaveProperty('memoryTotalBytes');
  });
});

describe('XML', () => {
  const wrap = (inner: string, doctype = '') => `<?xml version="1.0" ?>\n${doctype}<nvidia_smi_log>${inner}</nvidia_smi_log>\n`;

  it.each([
    ['an external entity', wrap('<gpu id="&x;"/>', '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'), 'the XML declares entities'],
    ['entities that grow', wrap('', '<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'), 'the XML declares entities'],
    ['deep nesting', wrap('<a>'.repeat(200_000)), 'the XML is nested deeper than 32 levels'],
  ])('refuses %s, and says why', async (_, text, why) => {
    const reading = await parseSmi(text);
    expect(reading).toMatchObject({ kind: 'error', errorKind: 'xml-refused', gpus: [], problems: [{ code: 'gpu/xml-refused' }] });
    const seen = toObservation(reading);
    expect(seen.is === 'silent' && toText(seen.evidence)).toBe(why);
  });

  it('expands no entity that it does not know, and reads none of what follows', async () => {
    const { gpus, kind } = await parseSmi(wrap('<gpu id="00000000:01:00.0"><product_name>&secret;</product_name><uuid>GPU-1</uuid></gpu>'));
    expect(kind).toBe('partial');
    expect(gpus[0]?.name).toBeUndefined();
  });

  it('is read after warnings, and before others', async () => {
    const { gpus, kind } = await parseSmi(`WARNING: infoROM is corrupted\n${readCapture('smi-42-xml-a10g.xml')}\nWARNING: again\n`);
    expect(kind).toBe('ok');
    expect(gpus).toHaveLength(1);
  });

  it('adds the parts of a count, and only when all of them were printed', async () => {
    const gpu = '<gpu id="00000000:01:00.0"><ecc_errors><volatile><sram_uncorrectable>1</sram_uncorrectable>';
    const whole = `${gpu}<dram_uncorrectable>2</dram_uncorrectable></volatile></ecc_errors></gpu>`;
    expect((await parseSmi(wrap(whole))).gpus[0]?.eccErrors).toEqual({ uncorrectedVolatile: 3 });
    expect((await parseSmi(`<nvidia_smi_log>${gpu}`)).gpus[0]?.eccErrors).toBeUndefined();
  });

  it('tells what is about health', async () => {
    const { gpus } = await parseSmi(readCapture('smi-41-xml-a100-sxm4-v12.xml'));
    expect(gpus[0]).toMatchObject({
      ecc: true,
      eccErrors: { uncorrectedVolatile: 0 },
      throttleReasons: [],
      pcie: { generation: 4, generationMax: 4, width: 16, widthMax: 16 },
      clocks: { graphicsMhz: 1275, memoryMhz: 1593, graphicsMaxMhz: 1410 },
    });
    const idle = await parseSmi(readCapture('smi-52-xml-tesla-t4.xml'));
    expect(idle.gpus[0]?.retiredPages).toEqual({ singleBit: 0, doubleBit: 0, pending: false });
  });

  it('says that a GPU wants a reset', async () => {
    const { gpus, kind, errorKind } = await parseSmi(
      wrap(
        '<gpu id="00000000:01:00.0"><product_name>A</product_name><gpu_reset_status><reset_required>Yes</reset_required></gpu_reset_status></gpu>',
      ),
    );
    expect([kind, errorKind, gpus[0]?.problems?.[0]?.code]).toEqual(['partial', 'gpu-requires-reset', 'gpu/requires-reset']);
  });
});

describe('-q', () => {
  it('lists processes, with those of MPS, and has no memory where Windows hides it', async () => {
    const { processes } = await parseSmi(
      lines(
        '==============NVSMI LOG==============',
        'GPU 00000000:01:00.0',
        '    Product Name                          : Tesla T4',
        '    Processes',
        '        GPU instance ID                   : N/A',
        '        Compute instance ID               : N/A',
        '        Process ID                        : 25384',
        '            Type                          : M+C',
        '            Name                          : nvidia-cuda-mps-server',
        '            Used GPU Memory               : 26 MiB',
        '        GPU instance ID                   : 1',
        '        Compute instance ID               : 0',
        '        Process ID                        : 924',
        '            Type                          : C+G',
        '            Name                          : Insufficient Permissions',
        '            Used GPU Memory               : Not available in WDDM driver model',
      ),
    );
    expect(processes).toEqual([
      { gpu: 0, pid: 25384, type: 'M+C', name: 'nvidia-cuda-mps-server', memoryUsedBytes: 26 * MiB },
      { gpu: 0, pid: 924, type: 'C+G', instance: 1, computeInstance: 0 },
    ]);
  });

  it('tells throttling, fabric and errors of an H100', async () => {
    const { gpus } = await parseSmi(readCapture('smi-53-q-h100-idle-query-q.txt'));
    expect(gpus[0]).toMatchObject({
      throttleReasons: ['gpu_idle'],
      fabricState: 'Completed',
      eccErrors: { uncorrectedVolatile: 0 },
      remappedRows: { correctable: 0, uncorrectable: 0, pending: false, failure: false },
      processes: [],
    });
  });
});

describe('other outputs', () => {
  it('reads topologies whose header is underlined, and a GPU that has its own node', async () => {
    const text =
      '\t\u001b[4mGPU0\tGPU1\tCPU Affinity\tNUMA Affinity\tGPU NUMA ID\u001b[0m\nGPU0\t X \tNV18\t0-71\t0\t\t4\nGPU1\tNV18\t X \t72-143\t1\t\t12\n';
    const { links, dialect } = await parseSmi(text);
    expect(dialect).toBe('topology');
    expect(links).toEqual([
      { index: 0, links: { GPU0: 'X', GPU1: 'NV18' }, cpuAffinity: '0-71', numaAffinity: '0', gpuNumaId: '4' },
      { index: 1, links: { GPU0: 'NV18', GPU1: 'X' }, cpuAffinity: '72-143', numaAffinity: '1', gpuNumaId: '12' },
    ]);
  });

  it('reads versions by their old names and by their new ones', async () => {
    const old = lines(
      'NVIDIA-SMI version  : 580.82.07',
      'NVML version        : 580.95',
      'DRIVER version      : 581.42',
      'CUDA Version        : 13.0',
    );
    expect(await parseSmi(old)).toMatchObject({
      kind: 'ok',
      smiVersion: '580.82.07',
      nvmlVersion: '580.95',
      driverVersion: '581.42',
      cudaVersion: '13.0',
    });
    const renamed = lines(
      'NVIDIA-SMI version  : 610.62',
      'DRIVER version      : Deprecated, see "KMD version" instead',
      'CUDA version        : Deprecated, see "CUDA UMD version" instead',
      'KMD version         : 610.62',
      'CUDA UMD version    : 13.3',
    );
    expect(await parseSmi(renamed)).toMatchObject({
      driverVersion: '610.62',
      cudaVersion: '13.3',
      kmdVersion: '610.62',
      umdVersion: '13.3',
    });
  });

  it('reads slices by the names that older drivers gave them', async () => {
    const { gpus } = await parseSmi(
      lines('GPU 0: NVIDIA A100 (UUID: GPU-1)', '  MIG 1g.10gb+me  Device  3: (UUID: MIG-GPU-1/7/0)', 'GPU 1: NVIDIA A100 (UUID: GPU-2)'),
    );
    expect(gpus).toEqual([
      {
        index: 0,
        name: 'NVIDIA A100',
        uuid: 'GPU-1',
        mig: { enabled: true, devices: [{ index: 3, profile: '1g.10gb+me', uuid: 'MIG-GPU-1/7/0' }] },
      },
      { index: 1, name: 'NVIDIA A100', uuid: 'GPU-2' },
    ]);
  });

  it('reads a table whose words were translated, as far as its figures go', async () => {
    const { gpus, kind } = await parseSmi(
      readCapture('smi-01-quadro-p400-535.txt').replaceAll('Driver Version', 'Treiberversion').replace('Default', 'Standard'),
    );
    expect(kind).toBe('ok');
    expect(gpus[0]).toMatchObject({ memoryTotalBytes: 2048 * MiB });
    expect(gpus[0]).not.toHaveProperty('computeMode');
  });

  it('reads a table of sixteen, some of them broken', async () => {
    const row = (index: number, rest: string) => [
      `|  ${String(index).padStart(2)}  NVIDIA H200                    On  |   00000000:${(index + 16).toString(16).toUpperCase()}:00.0 Off |                    0 |`,
      rest,
      '+-----------------------------------------+------------------------+----------------------+',
    ];
    const good = '| N/A   30C    P0             75W /  700W |       4MiB / 143771MiB |      0%   E. Process |';
    const bad = '|ERR!  ERR! ERR!            ERR! / ERR! |           Unknown Error |     ERR!         ERR! |';
    const text = lines(...Array.from({ length: 16 }, (_, index) => row(index, index === 9 ? bad : good)).flat());
    const { gpus, kind } = await parseSmi(text);
    expect(kind).toBe('partial');
    expect(gpus.map(({ index }) => index)).toEqual(Array.from({ length: 16 }, (_, index) => index));
    expect(gpus[3]).toMatchObject({ memoryTotalBytes: 143771 * MiB, computeMode: 'Exclusive_Process' });
    expect(gpus[9]).not.toHaveProperty('memoryTotalBytes');
    expect(gpus[9]?.problems?.map(({ severity }) => severity)).toContain('error');
  });

  it('has no kind of output for what is none of nvidia-smi', async () => {
    expect(await parseSmi('total 8\ndrwxr-xr-x 2 root root 4096 .\n')).toMatchObject({ kind: 'error', errorKind: 'unreadable', gpus: [] });
    expect(await parseSmi('')).toMatchObject({ kind: 'error', errorKind: 'unreadable', gpus: [] });
    expect(await parseSmi('\u0000\u0001\u0002ELF'.repeat(100))).toMatchObject({ kind: 'error', errorKind: 'binary', gpus: [] });
    expect(await parseSmi('x'.repeat(10 * MiB))).toMatchObject({ kind: 'error', errorKind: 'too-long', gpus: [] });
  });

  it.each([
    [9, 'driver-not-loaded'],
    [12, 'nvml-library-not-found'],
    [18, 'driver-library-mismatch'],
    [255, 'unreadable'],
  ])('goes by status %i where words fail', async (exitCode, errorKind) => {
    expect(await parseSmi('', { exitCode })).toMatchObject({ kind: 'error', errorKind });
  });
});

describe('toObservation', () => {
  it.each([
    ['No devices were found\n', 'absent', 'nvidia-smi says "No devices were found"'],
    [readCapture('smi-35-no-driver-615.txt'), 'silent', "couldn't communicate with the NVIDIA driver"],
    [readCapture('smi-39-bash-command-not-found.txt'), 'silent', 'nvidia-smi is not installed'],
    [readCapture('smi-25-csv-gpu-requires-reset.txt'), 'silent', 'the output names no GPU'],
    ['hello\n', 'silent', 'the output is none of nvidia-smi'],
  ])('of another machine: %#', async (text, is, words) => {
    const seen = toObservation(await parseSmi(text));
    expect(seen.is).toBe(is);
    expect(seen.is !== 'present' && toText(seen.evidence)).toContain(words);
  });

  it('has the GPUs, the driver, and what was wrong with the rest', async () => {
    const header = 'index, name, driver_version, memory.total [MiB]';
    const seen = toObservation(
      await parseSmi(
        lines(header, '0, NVIDIA L4, 580.95.05, 23034 MiB', 'Unable to determine the device handle for GPU0000:02:00.0: Unknown Error'),
      ),
    );
    expect(seen).toMatchObject({
      is: 'present',
      driverVersion: '580.95.05',
      gpus: [{ name: 'NVIDIA L4' }],
      problems: [{ code: 'gpu/unreachable' }],
    });
  });
});

describe('parseXids', () => {
  it('finds each fault with its GPU, and no other line', () => {
    const text = lines(
      '[12.5] NVRM: Xid (PCI:0000:34:00): 79, pid=1, GPU has fallen off the bus.',
      'Nov 21 10:00:00 host kernel: NVRM: Xid (PCI:0000:34:00): 154, GPU recovery action changed from 0x0 (None) to 0x2 (Node Reboot Required)',
      'NVRM: GPU 0000:34:00.0: GPU has fallen off the bus.',
    );
    expect(parseXids(text).map(({ busId, xid }) => [busId, xid])).toEqual([
      ['0000:34:00', 79],
      ['0000:34:00', 154],
    ]);
    expect(parseXids('')).toEqual([]);
  });
});
