/** Faults that the NVIDIA driver writes into the kernel's log. */
import type { Xid } from './smi/reading.ts';

/** Every Xid of a kernel log (`dmesg`, `journalctl -k`), in its order. */
export function parseXids(text: string): readonly Xid[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const found = /NVRM: Xid \(PCI:([0-9A-Fa-f]{4,8}:[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}(?:\.\d)?)\): (\d{1,4}),/.exec(line);
    const [, busId, xid] = found ?? [];
    return busId === undefined ? [] : [{ busId, xid: Number(xid), line: line.trim() }];
  });
}
