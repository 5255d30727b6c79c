import { describe, expect, it } from 'vitest';
import { containerChecks } from '../../src/doctor/checks/container.ts';
import { createMachine, createSubject, type Entry, type MachineParts, runCheck } from './stand-ins.ts';

describe('host.container', () => {
  it.each<[string, MachineParts, RegExp]>([
    ['none', {}, /^not in a container$/],
    ['Docker', { files: { '/.dockerenv': '' } }, /\(Docker\)/],
    ['Podman', { files: { '/run/.containerenv': 'engine="podman-5.2"\n' } }, /\(Podman\)/],
    ['a pod', { files: { '/.dockerenv': '' }, env: { KUBERNETES_SERVICE_HOST: '10.0.0.1' } }, /\(Kubernetes\)/],
    ['what systemd has noted', { files: { '/run/systemd/container': 'systemd-nspawn\n' } }, /\(systemd-nspawn\)/],
    ['what the environment says', { env: { container: 'lxc' } }, /\(lxc\)/],
    ['a group of the first process', { files: { '/proc/1/cgroup': '4:memory:/docker/0123\n' } }, /\(docker\)/],
    ['an unreadable group', { files: { '/proc/1/cgroup': { directory: true } } }, /^not in a container$/],
  ])('%s', async (_, parts, message) => {
    expect(await runCheck(containerChecks, 'host.container', createMachine(parts))).toMatchObject({
      status: 'pass',
      message: expect.stringMatching(message),
    });
  });
});

/** As `docker run --memory 512m --cpuset-cpus 0` shows itself with a group namespace (v2): the mount is our own group. */
const docker2: Record<string, Entry> = {
  '/proc/self/cgroup': '0::/\n',
  '/proc/self/mountinfo': '35 33 0:29 / /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw,nsdelegate\n',
  '/proc/self/status': 'Cpus_allowed_list:\t0\n',
  '/sys/devices/system/cpu/online': '0-7\n',
  '/sys/fs/cgroup/memory.max': '536870912\n',
  '/sys/fs/cgroup/memory.current': '104857600\n',
  '/sys/fs/cgroup/memory.stat': 'anon 90000000\ninactive_file 4857600\n',
  '/sys/fs/cgroup/cpu.max': 'max 100000\n',
  '/sys/fs/cgroup/cpuset.cpus.effective': '0\n',
  '/sys/fs/cgroup/pids.max': 'max\n',
};
/** The same with v1, where the path is that of the host and only its own part is mounted. */
const docker1: Record<string, Entry> = {
  '/proc/self/cgroup':
    '5:memory:/docker/0a1b\n4:cpuset:/docker/0a1b\n3:cpu,cpuacct:/docker/0a1b\n2:pids:/docker/0a1b\n1:name=systemd:/docker/0a1b\n0::/\n',
  '/proc/self/mountinfo': [
    '41 33 0:30 /docker/0a1b /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory',
    '42 33 0:31 /docker/0a1b /sys/fs/cgroup/cpuset ro - cgroup cgroup rw,cpuset',
    '43 33 0:32 /docker/0a1b /sys/fs/cgroup/cpu,cpuacct ro shared:7 - cgroup cgroup rw,cpu,cpuacct',
    '44 33 0:33 /docker/0a1b /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids',
    '',
  ].join('\n'),
  '/sys/devices/system/cpu/online': '0-7\n',
  '/sys/fs/cgroup/memory/memory.limit_in_bytes': '536870912\n',
  '/sys/fs/cgroup/memory/memory.usage_in_bytes': '104857600\n',
  '/sys/fs/cgroup/cpuset/cpuset.cpus': '0\n',
  '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '-1\n',
  '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
  '/sys/fs/cgroup/pids/pids.max': 'max\n',
};
const deep = (files: Record<string, Entry>): Record<string, Entry> => ({ '/proc/self/cgroup': '0::/user.slice/job/step\n', ...files });

describe('host.cgroup-limits', () => {
  it.each<[string, Record<string, Entry>, string, RegExp]>([
    ['a container, v2', docker2, 'pass', /^limits from control groups: memory 512 MiB · cpuset 0$/],
    ['a container, v1', docker1, 'pass', /^limits from control groups: memory 512 MiB · cpuset 0$/],
    [
      'none, v2',
      deep({ '/sys/fs/cgroup/user.slice/job/memory.max': 'max\n', '/sys/fs/cgroup/user.slice/pids.max': '96365\n' }),
      'pass',
      /: pids 96365$/,
    ],
    ['none at all', deep({}), 'pass', /^no limits/],
    [
      'none, v1',
      { '/proc/self/cgroup': '4:memory:/\n', '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n' },
      'pass',
      /^no limits/,
    ],
    [
      'the narrowest of those above',
      deep({
        '/sys/fs/cgroup/user.slice/job/step/memory.max': '8589934592\n',
        '/sys/fs/cgroup/user.slice/job/memory.max': '2147483648\n',
        '/sys/fs/cgroup/user.slice/cpu.max': '150000 100000\n',
      }),
      'pass',
      /memory 2\.0 GiB · cpu 1\.5$/,
    ],
    [
      'all CPUs are no limit',
      { ...deep({ '/sys/fs/cgroup/user.slice/cpuset.cpus.effective': '0-7\n' }), '/sys/devices/system/cpu/online': '0-7\n' },
      'pass',
      /^no limits/,
    ],
    [
      'few processes',
      deep({ '/sys/fs/cgroup/user.slice/job/pids.max': '600\n', '/sys/fs/cgroup/user.slice/job/pids.current': '200\n' }),
      'warn',
      /only 400 more .*limit 600/,
    ],
    [
      'an unreadable limit',
      deep({ '/sys/fs/cgroup/user.slice/memory.max': { directory: true } }),
      'skip',
      /could not read .*memory\.max: EISDIR/,
    ],
    ['an unreadable list of groups', { '/proc/self/cgroup': { directory: true } }, 'skip', /could not read \/proc\/self\/cgroup/],
    ['a kernel without', {}, 'skip', /^no control groups$/],
  ])('%s', async (_, files, expected, message) => {
    const answer = await runCheck(containerChecks, 'host.cgroup-limits', createMachine({ files }));
    expect(answer.status).toBe(expected);
    expect(answer.message).toMatch(message);
  });

  it('shows where each limit was read', async () => {
    const { evidence } = await runCheck(containerChecks, 'host.cgroup-limits', createMachine({ files: docker1 }));
    expect(evidence).toEqual(['/sys/fs/cgroup/memory/memory.limit_in_bytes: 536870912', '/sys/fs/cgroup/cpuset/cpuset.cpus: 0']);
  });

  it.each<[string, string, readonly string[], string, string | undefined]>([
    ['a quota below the CPUs that are seen', 'cpu', [], 'warn', '0,1'],
    ['a quota below all that an engine on CPUs gets by auto', 'cpu', ['resources.cpus=auto'], 'warn', '0,1'],
    ['a quota for the CPUs that are named', 'cpu', ['resources.cpus=0-1'], 'pass', undefined],
    ['a quota beside a GPU', 'int4', [], 'pass', undefined],
  ])('%s', async (_, profile, sets, expected, fits) => {
    const files = deep({ '/sys/fs/cgroup/user.slice/cpu.max': '200000 100000\n', '/proc/self/status': 'Cpus_allowed_list:\t0-7\n' });
    const subject = await createSubject(profile, { sets });
    const answer = await runCheck(containerChecks, 'host.cgroup-limits', createMachine({ files, subject }));
    expect(answer.status).toBe(expected);
    expect(answer.fix).toEqual(fits && { is: 'profile', set: { 'resources.cpus': fits } });
  });
});

describe('host.wsl', () => {
  const release = (text: Entry) => ({ '/proc/sys/kernel/osrelease': text });
  const windows = '90 1 0:60 / /mnt/c rw - 9p C:\\134 rw\n';
  it.each<[string, MachineParts, string, RegExp]>([
    ['Linux', { files: release('6.1.0-18-amd64\n') }, 'skip', /^not in WSL$/],
    ['WSL2', { files: release('5.15.153.1-microsoft-standard-WSL2\n') }, 'pass', /^WSL2/],
    ['WSL1', { files: release('4.4.0-19041-Microsoft\n') }, 'fail', /^WSL1/],
    [
      'a disk of Windows',
      {
        files: { ...release('5.15.153.1-microsoft-standard-WSL2\n'), '/proc/self/mountinfo': windows },
        env: { QWEN_DEPLOY_HOME: '/mnt/c/q' },
      },
      'warn',
      /^\/mnt\/c\/q\/config lies on a disk of Windows/,
    ],
    ['nothing to read', {}, 'skip', /^not in WSL$/],
  ])('%s', async (_, parts, expected, message) => {
    expect(await runCheck(containerChecks, 'host.wsl', createMachine(parts))).toMatchObject({
      status: expected,
      message: expect.stringMatching(message),
    });
  });
});
