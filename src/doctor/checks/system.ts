/** The operating system: kernel, C library, clock. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { say } from '../../core/message.ts';
import { compareVersions } from '../../engine/version.ts';
import { errnoOf } from '../../host/files.ts';
import type { Check, CheckOutcome, DoctorContext, DoctorSubject } from '../check.ts';
import { isBelow, readBelow, toUnread } from '../read.ts';
import { toGpuSubject } from '../subject.ts';

export const systemChecks: readonly Check[] = [
  { id: 'host.kernel', group: 'host', run: checkKernel },
  { id: 'host.glibc', group: 'host', isNeeded: installsEngine, run: checkGlibc },
  { id: 'host.clock', group: 'host', run: checkClock },
  { id: 'host.user', group: 'host', run: checkUser },
];

/** What Node itself is built for. */
const oldestKernel = '4.18';

function checkKernel(context: DoctorContext): CheckOutcome {
  const reading = readBelow(context, '/proc/sys/kernel/osrelease');
  if (reading.is !== 'text') return toUnread(reading);
  const release = reading.text.trim();
  const version = /^\d+\.\d+/.exec(release)?.[0];
  const evidence = [`${reading.path}: ${release}`];
  if (version === undefined || compareVersions(version, oldestKernel) >= 0)
    return { status: 'pass', message: say('doctor.kernel', { release }), evidence };
  const message = say('doctor.kernel.old', { release, oldest: oldestKernel });
  return { status: 'warn', message, hint: say('doctor.kernel.old.hint'), evidence };
}

/** An engine that runs already has shown that it can. */
function installsEngine({ plan }: DoctorSubject): boolean {
  return plan.engine.source.kind === 'managed' && !plan.engine.source.installed;
}

/** manylinux_2_28: wheels of torch, of the CPU build, and of vLLM for CUDA 13 since 0.21. */
const oldestGlibc = '2.28';
/** Wheels of vLLM for CUDA 12, and all before 0.21, use symbols of it whatever their name says (vllm#41103). */
const easyGlibc = '2.34';

async function checkGlibc(context: DoctorContext): Promise<CheckOutcome> {
  const found = await readLibc(context);
  if (!found) return { status: 'skip', message: say('doctor.glibc.unknown') };
  const { version, evidence } = found;
  const hint = say('doctor.glibc.hint');
  if (version === 'musl') return { status: 'fail', message: say('doctor.glibc.musl'), hint, evidence: [evidence] };
  if (compareVersions(version, oldestGlibc) < 0)
    return { status: 'fail', message: say('doctor.glibc.old', { version, oldest: oldestGlibc }), hint, evidence: [evidence] };
  const older = toGpuSubject(context) && compareVersions(version, easyGlibc) < 0;
  if (older) return { status: 'warn', message: say('doctor.glibc.tight', { version, easy: easyGlibc }), hint, evidence: [evidence] };
  return { status: 'pass', message: say('doctor.glibc', { version }), evidence: [evidence] };
}

async function readLibc({ run }: DoctorContext): Promise<{ readonly version: string; readonly evidence: string } | undefined> {
  const getconf = await run('getconf', ['GNU_LIBC_VERSION']);
  const version = /^glibc (\d+\.\d+)/.exec(getconf.stdout)?.[1];
  if (version) return { version, evidence: `getconf GNU_LIBC_VERSION: ${getconf.stdout.trim()}` };
  const ldd = await run('ldd', ['--version']);
  const output = `${ldd.stdout}\n${ldd.stderr}`;
  if (/musl/i.test(output)) return { version: 'musl', evidence: 'ldd --version: musl' };
  const told = /^ldd .*?(\d+\.\d+)\s*$/m.exec(output)?.[1];
  return told ? { version: told, evidence: `ldd --version: ${told}` } : undefined;
}

/** Certificates of package sources and hubs are not valid yet at a time before this program was written. */
const writtenMs = Date.UTC(2026, 0, 1);
const dayMs = 24 * 3600e3;

async function checkClock(context: DoctorContext): Promise<CheckOutcome> {
  const now = Date.now();
  const time = new Date(now).toISOString().slice(0, 16).replace('T', ' ');
  const later = findLater(context, now);
  if (now < writtenMs || later) {
    const evidence = [`now: ${time} UTC`, ...(later ? [later] : [])];
    return { status: 'warn', message: say('doctor.clock.behind', { time }), hint: say('doctor.clock.hint'), evidence };
  }
  const synchronised = await readSynchronised(context);
  if (!synchronised) return { status: 'pass', message: say('doctor.clock', { time }) };
  const { by, right } = synchronised;
  if (right) return { status: 'pass', message: say('doctor.clock.synchronised', { time }), evidence: [by] };
  return { status: 'warn', message: say('doctor.clock.alone', { time }), hint: say('doctor.clock.hint'), evidence: [by] };
}

/** Files that the system writes while it starts and when it is changed. */
const writtenFiles = ['/etc/resolv.conf', '/etc/hostname', '/etc/passwd', '/etc/ld.so.cache', '/run'];

/** One that was written after now: then now is wrong. */
function findLater({ root }: DoctorContext, now: number): string | undefined {
  for (const path of writtenFiles) {
    try {
      const { mtimeMs } = statSync(join(root, path));
      if (mtimeMs > now + dayMs) return `${path}: ${new Date(mtimeMs).toISOString()}`;
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
    }
  }
  return undefined;
}

/** Undefined: nobody here can say. In a container the clock is the host's, and so is the care for it. */
async function readSynchronised(context: DoctorContext): Promise<{ readonly right: boolean; readonly by: string } | undefined> {
  const mark = '/run/systemd/timesync/synchronized';
  if (isBelow(context, mark)) return { right: true, by: mark };
  if (!isBelow(context, '/run/systemd/system')) return undefined;
  const { stdout } = await context.run('timedatectl', ['show', '--property=NTPSynchronized', '--value']);
  const answer = stdout.trim();
  if (answer !== 'yes' && answer !== 'no') return undefined;
  return { right: answer === 'yes', by: `timedatectl: NTPSynchronized=${answer}` };
}

/** Whatever a model, a parser of its answers or a client makes of an engine, it can do what this user can. */
function checkUser(): CheckOutcome {
  const uid = process.getuid?.() ?? -1;
  if (uid !== 0) return { status: 'pass', message: say('doctor.user', { uid }) };
  return { status: 'warn', message: say('doctor.user.root'), hint: say('doctor.user.root.hint') };
}
