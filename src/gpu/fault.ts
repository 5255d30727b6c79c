/** Faults that the kernel logged during a launch → the one that says what is to be done. Pure. */
import type { Xid } from './smi/reading.ts';
import { toSysfsBusId } from './sysfs.ts';
import { parseXids } from './xid.ts';
import { xidMeanings } from './xid-meanings.ts';

/** `program`: over with the process that it hit. The others need somebody's hand before anything runs on it again. */
export interface GpuFault {
  readonly xid: number;
  readonly busId: string;
  readonly remedy: 'program' | 'reset' | 'reboot';
  readonly line: string;
}

/** Gravest first. */
const order = ['reboot', 'reset', 'program'] as const;

/**
 * The gravest fault of these GPUs that came after a line. `after`: the last fault that was known; empty: there was
 * none. Where it has left the log since, all that is in the log came later.
 */
export function chooseFault(log: string, { after, busIds }: { readonly after: string; readonly busIds: readonly string[] }) {
  const xids = parseXids(log);
  const fresh = xids.slice(xids.findLastIndex(({ line }) => line === after) + 1);
  const faults = fresh.filter(({ busId }) => busIds.some((own) => isSame(own, busId))).flatMap(toFault);
  return faults.toSorted((one, other) => order.indexOf(one.remedy) - order.indexOf(other.remedy))[0];
}

/** The line that a later look begins after. */
export function toLastXid(log: string): string {
  return parseXids(log).at(-1)?.line ?? '';
}

function toFault({ xid, busId, line }: Xid): readonly GpuFault[] {
  const remedy = xid === 154 ? toAction(line) : xidMeanings.find((meaning) => meaning.xid === xid)?.remedy;
  return remedy === 'program' || remedy === 'reset' || remedy === 'reboot' ? [{ xid, busId, remedy, line }] : [];
}

/** 154 tells what has to be done from now on, which may be nothing. */
function toAction(line: string): GpuFault['remedy'] | undefined {
  const action = /\bto 0x\d+ \(([^)]*)\)/.exec(line)?.[1] ?? '';
  if (/reboot/i.test(action)) return 'reboot';
  return /reset/i.test(action) ? 'reset' : undefined;
}

/** nvidia-smi writes eight digits of the domain and a function, the kernel four and sometimes none. */
function isSame(busId: string, logged: string): boolean {
  return toSysfsBusId(busId)?.startsWith(logged.toLowerCase()) === true;
}
