import { readTextFile } from './files.ts';

/** The CPUs that a process may run on, as the kernel lists them (`0-3,6`); undefined when it is gone. */
export async function readAllowedCpus(pid: number): Promise<string | undefined> {
  const text = (await readTextFile(`/proc/${pid}/status`).catch(() => undefined)) ?? '';
  return /^State:\s+[ZX]/m.test(text) ? undefined : parseAllowedCpus(text);
}

/** Of the text of /proc/PID/status. */
export function parseAllowedCpus(status: string): string | undefined {
  return /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1];
}
