import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemChecks } from '../../src/doctor/checks/system.ts';
import { createMachine, createSubject, type Entry, type MachineParts, runCheck, type SubjectParts } from './stand-ins.ts';

describe('host.kernel', () => {
  it.each<[string, Record<string, Entry>, string, RegExp]>([
    ['new', { '/proc/sys/kernel/osrelease': '6.18.1-arch1\n' }, 'pass', /^Linux 6\.18\.1-arch1$/],
    ['just new enough', { '/proc/sys/kernel/osrelease': '4.18.0-553.el8\n' }, 'pass', /4\.18/],
    ['old', { '/proc/sys/kernel/osrelease': '3.10.0-1160.el7\n' }, 'warn', /3\.10.* is older .*4\.18/],
    ['a name without numbers', { '/proc/sys/kernel/osrelease': 'mine\n' }, 'pass', /^Linux mine$/],
    ['nothing', {}, 'skip', /could not read/],
    ['unreadable', { '/proc/sys/kernel/osrelease': { directory: true } }, 'skip', /EISDIR/],
  ])('%s', async (_, files, expected, message) => {
    expect(await runCheck(systemChecks, 'host.kernel', createMachine({ files }))).toMatchObject({
      status: expected,
      message: expect.stringMatching(message),
    });
  });
});

describe('host.glibc', () => {
  const getconf = (version: string) => ({ 'getconf GNU_LIBC_VERSION': { stdout: `glibc ${version}\n` } });
  const none: SubjectParts = { facts: { engines: [] } };
  it.each<[string, MachineParts['programs'], string | undefined, SubjectParts, string, RegExp, boolean]>([
    ['new', getconf('2.39'), 'int4', none, 'pass', /^glibc 2\.39$/, true],
    ['old', getconf('2.17'), 'cpu', none, 'fail', /2\.17: .* 2\.28 or newer/, true],
    ['old, with an engine that is here', getconf('2.17'), 'cpu', {}, 'fail', /2\.17/, false],
    ['too old for some wheels', getconf('2.31'), 'int4', none, 'warn', /2\.31: vLLM before 0\.21.* 2\.34/, true],
    ['new enough for those of the CPU', getconf('2.31'), 'cpu', none, 'pass', /2\.31/, true],
    ['a number with two digits', getconf('2.9'), undefined, {}, 'fail', /2\.9:/, false],
    ['only ldd', { ldd: { stdout: 'ldd (Debian GLIBC 2.36-9+deb12u7) 2.36\nCopyright\n' } }, 'cpu', none, 'pass', /^glibc 2\.36$/, true],
    ['musl', { ldd: { code: 1, stderr: 'musl libc (x86_64)\nVersion 1.2.5\n' } }, 'cpu', none, 'fail', /^musl/, true],
    ['neither', {}, 'cpu', none, 'skip', /could not ask/, true],
    ['both broken', { getconf: { code: 1 }, ldd: { code: 127, stderr: 'not found' } }, 'cpu', none, 'skip', /could not ask/, true],
  ])('%s', async (_, programs, profile, parts, expected, message, needed) => {
    const subject = profile ? { subject: await createSubject(profile, parts) } : {};
    const answer = await runCheck(systemChecks, 'host.glibc', createMachine({ ...(programs ? { programs } : {}), ...subject }));
    expect(answer).toMatchObject({ status: expected, message: expect.stringMatching(message), needed });
  });
});

describe('host.user', () => {
  afterEach(() => void vi.restoreAllMocks());
  it.each<[number, string, RegExp]>([
    [1000, 'pass', /^runs as uid 1000/],
    [0, 'warn', /^runs as root/],
  ])('uid %d', async (uid, expected, message) => {
    vi.spyOn(process, 'getuid').mockReturnValue(uid);
    expect(await runCheck(systemChecks, 'host.user', createMachine({}))).toMatchObject({
      status: expected,
      message: expect.stringMatching(message),
    });
  });
});

describe('host.clock', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2027, 2, 4, 5, 6) }));
  afterEach(() => void vi.useRealTimers());

  const booted = { '/run/systemd/system': { directory: true } } as const;
  const answers = (stdout: string, code = 0) => ({ programs: { timedatectl: { stdout, code } }, files: booted });
  it.each<[string, MachineParts, string, RegExp]>([
    ['timesyncd has it', { files: { '/run/systemd/timesync/synchronized': '' } }, 'pass', /2027-03-04 05:06 UTC, synchronised$/],
    ['somebody else has it', answers('yes\n'), 'pass', /synchronised$/],
    ['nobody has it', answers('no\n'), 'warn', /synchronised with nothing/],
    ['no answer', answers('', 1), 'pass', /not to be seen/],
    ['no systemd', { programs: { timedatectl: { stdout: 'no\n' } } }, 'pass', /not to be seen/],
  ])('%s', async (_, parts, expected, message) => {
    expect(await runCheck(systemChecks, 'host.clock', createMachine(parts))).toMatchObject({
      status: expected,
      message: expect.stringMatching(message),
    });
  });

  it('is wrong when a file of the system is from tomorrow', async () => {
    const machine = createMachine({ files: { '/etc/hostname': 'here\n', '/run/systemd/timesync/synchronized': '' } });
    const later = new Date('2027-06-01T00:00:00Z');
    utimesSync(join(machine.root, 'etc/hostname'), later, later);
    const answer = await runCheck(systemChecks, 'host.clock', machine);
    expect(answer).toMatchObject({ status: 'warn', message: expect.stringMatching(/which is in the past/) });
    expect(answer.evidence).toContain('/etc/hostname: 2027-06-01T00:00:00.000Z');
  });

  it('is wrong before this program was written', async () => {
    vi.setSystemTime(0);
    expect((await runCheck(systemChecks, 'host.clock', createMachine())).message).toMatch(/1970-01-01 00:00 UTC, which is in the past/);
  });
});
