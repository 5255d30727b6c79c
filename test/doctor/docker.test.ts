import { describe, expect, it } from 'vitest';
import type { DoctorSubject } from '../../src/doctor/check.ts';
import { createDockerChecks, dockerChecks } from '../../src/doctor/checks/docker.ts';
import type { DockerObservation } from '../../src/host/docker/observe.ts';
import { l4 } from '../plan/stand-ins.ts';
import { createMachine, createSubject, type MachineParts, runCheck } from './stand-ins.ts';

type Docker = Extract<DockerObservation, { is: 'present' }>;

const socket = '/var/run/docker.sock';
const plain: Docker = {
  is: 'present',
  socket,
  version: '28.2.2',
  apiVersion: '1.50',
  operatingSystem: 'Debian GNU/Linux 12 (bookworm)',
  cgroupDriver: 'systemd',
  cgroupVersion: '2',
  runtimes: ['io.containerd.runc.v2', 'runc'],
  cdiDevices: [],
  cdiSpecDirectories: ['/etc/cdi', '/var/run/cdi'],
  storageDriver: 'overlay2',
  rootDirectory: '/var/lib/docker',
};
/** An engine of before CDI. */
const { cdiDevices: _devices, cdiSpecDirectories: _directories, ...older } = plain;
const withRuntime: Docker = { ...plain, runtimes: ['nvidia', 'runc'] };
const withCdi: Docker = { ...plain, cdiDevices: ['nvidia.com/gpu=0', 'nvidia.com/gpu=all'] };
const remote: Docker = { ...withRuntime, socket: 'tcp://box:2375' };
const absent: DockerObservation = { is: 'absent', socket };
const silent = (problem: string): DockerObservation => ({ is: 'silent', socket, problem });
const forbidden: DockerObservation = { is: 'forbidden', socket, problem: 'EACCES' };
const spec = { '/etc/cdi/nvidia.yaml': 'cdiVersion: 0.6.0\nkind: nvidia.com/gpu\n' };

const contained = (): Promise<DoctorSubject> => createSubject('cpu', { sets: ['engine.backend=docker'], facts: { backend: 'docker' } });

function ask(id: string, docker: DockerObservation, parts: MachineParts = {}) {
  return runCheck(dockerChecks, id, createMachine({ docker, ...parts }));
}

describe('docker.reachable', () => {
  it.each<[string, DockerObservation, string, string, RegExp]>([
    ['there', plain, 'pass', 'pass', /^Docker 28\.2\.2 answers at \/var\/run\/docker\.sock$/],
    ['absent', absent, 'skip', 'fail', /^no Docker here: there is no \/var\/run\/docker\.sock$/],
    ['stopped', silent('ECONNREFUSED'), 'warn', 'fail', /does not answer at .*: ECONNREFUSED$/],
    ['hung', silent('ETIMEDOUT'), 'warn', 'fail', /ETIMEDOUT$/],
    ['over ssh', silent('EPROTONOSUPPORT'), 'warn', 'fail', /EPROTONOSUPPORT$/],
    ['something else', silent('HTTP 404'), 'warn', 'fail', /HTTP 404$/],
    ['forbidden', forbidden, 'skip', 'skip', /this user may not ask it/],
  ])('%s', async (_, docker, status, needed, message) => {
    expect(await ask('docker.reachable', docker)).toMatchObject({ status, message: expect.stringMatching(message), needed: false });
    const answer = await ask('docker.reachable', docker, { subject: await contained() });
    expect(answer).toMatchObject({ status: needed, needed: true });
    expect(answer.hint !== '').toBe(needed === 'fail');
    expect(await ask('docker.reachable', docker, { subject: await createSubject('cpu') })).toMatchObject({ status, needed: false });
  });

  it('shows what Docker warns of', async () => {
    const { evidence } = await ask('docker.reachable', { ...plain, warnings: ['WARNING: No swap limit support'] });
    expect(evidence).toEqual(['Debian GNU/Linux 12 (bookworm)', 'WARNING: No swap limit support']);
  });
});

describe('docker.permission', () => {
  const me = { USER: 'me' };
  it.each<[string, DockerObservation, MachineParts, string, RegExp, string | undefined]>([
    ['allowed', plain, {}, 'pass', /may use Docker/, undefined],
    ['without root', { ...plain, rootless: true }, {}, 'pass', /without root/, undefined],
    [
      'not in the group',
      forbidden,
      { env: me, files: { '/etc/group': 'docker:x:999:you\n' } },
      'warn',
      /EACCES/,
      'sudo usermod -aG docker me',
    ],
    ['in it since', forbidden, { env: me, files: { '/etc/group': 'root:x:0:\ndocker:x:999:you,me\n' } }, 'warn', /EACCES/, 'newgrp docker'],
    ['no such group', forbidden, { env: me, files: { '/etc/group': 'root:x:0:\n' } }, 'warn', /may not open/, undefined],
    ['no list of groups', forbidden, {}, 'warn', /may not open/, undefined],
    ['absent', absent, {}, 'skip', /no Docker/, undefined],
  ])('%s', async (_, docker, parts, status, message, command) => {
    const answer = await ask('docker.permission', docker, parts);
    expect(answer).toMatchObject({ status, message: expect.stringMatching(message) });
    expect(answer.fix).toEqual(command ? { is: 'command', command } : undefined);
  });

  it('is in the way of containers', async () => {
    expect(await ask('docker.permission', forbidden, { subject: await contained() })).toMatchObject({ status: 'fail', needed: true });
  });
});

describe('docker.api-version', () => {
  it.each<[string, DockerObservation, string, RegExp]>([
    ['new', plain, 'pass', /^Docker 28\.2\.2 speaks API 1\.50$/],
    ['the oldest that will do', { ...plain, version: '20.10.24', apiVersion: '1.41' }, 'pass', /1\.41/],
    ['older', { ...plain, version: '19.03.1', apiVersion: '1.40' }, 'warn', /1\.40; 1\.41 is needed/],
    ['of one digit', { ...plain, apiVersion: '1.9' }, 'warn', /1\.9/],
    ['absent', absent, 'skip', /no Docker/],
  ])('%s', async (_, docker, status, message) => {
    expect(await ask('docker.api-version', docker)).toMatchObject({ status, message: expect.stringMatching(message) });
  });
});

describe('docker.nvidia', () => {
  const toolkit = (version: string) => ({
    'nvidia-ctk --version': { stdout: `NVIDIA Container Toolkit CLI version ${version}\ncommit: x` },
  });
  it.each<[string, DockerObservation, MachineParts, string, RegExp]>([
    ['the runtime', withRuntime, {}, 'pass', /runtime nvidia$/],
    ['CDI', withCdi, {}, 'pass', /by CDI$/],
    ['CDI in an engine that lists none', { ...older, cdiSpecDirectories: ['/etc/cdi'] }, { files: spec }, 'pass', /by CDI$/],
    ['a sound toolkit', withRuntime, { programs: toolkit('1.17.8') }, 'pass', /runtime/],
    ['an old toolkit', withRuntime, { programs: toolkit('1.17.4') }, 'warn', /Toolkit 1\.17\.4 .*CVE-2025-23266/],
    ['neither', plain, {}, 'warn', /^Docker cannot hand GPUs/],
    ['a specification of others', plain, { files: { '/etc/cdi/other.yaml': 'kind: vendor.com/fpga' } }, 'warn', /cannot hand/],
    ['a specification, and CDI off', { ...older }, { files: spec }, 'warn', /^Docker does not read \/etc\/cdi\/nvidia\.yaml/],
    ['on another machine', remote, {}, 'skip', /tcp:\/\/box:2375/],
    ['absent', absent, {}, 'skip', /no Docker/],
  ])('%s', async (_, docker, parts, status, message) => {
    const answer = await ask('docker.nvidia', docker, { gpus: [l4], ...parts });
    expect(answer).toMatchObject({ status, message: expect.stringMatching(message) });
    expect(answer.hint !== '').toBe(status === 'warn');
  });

  it('does not matter without a GPU, and is needed for containers', async () => {
    expect(await ask('docker.nvidia', plain)).toMatchObject({ status: 'skip', message: 'no GPU to hand to containers' });
    expect(await ask('docker.nvidia', plain, { gpus: [l4], subject: await contained() })).toMatchObject({ status: 'fail', needed: true });
  });
});

describe('docker.cgroup-driver', () => {
  it.each<[string, DockerObservation, MachineParts, string, RegExp]>([
    [
      'cgroupfs',
      { ...withRuntime, cgroupDriver: 'cgroupfs', cgroupVersion: '1' },
      { gpus: [l4] },
      'pass',
      /^cgroup driver cgroupfs \(v1\)$/,
    ],
    ['systemd without a GPU', plain, {}, 'pass', /systemd \(v2\)/],
    ['systemd with CDI', withCdi, { gpus: [l4] }, 'pass', /systemd/],
    ['systemd with the runtime alone', withRuntime, { gpus: [l4] }, 'warn', /daemon-reload takes the GPUs/],
    ['systemd elsewhere', remote, { gpus: [l4] }, 'pass', /systemd/],
    ['untold', { is: 'present', socket, version: '5', apiVersion: '1.41', runtimes: [] }, {}, 'skip', /does not tell/],
    ['absent', absent, {}, 'skip', /no Docker/],
  ])('%s', async (_, docker, parts, status, message) => {
    expect(await ask('docker.cgroup-driver', docker, parts)).toMatchObject({ status, message: expect.stringMatching(message) });
  });
});

/** A line of /proc/net/route: device, destination and mask as numbers with dots. */
function toRoute([device, destination, mask]: readonly [string, string, string]): string {
  const toHex = (text: string) =>
    text
      .split('.')
      .toReversed()
      .map((part) => Number(part).toString(16).padStart(2, '0').toUpperCase())
      .join('');
  return `${device}\t${toHex(destination)}\t00000000\t0001\t0\t0\t0\t${toHex(mask)}\t0\t0\t0\n`;
}

const routes = (...lines: readonly (readonly [string, string, string])[]): MachineParts => ({
  files: {
    '/proc/net/route': `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n${lines.map(toRoute).join('')}`,
  },
});
const home = ['eth0', '10.0.0.0', '255.255.255.0'] as const;
const everywhere = ['eth0', '0.0.0.0', '0.0.0.0'] as const;
const bridge = ['docker0', '172.17.0.0', '255.255.0.0'] as const;

describe('docker.address-pools', () => {
  const small: Docker = { ...plain, addressPools: [{ base: '10.200.0.0/23', size: 24 }] };
  it.each<[string, DockerObservation, MachineParts, string, RegExp]>([
    ['a quiet machine', plain, routes(everywhere, home, bridge), 'pass', /^30 of 31 networks of Docker are free$/],
    ['no routes at all', plain, routes(), 'pass', /^31 of 31/],
    ['a network of ours', plain, routes(home, bridge, ['br-0123456789ab', '172.18.0.0', '255.255.0.0']), 'pass', /^29 of 31/],
    ['the local network beside it', plain, routes(['eth0', '192.168.1.0', '255.255.255.0']), 'pass', /^30 of 31/],
    [
      'a VPN on the same addresses',
      plain,
      routes(bridge, ['tun0', '172.16.0.0', '255.240.0.0']),
      'warn',
      /^172\.17\.0\.0\/16 of docker0 overlaps 172\.16\.0\.0\/12 of tun0/,
    ],
    ['a VPN for everything', plain, routes(['tun0', '0.0.0.0', '128.0.0.0'], ['tun0', '128.0.0.0', '128.0.0.0']), 'warn', /^0 of 31/],
    ['pools of the person', small, routes(home), 'warn', /^2 of 2/],
    ['large pools', { ...plain, addressPools: [{ base: '10.0.0.0/8', size: 24 }] }, routes(home), 'pass', /^4095 of 4096/],
    ['pools of IPv6 alone', { ...plain, addressPools: [{ base: 'fd00::/48', size: 64 }] }, routes(), 'skip', /IPv4/],
    ['without root', { ...plain, rootless: true }, routes(home), 'skip', /of its own/],
    ['on another machine', remote, routes(home), 'skip', /another machine/],
    ['unreadable', plain, { files: { '/proc/net/route': { directory: true } } }, 'skip', /could not read \/proc\/net\/route: EISDIR/],
    ['not there', plain, {}, 'skip', /ENOENT/],
    ['absent', absent, routes(home), 'skip', /no Docker/],
  ])('%s', async (_, docker, parts, status, message) => {
    expect(await ask('docker.address-pools', docker, parts)).toMatchObject({ status, message: expect.stringMatching(message) });
  });
});

describe('docker.leftovers', () => {
  const left = { id: 'a'.repeat(64), name: 'qwen-deploy-tiny-0123456789ab', deployment: 'tiny', isOfThisHome: true };

  it('names what is left behind, and the command that removes it', async () => {
    const leftContainers = [left, { ...left, id: 'b'.repeat(64), name: 'qwen-deploy-chat-ba9876543210', isOfThisHome: false }];
    const answer = await ask('docker.leftovers', plain, { leftContainers });
    expect(answer).toMatchObject({ status: 'warn', fix: { is: 'command', command: 'docker rm --force aaaaaaaaaaaa bbbbbbbbbbbb' } });
    expect(answer.evidence).toEqual([
      'aaaaaaaaaaaa qwen-deploy-tiny-0123456789ab',
      'bbbbbbbbbbbb qwen-deploy-chat-ba9876543210 (another home)',
    ]);
  });

  it('has nothing to say where nothing is left, and where there is no Docker', async () => {
    expect(await ask('docker.leftovers', plain)).toMatchObject({ status: 'pass' });
    expect(await ask('docker.leftovers', absent, { leftContainers: [left] })).toMatchObject({ status: 'skip' });
  });
});

describe('docker.storage', () => {
  const gib = 2 ** 30;
  const { rootDirectory: _root, ...untold } = plain;
  it.each<[string, DockerObservation, number, string, RegExp]>([
    ['room', plain, 200, 'pass', /^200 GiB free for images in \/var\/lib\/docker \(overlay2\)$/],
    ['little room', plain, 12, 'warn', /^12\.0 GiB free in \/var\/lib\/docker; .* 30\.0 GiB/],
    ['whole copies', { ...plain, storageDriver: 'vfs' }, 200, 'warn', /vfs/],
    ['untold', untold, 200, 'skip', /does not tell/],
    ['on another machine', remote, 1, 'skip', /another machine/],
    ['absent', absent, 1, 'skip', /no Docker/],
  ])('%s', async (_, docker, free, status, message) => {
    const checks = createDockerChecks(async () => ({ freeBytes: free * gib, totalBytes: 500 * gib }));
    const answer = await runCheck(checks, 'docker.storage', createMachine({ docker }));
    expect(answer).toMatchObject({ status, message: expect.stringMatching(message) });
    expect(answer.hint !== '').toBe(status === 'warn');
  });

  it('says when the file system cannot be asked', async () => {
    const checks = createDockerChecks(() => Promise.reject(Object.assign(new Error('no'), { code: 'EACCES' })));
    expect(await runCheck(checks, 'docker.storage', createMachine({ docker: plain }))).toMatchObject({ status: 'skip' });
  });
});
