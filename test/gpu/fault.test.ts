import { describe, expect, it } from 'vitest';
import { chooseFault, toLastXid } from '../../src/gpu/fault.ts';
import { readCapture } from './captures.ts';

const line = (xid: number, text = '', bus = '0000:01:00') => `[ 12.${xid}] NVRM: Xid (PCI:${bus}): ${xid}, ${text}`;
const own = ['00000000:01:00.0'];
const choose = (lines: readonly string[], after = '') => chooseFault(lines.join('\n'), { after, busIds: own });

describe('chooseFault', () => {
  it.each<[string, readonly string[], number | undefined, string?]>([
    ['nothing', ['[ 1.0] Linux'], undefined],
    ['a page fault', [line(31)], 31, 'program'],
    ['a fault that needs a reset', [line(48)], 48, 'reset'],
    ['the gravest, whichever came first', [line(31), line(79), line(48), line(45)], 79, 'reboot'],
    ['those of other GPUs do not count', [line(79, '', '0000:99:00'), line(31)], 31, 'program'],
    ['what NVIDIA asks nobody to act on', [line(63)], undefined],
    ['one that is not known', [line(999)], undefined],
    ['154 says what it means', [line(154, 'GPU recovery action changed from 0x0 (None) to 0x2 (Node Reboot Required)')], 154, 'reboot'],
    ['154, a reset', [line(154, 'GPU recovery action changed from 0x0 (None) to 0x1 (GPU Reset Required)')], 154, 'reset'],
    ['154, over', [line(154, 'GPU recovery action changed from 0x1 (GPU Reset Required) to 0x0 (None)')], undefined],
  ])('%s', (_, lines, xid, remedy) => {
    const fault = choose(lines);
    expect([fault?.xid, fault?.remedy]).toEqual([xid, remedy]);
  });

  it('leaves out what was there before the launch, and takes all where that has left the log', () => {
    const old = line(79, 'of yesterday');
    expect(choose([old, line(31)], toLastXid(old))?.xid).toBe(31);
    expect(choose([old], toLastXid(old))).toBeUndefined();
    expect(choose([line(31)], toLastXid(old))?.xid).toBe(31);
  });

  it('reads what a driver wrote', () => {
    const log = readCapture('smi-29-dmesg-xid-79.txt');
    expect(chooseFault(log, { after: '', busIds: own })).toMatchObject({ xid: 79, remedy: 'reboot', busId: '0000:01:00' });
  });
});
