import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { observeCpuPlaces, observeGpuPlaces, toSysfsBusId } from '../../src/gpu/sysfs.ts';
import { readCapture } from './captures.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'places-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function put(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

const device = (slot: string, files: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(files).map(([name, text]) => [`sys/bus/pci/devices/${slot}/${name}`, `${text}\n`]));

it('knows where each GPU sits and how it is connected', async () => {
  await put({
    ...device('0000:4f:00.0', {
      vendor: '0x10de',
      class: '0x030200',
      numa_node: '1',
      local_cpulist: '14-27,42-55',
      current_link_speed: '2.5 GT/s PCIe',
      current_link_width: '8',
      max_link_speed: '16.0 GT/s PCIe',
      max_link_width: '16',
    }),
    ...device('0000:4f:00.1', { vendor: '0x10de', class: '0x040300', numa_node: '1' }),
    ...device('0000:00:02.0', { vendor: '0x8086', class: '0x030000' }),
    'proc/driver/nvidia/version': readCapture('smi-24-proc-driver-version-open.txt'),
  });
  expect(await observeGpuPlaces(root)).toEqual({
    places: [
      {
        busId: '0000:4f:00.0',
        numaNode: 1,
        localCpus: '14-27,42-55',
        link: { speed: '2.5 GT/s PCIe', generation: 1, width: 8 },
        linkMax: { speed: '16.0 GT/s PCIe', generation: 4, width: 16 },
      },
    ],
    driverVersion: '580.178.04',
    openKernelModule: true,
  });
});

it('leaves out what a virtual machine hides', async () => {
  const hidden = {
    numa_node: '-1',
    current_link_speed: 'Unknown',
    current_link_width: '0',
    max_link_speed: '5 GT/s',
    max_link_width: '63',
  };
  await put({
    ...device('000f:01:00.0', { vendor: '0x10de', class: '0x030000', ...hidden }),
    'proc/driver/nvidia/version':
      'NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.146.02  Sun Dec  3 14:06:45 UTC 2023\nGCC version:  gcc version 12\n',
  });
  expect(await observeGpuPlaces(root)).toEqual({
    places: [{ busId: '000f:01:00.0', linkMax: { speed: '5 GT/s', generation: 2 } }],
    driverVersion: '535.146.02',
    openKernelModule: false,
  });
});

it('knows which CPUs are near a GPU, by the address that nvidia-smi prints', async () => {
  await put({
    ...device('0000:4f:00.0', { numa_node: '1', local_cpulist: '14-27,42-55' }),
    ...device('0000:50:00.0', { numa_node: '-1', local_cpulist: '0-55' }),
    ...device('0000:51:00.0', { numa_node: '0', local_cpulist: '' }),
    ...device('0000:52:00.0', { numa_node: '0' }),
    'sys/devices/system/cpu/online': '0-55\n',
  });
  const asked = ['00000000:4F:00.0', '00000000:50:00.0', '00000000:51:00.0', '00000000:52:00.0', '00000000:53:00.0', '../..'];
  expect(await observeCpuPlaces(asked, root)).toEqual({
    online: '0-55',
    gpus: [{ busId: '00000000:4F:00.0', node: 1, cpus: '14-27,42-55' }],
  });
});

it('has nothing to say where there is nothing to read', async () => {
  expect(await observeCpuPlaces(['00000000:4F:00.0'], root)).toEqual({ gpus: [] });
  expect(await observeGpuPlaces(root)).toEqual({ places: [] });
  await put({ 'proc/driver/nvidia/version': 'something else\n' });
  // An entry that is a directory is as unreadable as one that is forbidden.
  await mkdir(join(root, 'sys/bus/pci/devices/0000:01:00.0/vendor'), { recursive: true });
  expect(await observeGpuPlaces(root)).toEqual({ places: [] });
});

it.each([
  ['00000000:4F:00.0', '0000:4f:00.0'],
  ['0000000F:01:00.0', '000f:01:00.0'],
  ['00010000:01:00.0', '10000:01:00.0'],
  ['0000:00:05.0', '0000:00:05.0'],
  ['N/A', undefined],
])('%s is %s in /sys', (printed, expected) => {
  expect(toSysfsBusId(printed)).toBe(expected);
});
