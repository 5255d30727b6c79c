import { expect, it } from 'vitest';
import { xidMeanings } from '../../src/gpu/xid-meanings.ts';
import { l4 } from '../plan/stand-ins.ts';
import { askGpu, like, type Question, tableOf } from './ask-gpu.ts';

const one = (parts: Parameters<typeof like>[0]): Question => ({ gpus: [l4, like({ index: 1, ...parts })] });

tableOf('gpu.recovery', [
  ['nothing', one({ recoveryAction: 'None' }), 'pass', /asks for nothing/],
  ['a reset', one({ recoveryAction: 'Reset' }), 'fail', /GPU 1 .*: Reset$/, /reset/],
  ['a reboot', one({ recoveryAction: 'Reboot' }), 'fail', /Reboot/, /reboot/],
  ['another one', one({ recoveryAction: 'Drain P2P' }), 'fail', /Drain P2P/],
  ['not told', {}, 'skip', /does not say/],
]);

tableOf('gpu.ecc', [
  [
    'clean',
    one({ ecc: true, eccErrors: { uncorrectedVolatile: 0 }, remappedRows: { pending: false, failure: false } }),
    'pass',
    /no uncorrected/,
  ],
  ['uncorrected', one({ eccErrors: { uncorrectedVolatile: 2 } }), 'fail', /GPU 1: ecc\.errors\.uncorrected\.volatile 2/, /wrong/],
  ['a remapping that failed', one({ remappedRows: { failure: true, pending: true } }), 'fail', /remapped_rows\.failure/],
  ['one that is pending', one({ remappedRows: { pending: true } }), 'warn', /remapped_rows\.pending/, /reboot/],
  ['pages retired', one({ retiredPages: { doubleBit: 1, pending: false } }), 'warn', /retired_pages\.double_bit 1/],
  [
    'repaired and nothing left to do',
    one({ remappedRows: { correctable: 3, uncorrectable: 0, pending: false, failure: false } }),
    'pass',
    /no uncorrected/,
  ],
  ['switched off', one({ ecc: false }), 'pass', /switched off/],
  ['cannot count', {}, 'skip', /does not count/],
]);

tableOf('gpu.throttling', [
  ['none', one({ throttleReasons: [] }), 'pass', /nothing slows/],
  ['idle and its power limit', one({ throttleReasons: ['gpu_idle', 'sw_power_cap'] }), 'pass', /nothing slows/],
  ['heat', one({ throttleReasons: ['hw_slowdown', 'hw_thermal_slowdown'] }), 'warn', /GPU 1 .*hw_thermal_slowdown/, /hot/],
  ['power', one({ throttleReasons: ['hw_power_brake_slowdown'] }), 'warn', /power_brake/, /supply/],
  ['who knows', one({ throttleReasons: ['hw_slowdown'] }), 'warn', /hw_slowdown/, /PERFORMANCE/],
  ['not told', {}, 'skip', /does not say/],
]);

tableOf('gpu.temperature', [
  ['at work', one({ temperatureC: 71 }), 'pass', /71 °C/],
  ['the hottest counts', { gpus: [like({ temperatureC: 40 }), like({ index: 1, temperatureC: 91 })] }, 'warn', /GPU 1 .*91 °C/, /air flow/],
  ['not told', {}, 'skip', /does not say/],
]);

tableOf('gpu.fabric', [
  ['ready', one({ fabricState: 'Completed' }), 'pass', /ready/],
  ['not ready', one({ fabricState: 'In Progress' }), 'fail', /In Progress.*802/, /fabric manager/],
  ['there is none', {}, 'skip', /no NVSwitch/],
]);

tableOf('gpu.pcie', [
  ['all lanes', one({ pcie: { width: 16, widthMax: 16, generation: 1, generationMax: 4 } }), 'pass', /x16/],
  ['half of them', one({ pcie: { width: 8, widthMax: 16 } }), 'warn', /GPU 1 .*x8 of x16/, /Loading/],
  [
    'half of them, and two work together',
    { gpus: [l4, like({ index: 1, pcie: { width: 4, widthMax: 16 } })], profile: 'tp2' },
    'warn',
    /x4/,
    /after every layer/,
  ],
  ['not told', one({ pcie: { generation: 3 } }), 'skip', /does not say/],
]);

tableOf('gpu.persistence', [
  ['on', one({ persistence: true }), 'pass', /stays loaded/],
  ['off', one({ persistence: false }), 'pass', /GPU 1.*longer/],
  ['not told', {}, 'skip', /does not say/],
]);

it('gpu.persistence names the command', async () => {
  expect((await askGpu('gpu.persistence', one({ persistence: false }))).fix).toEqual({
    is: 'command',
    command: 'sudo nvidia-smi -i 1 -pm 1',
  });
});

const lost = "[ 12.3] NVRM: Xid (PCI:0000:01:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.";
const fault = '[ 12.3] NVRM: Xid (PCI:0000:02:00): 31, pid=4242, name=python3, Ch 00000008, MMU Fault';
const recovered = '[ 12.3] NVRM: Xid (PCI:0000:01:00): 154, GPU recovery action changed from 0x1 (GPU Reset Required) to 0x0 (None)';
const dmesg = (stdout: string): Question => ({ programs: { dmesg: { stdout } }, gpus: [like({ busId: '00000000:01:00.0' })] });
const denied = {
  dmesg: { code: 1, stderr: 'dmesg: read kernel buffer failed: Operation not permitted' },
  journalctl: { code: 0, stdout: '' },
};

tableOf('gpu.xid', [
  ['none', dmesg('[ 0.0] Linux version 6.8\n'), 'pass', /no Xid in the kernel log that dmesg shows/],
  ['fell off the bus', dmesg(`${fault}\n${lost}\n`), 'fail', /Xid 79 on GPU 0 \(GPU has fallen off the bus\); 2/, /reboot/],
  ['a program', dmesg(fault), 'warn', /Xid 31 on 0000:02:00 \(GPU memory page fault\); 1/, /program/],
  ['over by now', dmesg(recovered), 'pass', /154.*nothing to do/],
  ['in the journal', { programs: { ...denied, journalctl: { stdout: lost } } }, 'fail', /Xid 79/],
  ['in a file', { programs: denied, files: { '/var/log/kern.log': `${lost}\n` } }, 'fail', /Xid 79/],
  ['a number that nobody knows', dmesg('NVRM: Xid (PCI:0000:01:00): 999, what'), 'warn', /Xid 999/],
  ['not to be read', { programs: denied }, 'skip', /could not read the kernel log/],
  ['GPUs of another machine', { ...dmesg(lost), gpusFromFile: true }, 'skip', /another machine/],
]);

it('gpu.xid says what it tried, and never that there are none', async () => {
  const answer = await askGpu('gpu.xid', { programs: denied });
  expect(answer.message).not.toMatch(/no Xid/);
  expect(answer.evidence).toEqual([
    'dmesg: dmesg: read kernel buffer failed: Operation not permitted',
    'journalctl: exit 0',
    '/var/log/kern.log: ENOENT',
    '/var/log/messages: ENOENT',
  ]);
});

it('knows each Xid once', () => {
  expect(new Set(xidMeanings.map(({ xid }) => xid)).size).toBe(xidMeanings.length);
});
