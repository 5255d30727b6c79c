/** What can be seen of engines from outside, without asking the program: who holds which launch's log. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface SeenEngine {
  readonly pid: number;
  readonly startTicks: number;
  readonly launchId: string;
}

/**
 * Live processes of engines of this home, children with a blank environment and strays in sessions of their own
 * included: all of them write to their launch's log.
 */
export function findEngines(home: string): readonly SeenEngine[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).flatMap((pid) => {
    const seen = look(pid, home);
    return seen ? [seen] : [];
  });
}

function look(pid: number, home: string): SeenEngine | undefined {
  try {
    const log = readlinkSync(`/proc/${pid}/fd/1`);
    const launchId = log.startsWith(home) ? /\/launches\/([^/]+)\//.exec(log)?.[1] : undefined;
    if (launchId === undefined) return undefined;
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return { pid, startTicks: Number(fields[19]), launchId };
  } catch {
    // gone meanwhile, or not ours to read
    return undefined;
  }
}

export interface IncarnationWatch {
  readonly looks: () => number;
  /** Launches that were seen at all. */
  readonly launches: () => number;
  /** Moments at which engines of two launches lived. */
  readonly doubles: readonly string[];
  end(): void;
}

/** Looks again and again, from the beginning to `end`. */
export function watchIncarnations(home: string, everyMs = 60): IncarnationWatch {
  const launches = new Set<string>();
  const doubles: string[] = [];
  let looks = 0;
  const timer = setInterval(() => {
    looks += 1;
    const double = findDouble(home, launches);
    if (double !== undefined) doubles.push(double);
  }, everyMs);
  return { looks: () => looks, launches: () => launches.size, doubles, end: () => clearInterval(timer) };
}

/**
 * A look takes a few milliseconds, in which one engine may end and the next begin. So those of the launch that was
 * met first are looked at once more: who still lives then lived when the other launch's were met.
 */
function findDouble(home: string, launches: Set<string>): string | undefined {
  const seen = findEngines(home);
  for (const { launchId } of seen) launches.add(launchId);
  const [first] = seen;
  const others = seen.filter(({ launchId }) => launchId !== first?.launchId);
  if (first === undefined || others.length === 0) return undefined;
  const still = [...seen].filter((one) => {
    const now = look(one.pid, home);
    return now?.startTicks === one.startTicks;
  });
  const alive = new Set(still.map(({ launchId }) => launchId));
  return alive.size > 1 ? `${new Date().toISOString()} ${still.map(({ pid, launchId }) => `${launchId}:${pid}`).join(' ')}` : undefined;
}
