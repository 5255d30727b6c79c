import { access, chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type ObserveGpusOptions, observeGpus } from '../../src/gpu/query.ts';
import { toText } from '../../src/text/render.ts';
import { readCapture } from './captures.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'gpu-'));
  await mkdir(join(root, 'bin'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(root, { recursive: true, force: true });
});

async function put(path: string, text = ''): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
}

/** A stand-in for nvidia-smi: a shell script that sees the arguments as `$*`. */
async function putSmi(script: string, path = 'bin/nvidia-smi'): Promise<void> {
  await put(path);
  await writeFile(join(root, path), `#!/bin/sh\n${script}\n`);
  await chmod(join(root, path), 0o755);
}

const observe = (timeoutMs = 5000, options: ObserveGpusOptions = {}) =>
  observeGpus({ PATH: `${join(root, 'bin')}:/bin:/usr/bin` }, { root, timeoutMs, ...options });
const header = 'index, uuid, name, memory.total [MiB], memory.used [MiB], memory.free [MiB], driver_version';

describe('observeGpus', () => {
  it('reports the GPUs, the driver and the newest CUDA that it runs', async () => {
    await putSmi(
      `case "$*" in *query*) echo "${header}, compute_cap"; echo "0, GPU-a, NVIDIA L4, 23034 MiB, 4 MiB, 22559 MiB, 580.95.05, 8.9";; *) echo "| NVIDIA-SMI 580.95.05  CUDA Version: 13.0 |";; esac`,
    );
    expect(await observe()).toMatchObject({
      is: 'present',
      driverVersion: '580.95.05',
      cudaVersion: '13.0',
      gpus: [{ index: 0, uuid: 'GPU-a', name: 'NVIDIA L4', computeCapability: '8.9', memoryFreeBytes: 22559 * 2 ** 20 }],
    });
  });

  it('asks an old driver again without the field that it does not know', async () => {
    await putSmi(
      `case "$*" in *compute_cap*) echo 'Field "compute_cap" is not a valid field to query.'; exit 2;; *query*) echo "${header}"; echo "0, GPU-a, Tesla T4, 15109 MiB, 0 MiB, 15109 MiB, 470.256";; esac`,
    );
    expect(await observe()).toMatchObject({ is: 'present', gpus: [{ name: 'Tesla T4' }] });
  });

  it('finds no GPU where nothing speaks for one', async () => {
    const found = await observe();
    expect(found.is).toBe('absent');
    expect(found.is === 'absent' && toText(found.evidence)).toBe('nvidia-smi is not installed');
  });

  it.each([
    ['device files', ['dev/nvidia0', 'dev/nvidiactl'], ['/dev/nvidia0', '/dev/nvidiactl']],
    ['the driver', ['proc/driver/nvidia/version'], ['/proc/driver/nvidia']],
    ['the module', ['sys/module/nvidia/refcnt'], ['/sys/module/nvidia']],
  ])('takes %s for a GPU that does not answer', async (_, files, signs) => {
    for (const file of files) await put(file);
    expect(await observe()).toMatchObject({ is: 'silent', signs });
  });

  it('knows an NVIDIA display function from other devices of the bus', async () => {
    await put('sys/bus/pci/devices/0000:01:00.0/vendor', '0x10de\n');
    await put('sys/bus/pci/devices/0000:01:00.0/class', '0x030200\n');
    await put('sys/bus/pci/devices/0000:01:00.1/vendor', '0x10de\n');
    await put('sys/bus/pci/devices/0000:01:00.1/class', '0x040300\n');
    await put('sys/bus/pci/devices/0000:00:02.0/vendor', '0x8086\n');
    await put('sys/bus/pci/devices/0000:00:02.0/class', '0x030000\n');
    expect(await observe()).toMatchObject({ is: 'silent', signs: ['PCI 0000:01:00.0'] });
  });

  it.each([
    [
      'an error',
      'echo "NVIDIA-SMI has failed because it couldn\'t communicate with the NVIDIA driver."; exit 9',
      "couldn't communicate with the NVIDIA driver",
    ],
    ['silence', 'exit 255', 'failed (255) and said nothing'],
    ['a failed GPU', 'echo "Unable to determine the device handle for GPU0000:02:00.0: Unknown Error"; exit 15', 'Unable to determine'],
  ])('never takes %s for "no GPU"', async (_, script, words) => {
    await putSmi(script);
    const found = await observe();
    expect(found.is).toBe('silent');
    expect(found.is === 'silent' && toText(found.evidence)).toContain(words);
  });

  it('gives up on one that hangs, and says so', async () => {
    await putSmi('exec sleep 30');
    const found = await observe(200);
    expect(found.is === 'silent' && found.evidence.id).toBe('gpu.smi-hangs');
  });

  it('believes "No devices were found" only where nothing else speaks for a GPU', async () => {
    await putSmi('echo "No devices were found"; exit 6');
    expect((await observe()).is).toBe('absent');
    await put('dev/nvidia0');
    expect((await observe()).is).toBe('silent');
  });

  it('finds the program that lies beside PATH under Windows', async () => {
    await putSmi(
      `echo "${header}, compute_cap"; echo "0, GPU-a, NVIDIA RTX 4090, 24564 MiB, 0 MiB, 24000 MiB, 581.15, 8.9"`,
      'usr/lib/wsl/lib/nvidia-smi',
    );
    expect((await observe()).is).toBe('present');
  });
});

describe('an nvidia-smi that misbehaves', () => {
  it('is killed when it ignores the gentle way, and does not make anybody wait', async () => {
    await putSmi(`trap '' TERM INT; echo $$ > ${root}/pid; while :; do sleep 0.05; done`);
    const started = performance.now();
    const found = await observe(600);
    expect(performance.now() - started).toBeLessThan(1200);
    expect(found.is === 'silent' && toText(found.evidence)).toBe('nvidia-smi did not answer within 1 s');
    const pid = Number(await readFile(join(root, 'pid'), 'utf8'));
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow(), { timeout: 4000, interval: 50 });
  });

  it('that hangs later leaves what was said until then', async () => {
    await putSmi(
      `case "$*" in *name*) echo "${header}"; echo "0, GPU-a, NVIDIA L4, 23034 MiB, 4 MiB, 22559 MiB, 580.95.05";; *) exec sleep 30;; esac`,
    );
    const found = await observe(600);
    expect(found).toMatchObject({ is: 'present', gpus: [{ name: 'NVIDIA L4' }], problems: [{ code: 'gpu/smi-stopped' }] });
  });

  it.each([
    ['status 9', 'exit 9', 'failed (9) and said nothing'],
    ['status 18', 'exit 18', 'failed (18) and said nothing'],
    ['words on the other stream', 'echo "cannot open shared object file" >&2; exit 127', 'cannot open shared object file'],
    ['ten megabytes', 'head -c 10485760 /dev/zero | tr "\\0" x', 'nvidia-smi printed more than 4'],
    ['what is no text', 'head -c 4096 /dev/urandom', 'nvidia-smi printed what is no text'],
    ['a death', 'kill -SEGV $$', 'SIGSEGV'],
  ])('is silent with %s', async (_, script, words) => {
    await putSmi(script);
    const found = await observe();
    expect(found.is).toBe('silent');
    expect(found.is === 'silent' && toText(found.evidence)).toContain(words);
  });

  it('is silent when it may not be run, or its interpreter is gone', async () => {
    await put('bin/nvidia-smi');
    const found = await observe();
    expect(found.is === 'silent' && toText(found.evidence)).toBe(`${join(root, 'bin/nvidia-smi')} is there, and may not be run`);
    await writeFile(join(root, 'bin/nvidia-smi'), '#!/no/such/shell\n');
    await chmod(join(root, 'bin/nvidia-smi'), 0o755);
    expect((await observe()).is).toBe('silent');
  });

  it('of somebody else is run by its own path, and said', async () => {
    await putSmi(`echo "${header}"; echo "0, GPU-a, NVIDIA L4, 23034 MiB, 4 MiB, 22559 MiB, 580.95.05"; echo "$0" >> ${root}/called`);
    const path = join(root, 'bin/nvidia-smi');
    if (process.getuid?.() === 0) await chown(path, 4242, 4242);
    else vi.spyOn(process, 'getuid').mockReturnValue(4242);
    expect(await observe()).toMatchObject({ is: 'present', problems: [{ code: 'gpu/foreign-smi', evidence: path }] });
    expect(new Set((await readFile(join(root, 'called'), 'utf8')).trim().split('\n'))).toEqual(new Set([path]));
  });

  it('is never run twice at a time, whoever asks', async () => {
    await putSmi(
      `mkdir ${root}/busy || echo 1 > ${root}/overlap; sleep 0.05; rmdir ${root}/busy; echo "${header}"; echo "0, GPU-a, NVIDIA L4, 1 MiB, 1 MiB, 1 MiB, 580.95.05"`,
    );
    const found = await Promise.all([observe(), observe(), observe()]);
    expect(found.map(({ is }) => is)).toEqual(['present', 'present', 'present']);
    await expect(access(join(root, 'overlap'))).rejects.toThrow();
  });

  it('is given up at once when nobody wants to know any more', async () => {
    await putSmi('exec sleep 30');
    const started = performance.now();
    const found = await observe(20_000, { signal: AbortSignal.timeout(100) });
    expect(found.is).toBe('silent');
    expect(performance.now() - started).toBeLessThan(3000);
  });
});

describe('GPUs that are not all well', () => {
  const lost = 'Unable to determine the device handle for GPU0000:02:00.0: Unknown Error';
  const rows = [
    '0, GPU-a, NVIDIA L4, 23034 MiB, 4 MiB, 22559 MiB, 580.95.05',
    '2, GPU-c, NVIDIA L4, 23034 MiB, 9 MiB, 22559 MiB, 580.95.05',
  ];

  it('are asked one by one when the joint question fails', async () => {
    await putSmi(`case "$*" in
      *name*-i*GPU-a) echo "${header}"; echo "${rows[0]}";;
      *name*-i*GPU-c) echo "${header}"; echo "${rows[1]}";;
      *compute_cap*-i*) echo "index, uuid, compute_cap"; echo "9, \${5:-$4}, 8.9";;
      -L) echo "GPU 0: NVIDIA L4 (UUID: GPU-a)"; echo "${lost}"; echo "GPU 2: NVIDIA L4 (UUID: GPU-c)";;
      *) echo "${lost}"; exit 15;; esac`);
    expect(await observe()).toMatchObject({
      is: 'present',
      gpus: [
        { index: 0, uuid: 'GPU-a', computeCapability: '8.9', memoryUsedBytes: 4 * 2 ** 20 },
        { index: 2, uuid: 'GPU-c', computeCapability: '8.9', memoryUsedBytes: 9 * 2 ** 20 },
      ],
      problems: [{ code: 'gpu/unreachable' }],
    });
  });

  it('are found by what the driver lists, when nvidia-smi lists none', async () => {
    await put('proc/driver/nvidia/gpus/0000:01:00.0/information');
    await putSmi(`case "$*" in *name*-i*0000:01:00.0) echo "${header}"; echo "${rows[0]}";; *) echo "${lost}"; exit 15;; esac`);
    expect(await observe()).toMatchObject({ is: 'present', gpus: [{ uuid: 'GPU-a' }] });
  });

  it('of an older driver have the fields that it knows', async () => {
    await putSmi(
      `case "$*" in *pcie*) echo 'Field "pcie.link.gen.current" is not a valid field to query.'; exit 2;; *compute_cap*) exit 2;; *query*) echo "${header}"; echo "${rows[0]}";; esac`,
    );
    expect(await observe()).toMatchObject({ is: 'present', gpus: [{ name: 'NVIDIA L4' }] });
  });
});

describe('depth', () => {
  const uuid = 'GPU-513536b6-7d19-9063-b049-1e69664bb298';

  async function putA100(xml: string): Promise<void> {
    await put('answer.xml', xml);
    await putSmi(`case "$*" in
      *compute_cap*) echo "index, uuid, compute_cap, memory.reserved [MiB]"; echo "3, ${uuid}, 8.0, 869 MiB";;
      *name*) echo "${header}"; echo "3, ${uuid}, NVIDIA A100-SXM4-80GB, 81920 MiB, 50 MiB, 80999 MiB, 535.54.03";;
      "-q -x") cat ${root}/answer.xml;;
      -L) echo "GPU 3: NVIDIA A100-SXM4-80GB (UUID: ${uuid})"; echo "  MIG 1g.20gb     Device  1: (UUID: MIG-1)";;
      *) echo "| NVIDIA-SMI 535.54.03   Driver Version: 535.54.03    CUDA Version: 12.2 |";; esac; echo "$*" >> ${root}/called`);
  }

  it('health has everything in four calls, put together by UUID', async () => {
    await putA100(readCapture('smi-41-xml-a100-sxm4-v12.xml'));
    const found = await observe(5000, { depth: 'health' });
    expect(found).toMatchObject({
      is: 'present',
      cudaVersion: '12.2',
      gpus: [
        {
          index: 3,
          computeCapability: '8.0',
          temperatureC: 27,
          throttleReasons: [],
          mig: {
            enabled: true,
            devices: [{ index: 0, instance: 3 }, { index: 1, instance: 4, profile: '1g.20gb', uuid: 'MIG-1' }, {}, {}],
          },
        },
      ],
    });
    expect((await readFile(join(root, 'called'), 'utf8')).trim().split('\n')).toHaveLength(4);
  });

  it('health does without the XML where it is refused', async () => {
    await putA100('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><nvidia_smi_log/>');
    expect(await observe(5000, { depth: 'health' })).toMatchObject({
      is: 'present',
      cudaVersion: '12.2',
      gpus: [{ computeCapability: '8.0' }],
    });
  });

  it('plan has slices and processes by the table, and its own name', async () => {
    await put('table.txt', readCapture('smi-13-8x-l40s-565-vllm-tp8.txt'));
    await putSmi(
      `case "$*" in *name*) echo "index, name, pci.bus_id, memory.total [MiB]"; echo "1, NVIDIA L40S, 00000000:52:00.0, 46068 MiB";; *query*) exit 2;; *) cat ${root}/table.txt;; esac`,
    );
    expect(await observe()).toMatchObject({
      is: 'present',
      cudaVersion: '12.7',
      gpus: [{ index: 1, name: 'NVIDIA L40S', processes: [{ pid: 2079, name: 'VLLM::Worker_TP1_EP1' }] }],
    });
  });
});
