/**
 * What the kernel's Xid numbers mean for an engine, as data: NVIDIA's Xid catalogue, shortened to what is to be done.
 * A number that is not here is shown as it is.
 */

/**
 * `program`: the fault of a program, over when that has ended. `reset`: the GPU works again after a reset or a reboot.
 * `reboot`: only the machine's restart helps. `hardware`: it will come back; have it looked at. `note`: nothing to do.
 */
export type XidRemedy = 'program' | 'reset' | 'reboot' | 'hardware' | 'note';

export interface XidMeaning {
  readonly xid: number;
  /** As NVIDIA names it, to search for. */
  readonly title: string;
  readonly remedy: XidRemedy;
}

export const xidMeanings: readonly XidMeaning[] = [
  { xid: 8, title: 'GPU stopped processing', remedy: 'program' },
  { xid: 13, title: 'graphics engine exception', remedy: 'program' },
  { xid: 31, title: 'GPU memory page fault', remedy: 'program' },
  { xid: 32, title: 'invalid or corrupted push buffer', remedy: 'program' },
  { xid: 38, title: 'driver firmware error', remedy: 'reset' },
  { xid: 43, title: 'GPU stopped processing', remedy: 'program' },
  { xid: 45, title: 'preemptive cleanup after an earlier error', remedy: 'program' },
  { xid: 46, title: 'GPU stopped processing, timeout', remedy: 'reset' },
  { xid: 48, title: 'double bit ECC error', remedy: 'reset' },
  { xid: 54, title: 'auxiliary power is not connected', remedy: 'hardware' },
  { xid: 61, title: 'internal micro-controller breakpoint', remedy: 'reset' },
  { xid: 62, title: 'internal micro-controller halt', remedy: 'reset' },
  { xid: 63, title: 'ECC page retirement or row remapping recorded', remedy: 'note' },
  { xid: 64, title: 'ECC page retirement or row remapping failed', remedy: 'reset' },
  { xid: 69, title: 'graphics engine class error', remedy: 'program' },
  { xid: 74, title: 'NVLink error', remedy: 'reset' },
  { xid: 79, title: 'GPU has fallen off the bus', remedy: 'reboot' },
  { xid: 92, title: 'high single-bit ECC error rate', remedy: 'hardware' },
  { xid: 94, title: 'contained ECC error', remedy: 'program' },
  { xid: 95, title: 'uncontained ECC error', remedy: 'reset' },
  { xid: 109, title: 'context switch timeout', remedy: 'reset' },
  { xid: 119, title: 'GSP firmware did not answer', remedy: 'reset' },
  { xid: 120, title: 'GSP firmware error', remedy: 'reset' },
  { xid: 136, title: 'link training failed', remedy: 'hardware' },
  { xid: 140, title: 'unrecovered ECC error', remedy: 'reset' },
  { xid: 143, title: 'GPU initialization failed', remedy: 'reset' },
  { xid: 149, title: 'NVLink error', remedy: 'reset' },
  { xid: 154, title: 'recovery action changed', remedy: 'reset' },
];
