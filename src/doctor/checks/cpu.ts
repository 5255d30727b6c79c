/** How many CPUs there are, which of them may be used, and what they can do. */
import { say } from '../../core/message.ts';
import { toCpuList } from '../../plan/cpu-list.ts';
import { toEngineProcesses } from '../../plan/near-cpus.ts';
import type { Check, CheckOutcome, DoctorContext } from '../check.ts';
import { readOnlineCpus, readUsableCpus, toPins } from '../cpus.ts';
import { readBelow, readWord, toUnread } from '../read.ts';
import { isReal, toCpuSubject, toGpuSubject } from '../subject.ts';

export const cpuChecks: readonly Check[] = [
  { id: 'host.cpu-count', group: 'host', run: checkCount },
  { id: 'host.cpuset', group: 'host', isNeeded: isReal, run: checkCpuset },
  {
    id: 'host.cpu-flags',
    group: 'host',
    isNeeded: ({ plan, profile }) => plan.backend !== 'simulator' && profile.engine.variant === 'cpu',
    run: checkFlags,
  },
  { id: 'host.cpu-governor', group: 'host', run: checkGovernor },
];

function checkCount(context: DoctorContext): CheckOutcome {
  const usable = readUsableCpus(context);
  if ('status' in usable) return usable;
  const online = readOnlineCpus(context);
  const evidence = [`/proc/self/status: Cpus_allowed_list ${usable.list}`];
  if (online) evidence.push(`/sys/devices/system/cpu/online: ${toCpuList(online)}`);
  const count = usable.cpus.length;
  const need = toProcessCount(context);
  if (count < need) {
    const message = say('doctor.cpu-count.few', { count, need });
    return { status: 'warn', message, hint: say('doctor.cpu-count.few.hint'), evidence };
  }
  const all = online?.length ?? count;
  const message =
    count < all
      ? say('doctor.cpu-count.some', { count, all, list: usable.list })
      : say('doctor.cpu-count.all', { count, list: usable.list });
  return { status: 'pass', message, evidence };
}

/** Each is busy nearly all the time. */
function toProcessCount(context: DoctorContext): number {
  const subject = toGpuSubject(context) ?? toCpuSubject(context);
  return subject ? toEngineProcesses(subject.profile) : 1;
}

function checkCpuset(context: DoctorContext): CheckOutcome {
  const usable = readUsableCpus(context);
  if ('status' in usable) return usable;
  const evidence = [`/proc/self/status: Cpus_allowed_list ${usable.list}`];
  const pins = isReal(context.subject) ? toPins(context.subject) : [];
  for (const { path, list, cpus } of pins) {
    const missing = cpus.filter((cpu) => !usable.cpus.includes(cpu));
    if (missing.length === 0) continue;
    const left = cpus.filter((cpu) => usable.cpus.includes(cpu));
    const fits = left.length > 0 ? toCpuList(left) : usable.list;
    const message = say('doctor.cpuset.missing', { path, list, missing: toCpuList(missing) });
    const hint = say('doctor.cpuset.missing.hint', { usable: usable.list, path, fits });
    return { status: 'fail', message, hint, evidence, fix: { is: 'profile', set: { [path]: fits } } };
  }
  const [pin] = pins;
  const message = pin ? say('doctor.cpuset.right', { path: pin.path, list: pin.list }) : say('doctor.cpuset.free', { list: usable.list });
  return { status: 'pass', message, evidence };
}

function checkFlags(context: DoctorContext): CheckOutcome {
  const reading = readBelow(context, '/proc/cpuinfo');
  if (reading.is !== 'text') return toUnread(reading);
  const flags = new Set(/^(?:flags|Features)\s*:\s*(.*)$/m.exec(reading.text)?.[1]?.split(/\s+/) ?? []);
  if (flags.size === 0) return { status: 'skip', message: say('doctor.cpu-flags.unknown') };
  const told = ['avx2', 'avx512f', 'avx512_bf16', 'avx512_vnni', 'amx_tile', 'amx_bf16', 'asimd', 'sve', 'i8mm', 'bf16'];
  const evidence = [`/proc/cpuinfo: ${told.filter((flag) => flags.has(flag)).join(' ') || '-'}`];
  if (flags.has('asimd'))
    return { status: 'pass', message: say(flags.has('bf16') ? 'doctor.cpu-flags.arm-bf16' : 'doctor.cpu-flags.arm'), evidence };
  if (flags.has('avx2')) return { status: 'pass', message: say(toKernels(flags)), evidence };
  const message = say('doctor.cpu-flags.none');
  if (!toCpuSubject(context)) return { status: 'pass', message, evidence };
  return { status: 'fail', message, hint: say('doctor.cpu-flags.none.hint'), evidence };
}

/** vLLM loads one of three builds of its kernels (import_kernels in vllm/platforms/cpu.py, 0.32). */
function toKernels(flags: ReadonlySet<string>) {
  if (!flags.has('avx512f')) return 'doctor.cpu-flags.avx2';
  if (!flags.has('avx512_bf16')) return 'doctor.cpu-flags.avx512';
  return flags.has('amx_bf16') ? 'doctor.cpu-flags.amx' : 'doctor.cpu-flags.avx512-bf16';
}

const cpuDirectory = '/sys/devices/system/cpu';

function checkGovernor(context: DoctorContext): CheckOutcome {
  const usable = readUsableCpus(context);
  if ('status' in usable) return usable;
  const first = usable.cpus[0] ?? 0;
  const reading = readBelow(context, `${cpuDirectory}/cpu${first}/cpufreq/scaling_governor`);
  if (reading.is === 'absent') return { status: 'skip', message: say('doctor.cpu-governor.absent') };
  if (reading.is === 'unreadable') return toUnread(reading);
  const governors = new Set(usable.cpus.flatMap((cpu) => readWord(context, `${cpuDirectory}/cpu${cpu}/cpufreq/scaling_governor`) ?? []));
  const driver = readWord(context, `${cpuDirectory}/cpu${first}/cpufreq/scaling_driver`) ?? '?';
  const evidence = [`${reading.path}: ${[...governors].join(' ')}`, `scaling_driver: ${driver}`];
  const names = [...governors].join(', ');
  // With these drivers "powersave" means that the processor itself decides, and it decides well.
  const slow = governors.has('powersave') && !/pstate/.test(driver);
  if (!slow) return { status: 'pass', message: say('doctor.cpu-governor', { names, driver }), evidence };
  const command = 'sudo cpupower frequency-set -g performance';
  return {
    status: 'warn',
    message: say('doctor.cpu-governor.slow', { driver }),
    hint: say('doctor.cpu-governor.slow.hint', { command }),
    evidence,
    fix: { is: 'command', command },
  };
}
