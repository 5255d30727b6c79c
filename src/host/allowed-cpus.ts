import { readTextFile } from './files.ts';

/** The CPUs that a process may run on, as the kernel lists them (`0-3,6`); undefined when it is gone. */
export async function readAllowedCpus(pid: number): Promise<string | undefined> {
  const text = await readTextFile(`/proc/${pid}/status`).catch(() => undefined);
  if (/^State:\s+[ZX]/m.test(text ?? '')) return undefined;
  return /^Cpus_allowed_list:\s*(\S+)/m.exec(text ?? '')?.[1];
}
