import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { observeGpus } from '../../src/gpu/query.ts';
import { toText } from '../../src/text/render.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'gpu-'));
  await mkdir(join(root, 'bin'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

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

const observe = (timeoutMs = 5000) => observeGpus({ PATH: `${join(root, 'bin')}:/bin:/usr/bin` }, { root, timeoutMs });
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
