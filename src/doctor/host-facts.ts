/** What kind of machine this is, in a line. */
import { parseAllowedCpus } from '../host/allowed-cpus.ts';
import { readWord } from './read.ts';

/** What could not be read is absent. */
export interface HostFacts {
  readonly distribution?: string;
  readonly kernel?: string;
  readonly architecture: string;
  /** That this process may run on. */
  readonly cpus?: number;
  readonly memoryTotalBytes?: number;
  readonly memoryAvailableBytes?: number;
  /** `docker`, `podman`, `kubernetes`, `lxc` … */
  readonly container?: string;
  readonly wsl?: true;
  /** Of Node. */
  readonly node: string;
}

/** Reads below `root`. */
export function readHostFacts(root: string): HostFacts {
  const read = (path: string) => readWord({ root }, path);
  const kernel = read('proc/sys/kernel/osrelease');
  const memory = read('proc/meminfo');
  const facts = {
    distribution: /^PRETTY_NAME="?([^"\n]*)/m.exec(read('etc/os-release') ?? '')?.[1],
    kernel,
    cpus: countCpus(parseAllowedCpus(read('proc/self/status') ?? '')),
    memoryTotalBytes: toKibibytes('MemTotal', memory),
    memoryAvailableBytes: toKibibytes('MemAvailable', memory),
    container: toContainer(read),
    wsl: /microsoft/i.test(kernel ?? '') ? true : undefined,
  };
  const known = Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined && value !== ''));
  return { ...known, architecture: process.arch, node: process.versions.node };
}

/** `0-3,6` → 5. */
function countCpus(list: string | undefined): number | undefined {
  const count = list?.split(',').reduce((sum, part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return sum + last - first + 1;
  }, 0);
  return count !== undefined && Number.isInteger(count) ? count : undefined;
}

function toKibibytes(name: string, meminfo: string | undefined): number | undefined {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(meminfo ?? '')?.[1];
  return found === undefined ? undefined : Number(found) * 1024;
}

/** Marks that engines leave, and systemd's own note of what it runs in. */
function toContainer(read: (path: string) => string | undefined): string | undefined {
  const noted = read('run/systemd/container');
  if (noted) return noted;
  if (read('run/.containerenv') !== undefined) return 'podman';
  if (read('run/secrets/kubernetes.io/serviceaccount/namespace') !== undefined) return 'kubernetes';
  return read('.dockerenv') === undefined ? undefined : 'docker';
}
