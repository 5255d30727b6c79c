/** Whether this is a machine of its own, and what those around it allow. */
import { say } from '../../core/message.ts';
import { toSizeText } from '../../core/units.ts';
import type { Check, CheckOutcome, DoctorContext } from '../check.ts';
import { readOnlineCpus, readUsableCpus } from '../cpus.ts';
import { type GroupLimits, readGroupLimits } from '../groups.ts';
import { findMount, readMounts } from '../mounts.ts';
import { isBelow, readBelow, readWord, toUnread } from '../read.ts';
import { toCpuSubject } from '../subject.ts';

export const containerChecks: readonly Check[] = [
  { id: 'host.container', group: 'host', run: checkContainer },
  { id: 'host.cgroup-limits', group: 'host', run: checkGroupLimits },
  { id: 'host.wsl', group: 'host', run: checkWsl },
];

interface Sign {
  readonly name: string;
  readonly evidence: string;
}

function checkContainer(context: DoctorContext): CheckOutcome {
  const sign = findContainer(context);
  if (!sign) return { status: 'pass', message: say('doctor.container.none') };
  return { status: 'pass', message: say('doctor.container', { name: sign.name }), evidence: [sign.evidence] };
}

/** The exact ones first: a pod is also whatever its engine leaves behind. */
function findContainer(context: DoctorContext): Sign | undefined {
  const { env } = context;
  if (env.KUBERNETES_SERVICE_HOST) return { name: 'Kubernetes', evidence: 'KUBERNETES_SERVICE_HOST' };
  const noted = readWord(context, '/run/systemd/container');
  if (noted) return { name: noted, evidence: `/run/systemd/container: ${noted}` };
  if (isBelow(context, '/run/.containerenv')) return { name: 'Podman', evidence: '/run/.containerenv' };
  if (isBelow(context, '/.dockerenv')) return { name: 'Docker', evidence: '/.dockerenv' };
  if (env.container) return { name: env.container, evidence: `container=${env.container}` };
  const group = readWord(context, '/proc/1/cgroup') ?? '';
  const engine = /(kubepods|docker|libpod|lxc)/.exec(group)?.[1];
  return engine ? { name: engine, evidence: `/proc/1/cgroup: ${engine}` } : undefined;
}

/** Less than an engine's threads, which come all at once while it starts. */
const fewPids = 512;

function checkGroupLimits(context: DoctorContext): CheckOutcome {
  const limits = readNarrower(context);
  if (!limits) {
    const reading = readBelow(context, '/proc/self/cgroup');
    return reading.is === 'unreadable' ? toUnread(reading) : { status: 'skip', message: say('doctor.cgroup-limits.absent') };
  }
  const { memory, cpus, pids, cpuset, unread } = limits;
  const evidence = [memory?.file, cpus?.file, pids?.file, cpuset?.file].filter((file) => file !== undefined);
  const left = pids && pids.limit - (pids.current ?? 0);
  if (left !== undefined && left < fewPids) {
    const message = say('doctor.cgroup-limits.pids', { left, limit: pids?.limit ?? 0 });
    return { status: 'warn', message, hint: say('doctor.cgroup-limits.pids.hint'), evidence };
  }
  const crowded = checkCpuTime(context, limits);
  if (crowded) return { ...crowded, evidence };
  if (unread.length > 0) {
    const [first = ''] = unread;
    return { status: 'skip', message: say('doctor.cgroup-limits.unread', { first }), evidence: [...evidence, ...unread] };
  }
  const words = toWords(limits);
  const message = words === '' ? say('doctor.cgroup-limits.none') : say('doctor.cgroup-limits', { limits: words });
  return { status: 'pass', message, evidence };
}

/** Every group of v1 has a list of CPUs; it is a limit where it leaves some out. */
function readNarrower(context: DoctorContext): GroupLimits | undefined {
  const limits = readGroupLimits(context);
  const online = readOnlineCpus(context)?.length ?? Number.POSITIVE_INFINITY;
  if (limits?.cpuset === undefined || limits.cpuset.cpus.length < online) return limits;
  const { cpuset: _, ...others } = limits;
  return others;
}

function toWords({ memory, cpus, pids, cpuset }: GroupLimits): string {
  const words = [
    memory && `memory ${toSizeText(memory.limit)}`,
    cpus && `cpu ${cpus.limit.toFixed(1)}`,
    cpuset && `cpuset ${cpuset.list}`,
    pids && `pids ${pids.limit}`,
  ];
  return words.filter(Boolean).join(' · ');
}

/** An engine starts a thread for every CPU that it sees, and a quota then stops all of them for most of the time. */
function checkCpuTime(context: DoctorContext, { cpus }: GroupLimits): CheckOutcome | undefined {
  const usable = readUsableCpus(context);
  const subject = toCpuSubject(context);
  if (!cpus || !subject || 'status' in usable) return undefined;
  // On CPUs `auto` is `all`.
  const seen = ['all', 'auto'].includes(subject.profile.resources.cpus) ? usable.cpus.length : 0;
  const whole = Math.max(Math.floor(cpus.limit), 1);
  if (seen <= Math.ceil(cpus.limit)) return undefined;
  const fits = whole === 1 ? String(usable.cpus[0]) : usable.cpus.slice(0, whole).join(',');
  const message = say('doctor.cgroup-limits.cpu', { quota: cpus.limit.toFixed(1), seen });
  const fix = { is: 'profile', set: { 'resources.cpus': fits } } as const;
  return { status: 'warn', message, hint: say('doctor.cgroup-limits.cpu.hint', { fits }), fix };
}

function checkWsl(context: DoctorContext): CheckOutcome {
  const release = readWord(context, '/proc/sys/kernel/osrelease') ?? '';
  if (!/microsoft/i.test(release)) return { status: 'skip', message: say('doctor.wsl.absent') };
  const evidence = [`/proc/sys/kernel/osrelease: ${release}`];
  if (!/wsl2|microsoft-standard/i.test(release))
    return { status: 'fail', message: say('doctor.wsl.first'), hint: say('doctor.wsl.first.hint'), evidence };
  const mounts = readMounts(context);
  const slow =
    'is' in mounts
      ? undefined
      : Object.values(context.places).find((place: string) => /^(?:9p|drvfs)$/.test(findMount(mounts, place)?.type ?? ''));
  if (slow) return { status: 'warn', message: say('doctor.wsl.slow', { path: slow }), hint: say('doctor.wsl.slow.hint'), evidence };
  return { status: 'pass', message: say('doctor.wsl', { release }), evidence };
}
