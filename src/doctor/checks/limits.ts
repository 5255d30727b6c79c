/** Limits of one process and of one user, as the kernel has them for us: engines inherit them. */
import { say } from '../../core/message.ts';
import { toSizeText } from '../../core/units.ts';
import { toParallel } from '../../profile/parallel.ts';
import { toWhole } from '../../profile/rules/read.ts';
import type { Check, CheckOutcome, DoctorContext } from '../check.ts';
import { listBelow, readBelow, toUnread } from '../read.ts';
import { isProcess, toGpuSubject, toProcessSubject } from '../subject.ts';

export const limitChecks: readonly Check[] = [
  { id: 'host.nofile', group: 'host', isNeeded: isProcess, run: checkOpenFiles },
  { id: 'host.nproc', group: 'host', isNeeded: isProcess, run: checkProcesses },
  { id: 'host.memlock', group: 'host', run: checkLockedMemory },
  { id: 'host.ulimit-core', group: 'host', run: checkCore },
  { id: 'host.inotify', group: 'host', run: checkInotify },
];

interface UserLimit {
  /** Infinity: none. */
  readonly soft: number;
  readonly hard: number;
  readonly evidence: string;
}

const limitsFile = '/proc/self/limits';

function readLimit(context: DoctorContext, name: string): UserLimit | CheckOutcome {
  const reading = readBelow(context, limitsFile);
  if (reading.is !== 'text') return toUnread(reading);
  const match = new RegExp(`^${name}\\s+(\\d+|unlimited)\\s+(\\d+|unlimited)`, 'm').exec(reading.text);
  if (!match) return toUnread({ is: 'unreadable', path: limitsFile, problem: name });
  const [soft, hard] = [toCount(match[1]), toCount(match[2])];
  return { soft, hard, evidence: `${limitsFile}: ${name} ${match[1]} ${match[2]}` };
}

function toCount(text: string | undefined): number {
  return text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text);
}

function toText(limit: number): string {
  return Number.isFinite(limit) ? String(limit) : 'unlimited';
}

/** What vLLM raises its own limit to, in one step: with a lower hard limit it leaves it as it is (set_ulimit, 0.32). */
const raisedTo = 65_535;
/** What an engine without requests holds open. */
const idleFiles = 512;
const usualSequences = 256;

function checkOpenFiles(context: DoctorContext): CheckOutcome {
  const limit = readLimit(context, 'Max open files');
  if ('status' in limit) return limit;
  const { soft, hard } = limit;
  const evidence = [limit.evidence];
  const subject = toProcessSubject(context);
  const reached = hard >= raisedTo ? Math.max(soft, raisedTo) : soft;
  const have = subject?.profile.resources.nofile ?? reached;
  const need = idleFiles + (subject ? (toWhole(subject.profile, 'max-num-seqs') ?? usualSequences) : 0);
  if (have >= need)
    return { status: 'pass', message: say('doctor.nofile', { have: toText(have), soft: toText(soft), hard: toText(hard) }), evidence };
  const words = { have: toText(have), need, hard: toText(hard) };
  if (have < idleFiles)
    return { status: 'fail', message: say('doctor.nofile.small', words), hint: say('doctor.nofile.small.hint', { raisedTo }), evidence };
  return { status: 'warn', message: say('doctor.nofile.small', words), hint: say('doctor.nofile.small.hint', { raisedTo }), evidence };
}

/** Three to four processes with a thread or two per CPU each, libraries of arithmetic included. */
const leastThreads = 256;
const easyThreads = 1024;

/** Of all processes of this user together; root has none. */
function checkProcesses(context: DoctorContext): CheckOutcome {
  const limit = readLimit(context, 'Max processes');
  if ('status' in limit) return limit;
  const evidence = [limit.evidence];
  const have = toText(limit.soft);
  if (limit.soft >= easyThreads || process.getuid?.() === 0) return { status: 'pass', message: say('doctor.nproc', { have }), evidence };
  const status = limit.soft < leastThreads ? 'fail' : 'warn';
  return { status, message: say('doctor.nproc.small', { have }), hint: say('doctor.nproc.small.hint', { easyThreads }), evidence };
}

/** Only network cards that write into memory by themselves want it locked; GPUs do that through their driver. */
function checkLockedMemory(context: DoctorContext): CheckOutcome {
  const limit = readLimit(context, 'Max locked memory');
  if ('status' in limit) return limit;
  const evidence = [limit.evidence];
  const have = Number.isFinite(limit.soft) ? toSizeText(limit.soft) : 'unlimited';
  const cards = listBelow(context, '/sys/class/infiniband');
  const subject = toGpuSubject(context);
  const matters = cards.length > 0 && subject !== undefined && toParallel(subject.profile).gpus > 1;
  if (!matters || !Number.isFinite(limit.soft)) return { status: 'pass', message: say('doctor.memlock', { have }), evidence };
  const message = say('doctor.memlock.small', { have, card: cards[0] ?? '' });
  return {
    status: 'warn',
    message,
    hint: say('doctor.memlock.small.hint'),
    evidence: [...evidence, `/sys/class/infiniband: ${cards.join(' ')}`],
  };
}

const patternFile = '/proc/sys/kernel/core_pattern';

/** An engine that crashes would leave a file as large as its memory; a pattern with a bar in front hands it to a program. */
function checkCore(context: DoctorContext): CheckOutcome {
  const limit = readLimit(context, 'Max core file size');
  if ('status' in limit) return limit;
  const evidence = [limit.evidence];
  if (limit.soft === 0) return { status: 'pass', message: say('doctor.ulimit-core.none'), evidence };
  const reading = readBelow(context, patternFile);
  if (reading.is !== 'text') return toUnread(reading);
  const pattern = reading.text.trim();
  evidence.push(`${patternFile}: ${pattern}`);
  if (pattern === '' || pattern.startsWith('|')) return { status: 'pass', message: say('doctor.ulimit-core.handled'), evidence };
  const most = Number.isFinite(limit.soft) ? toSizeText(limit.soft) : 'unlimited';
  if (limit.soft < 2 ** 30) return { status: 'pass', message: say('doctor.ulimit-core.capped', { most }), evidence };
  return {
    status: 'warn',
    message: say('doctor.ulimit-core.large', { most, pattern }),
    hint: say('doctor.ulimit-core.large.hint'),
    evidence,
  };
}

const inotify = '/proc/sys/fs/inotify';
const leastInstances = 16;
const leastWatches = 1024;

function checkInotify(context: DoctorContext): CheckOutcome {
  const [most, files] = [readBelow(context, `${inotify}/max_user_instances`), readBelow(context, `${inotify}/max_user_watches`)];
  if (most.is !== 'text') return toUnread(most);
  if (files.is !== 'text') return toUnread(files);
  const [instances, watches] = [Number(most.text), Number(files.text)];
  const evidence = [`${inotify}: max_user_instances ${instances}, max_user_watches ${watches}`];
  const message = say('doctor.inotify', { instances, watches });
  if (instances >= leastInstances && watches >= leastWatches) return { status: 'pass', message, evidence };
  const command = 'sudo sysctl fs.inotify.max_user_instances=512 fs.inotify.max_user_watches=65536';
  return { status: 'warn', message, hint: say('doctor.inotify.hint', { command }), evidence, fix: { is: 'command', command } };
}
