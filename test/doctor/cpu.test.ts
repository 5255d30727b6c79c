import { describe, expect, it } from 'vitest';
import { cpuChecks } from '../../src/doctor/checks/cpu.ts';
import { createMachine, createSubject, type Entry, runCheck } from './stand-ins.ts';

const status = (list: string) => `Name:\tnode\nCpus_allowed_list:\t${list}\nMems_allowed_list:\t0\n`;
const usable = (list: string, online = list): Record<string, Entry> => ({
  '/proc/self/status': status(list),
  '/sys/devices/system/cpu/online': `${online}\n`,
});
const directory = { directory: true } as const;

describe('host.cpu-count', () => {
  const ask = async (files: Record<string, Entry>, profile?: string, sets: readonly string[] = []) =>
    runCheck(
      cpuChecks,
      'host.cpu-count',
      createMachine({ files, ...(profile ? { subject: await createSubject(profile, { sets }) } : {}) }),
    );

  it.each<[string, Record<string, Entry>, string | undefined, string, RegExp]>([
    ['all of the machine', usable('0-15'), undefined, 'pass', /^CPUs: 16, all of them usable \(0-15\)$/],
    ['some of them', usable('0-3', '0-15'), undefined, 'pass', /^CPUs: 4 of 16 usable \(0-3\)$/],
    ['not known how many there are', { '/proc/self/status': status('0-3') }, undefined, 'pass', /4, all/],
    ['enough for a GPU', usable('0-2'), 'int4', 'pass', /3/],
    ['too few for a GPU', usable('0-1'), 'int4', 'warn', /^CPUs: 2, and the engine keeps 3 busy$/],
    ['too few for two GPUs', usable('0-2'), 'tp2', 'warn', /keeps 4 busy/],
    ['one for a CPU engine', usable('0'), 'cpu', 'warn', /keeps 2 busy/],
    ['one for the simulator', usable('0'), 'demo', 'pass', /^CPUs: 1,/],
    ['nothing to read', {}, undefined, 'skip', /could not read \/proc\/self\/status: ENOENT/],
    ['something unreadable', { '/proc/self/status': directory }, 'cpu', 'skip', /could not read \/proc\/self\/status: EISDIR/],
    ['a file without the line', { '/proc/self/status': 'Name:\tnode\n' }, undefined, 'skip', /could not read.*Cpus_allowed_list/],
  ])('%s', async (_, files, profile, expected, message) => {
    const answer = await ask(files, profile);
    expect(answer.status).toBe(expected);
    expect(answer.message).toMatch(message);
    expect(answer.hint !== '').toBe(expected === 'warn');
    expect(answer.needed).toBe(false);
  });

  it('says where it was read', async () => {
    const { evidence } = await ask(usable('0-1,4', '0-7'));
    expect(evidence).toEqual(['/proc/self/status: Cpus_allowed_list 0-1,4', '/sys/devices/system/cpu/online: 0-7']);
  });
});

describe('host.cpuset', () => {
  it.each<[string, string, string, readonly string[], string, RegExp, object | undefined]>([
    ['inside', '0-3', 'cpu', ['resources.cpus=1-2'], 'pass', /^resources.cpus 1-2: all/, undefined],
    ['not narrowed', '0-3', 'cpu', [], 'pass', /any of 0-3/, undefined],
    ['partly outside', '0-3', 'cpu', ['resources.cpus=2-5'], 'fail', /2-5 names .*: 4-5$/, { 'resources.cpus': '2-3' }],
    ['outside', '0-3', 'int4', ['resources.cpus=8,9'], 'fail', /8-9$/, { 'resources.cpus': '0-3' }],
    [
      'threads bound outside',
      '0-1',
      'cpu',
      ['engine.env.VLLM_CPU_OMP_THREADS_BIND=0-5'],
      'fail',
      /VLLM_CPU_OMP_THREADS_BIND 0-5 names .*: 2-5$/,
      { 'engine.env.VLLM_CPU_OMP_THREADS_BIND': '0-1' },
    ],
    ['outside, of the simulator', '0', 'demo', ['resources.cpus=4'], 'pass', /any of 0$/, undefined],
  ])('%s', async (_, list, profile, sets, expected, message, set) => {
    const subject = await createSubject(profile, { sets });
    const answer = await runCheck(cpuChecks, 'host.cpuset', createMachine({ files: usable(list), subject }));
    expect(answer.status).toBe(expected);
    expect(answer.message).toMatch(message);
    expect(answer.fix).toEqual(set && { is: 'profile', set });
    expect(answer.needed).toBe(profile !== 'demo');
  });

  it('skips where the kernel does not say, and passes without a profile', async () => {
    expect((await runCheck(cpuChecks, 'host.cpuset', createMachine())).status).toBe('skip');
    expect((await runCheck(cpuChecks, 'host.cpuset', createMachine({ files: usable('0-1') }))).status).toBe('pass');
  });
});

describe('host.cpu-flags', () => {
  const cpuinfo = (line: string) => ({ '/proc/cpuinfo': `processor\t: 0\n${line}\n\nprocessor\t: 1\n${line}\n` });
  it.each<[string, Record<string, Entry>, string | undefined, string, RegExp]>([
    ['AMX', cpuinfo('flags\t\t: fpu avx2 avx512f avx512_bf16 amx_bf16 amx_tile'), 'cpu', 'pass', /AMX/],
    ['bfloat16', cpuinfo('flags\t\t: fpu avx2 avx512f avx512_bf16'), 'cpu', 'pass', /^AVX-512 with bfloat16$/],
    ['AVX-512', cpuinfo('flags\t\t: fpu avx2 avx512f'), 'cpu', 'pass', /without bfloat16/],
    ['AVX2', cpuinfo('flags\t\t: fpu avx avx2'), 'cpu', 'pass', /AVX2 without AVX-512/],
    ['Arm', cpuinfo('Features\t: fp asimd bf16'), 'cpu', 'pass', /Arm with bfloat16/],
    ['older Arm', cpuinfo('Features\t: fp asimd'), undefined, 'pass', /Arm without/],
    ['less, for a CPU engine', cpuinfo('flags\t\t: fpu sse4_2 avx'), 'cpu', 'fail', /no AVX2/],
    ['less, for a GPU', cpuinfo('flags\t\t: fpu sse4_2 avx'), 'int4', 'pass', /no AVX2/],
    ['less, without a profile', cpuinfo('flags\t\t: fpu sse4_2'), undefined, 'pass', /no AVX2/],
    ['another kind of CPU', cpuinfo('isa\t\t: rv64imafdc'), 'cpu', 'skip', /does not tell/],
    ['nothing', {}, 'cpu', 'skip', /could not read \/proc\/cpuinfo: ENOENT/],
    ['something unreadable', { '/proc/cpuinfo': directory }, 'cpu', 'skip', /could not read/],
  ])('%s', async (_, files, profile, expected, message) => {
    const parts = profile ? { subject: await createSubject(profile) } : {};
    const answer = await runCheck(cpuChecks, 'host.cpu-flags', createMachine({ files, ...parts }));
    expect(answer.status).toBe(expected);
    expect(answer.message).toMatch(message);
    expect(answer.needed).toBe(profile === 'cpu');
  });
});

describe('host.cpu-governor', () => {
  const frequency = (governor: Entry, driver = 'acpi-cpufreq', second = governor) => ({
    ...usable('0-1'),
    '/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor': governor,
    '/sys/devices/system/cpu/cpu0/cpufreq/scaling_driver': `${driver}\n`,
    '/sys/devices/system/cpu/cpu1/cpufreq/scaling_governor': second,
  });
  it.each<[string, Record<string, Entry>, string, RegExp]>([
    ['performance', frequency('performance\n'), 'pass', /performance \(acpi-cpufreq\)/],
    ['schedutil', frequency('schedutil\n'), 'pass', /schedutil/],
    ['powersave', frequency('powersave\n'), 'warn', /lowest clock/],
    ['powersave on one of them', frequency('performance\n', 'acpi-cpufreq', 'powersave\n'), 'warn', /lowest clock/],
    ['powersave of a driver that decides by itself', frequency('powersave\n', 'intel_pstate'), 'pass', /intel_pstate/],
    ['powersave of the other one', frequency('powersave\n', 'amd-pstate-epp'), 'pass', /amd-pstate-epp/],
    ['a virtual machine', usable('0-1'), 'skip', /virtual machines/],
    ['something unreadable', frequency(directory), 'skip', /could not read/],
    ['no list of CPUs', {}, 'skip', /could not read/],
  ])('%s', async (_, files, expected, message) => {
    const answer = await runCheck(cpuChecks, 'host.cpu-governor', createMachine({ files }));
    expect(answer.status).toBe(expected);
    expect(answer.message).toMatch(message);
    expect(answer.fix?.is).toBe(expected === 'warn' ? 'command' : undefined);
  });
});
