import { describe, expect, it, vi } from 'vitest';
import { createTemporaryChecks, temporaryChecks } from '../../src/doctor/checks/temporary.ts';
import type { ReadSpace, Space } from '../../src/doctor/space.ts';
import { createMachine, createSubject, type Entry, type MachineParts, runCheck } from './stand-ins.ts';

const mib = 2 ** 20;
const room = (mebibytes: number, total = mebibytes): Space => ({ freeBytes: mebibytes * mib, totalBytes: total * mib });
const refused: ReadSpace = async () => Promise.reject(Object.assign(new Error('no'), { code: 'ESTALE' }));

interface Ask extends MachineParts {
  readonly space?: Space | ReadSpace;
  readonly profile?: string;
  readonly sets?: readonly string[];
}

async function ask(id: string, { space = room(50_000), profile, sets = [], ...parts }: Ask) {
  const checks = createTemporaryChecks(typeof space === 'function' ? space : async () => space);
  const subject = profile ? { subject: await createSubject(profile, { sets }) } : {};
  return runCheck(checks, id, createMachine({ ...parts, ...subject }));
}

const directory: Entry = { directory: true };

describe('host.tmp', () => {
  const tmp = { '/tmp': directory };
  const mounts = (point: string, options: string) => ({
    ...tmp,
    '/proc/self/mountinfo': `1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 0:5 / ${point} rw,nosuid,${options} shared:3 - tmpfs tmpfs rw\n`,
  });
  it.each<[string, Ask, string, RegExp]>([
    ['room', { files: tmp, profile: 'int4' }, 'pass', /48\.8 GiB free in \/tmp/],
    ['another place', { files: { '/var/tmp': directory }, env: { TMPDIR: '/var/tmp' } }, 'pass', /in \/var\/tmp/],
    ['a long one, which launches do not take', { files: tmp, env: { TMPDIR: `/${'x'.repeat(60)}` } }, 'pass', /in \/tmp/],
    ['little room', { files: tmp, space: room(50) }, 'warn', /only 50\.0 MiB free in \/tmp/],
    ['no inodes', { files: tmp, space: { ...room(500), freeFiles: 0 } }, 'warn', /only/],
    ['none', { profile: 'int4' }, 'fail', /\/tmp cannot be used \(ENOENT\)/],
    ['noexec, on a GPU', { files: mounts('/tmp', 'noexec'), profile: 'int4' }, 'fail', /^\/tmp: .* \/tmp is mounted noexec/],
    [
      'noexec caches, on a GPU',
      { files: mounts('/home', 'noexec'), profile: 'int4', env: { HOME: '/home/me' } },
      'fail',
      /^\/home\/me\/.cache\/vllm: /,
    ],
    [
      'noexec caches, moved away',
      {
        files: mounts('/home', 'noexec'),
        profile: 'int4',
        sets: ['engine.env.VLLM_CACHE_ROOT=/srv/v', 'engine.env.TRITON_CACHE_DIR=/srv/t'],
        env: { HOME: '/home/me' },
      },
      'pass',
      /free in/,
    ],
    ['noexec, where nothing is compiled', { files: mounts('/tmp', 'noexec'), profile: 'tiny' }, 'pass', /free in/],
    [
      'noexec, where something is',
      { files: mounts('/tmp', 'noexec'), profile: 'cpu', sets: ['vllm.enforce-eager=false'] },
      'fail',
      /noexec/,
    ],
    ['noexec, without a profile', { files: mounts('/tmp', 'noexec') }, 'pass', /free in/],
    ['unreadable mounts', { files: { ...tmp, '/proc/self/mountinfo': directory }, profile: 'int4' }, 'pass', /free in/],
    ['a file system that does not answer', { files: tmp, space: refused }, 'skip', /could not read .*ESTALE/],
  ])('%s', async (_, options, expected, message) => {
    const answer = await ask('host.tmp', options);
    expect(answer).toMatchObject({ status: expected, message: expect.stringMatching(message) });
    expect(answer.needed).toBe(options.profile !== undefined);
  });
});

describe('host.shm', () => {
  const shm = { '/dev/shm': directory };
  it.each<[string, Ask, string, RegExp]>([
    ['room', { files: shm, profile: 'tp2', space: room(7000, 8192) }, 'pass', /6\.8 GiB of 8\.0 GiB free/],
    ["Docker's own, one GPU", { files: shm, profile: 'int4', space: room(64) }, 'pass', /64\.0 MiB/],
    ["Docker's own, two GPUs", { files: shm, profile: 'tp2', space: room(64) }, 'fail', /64\.0 MiB, little for 2 GPUs/],
    ['little, two GPUs', { files: shm, profile: 'tp2', space: room(512) }, 'warn', /512 MiB, little for 2 GPUs/],
    ['full', { files: shm, profile: 'cpu', space: room(1, 64) }, 'fail', /1\.0 MiB of 64\.0 MiB free, and no engine/],
    ['full, without a profile', { files: shm, space: room(1, 64) }, 'pass', /1\.0 MiB of 64\.0 MiB free$/],
    ['none', { profile: 'cpu' }, 'fail', /no \/dev\/shm/],
    ['none, and none is needed', { profile: 'demo' }, 'skip', /no \/dev\/shm/],
    [
      'one of its own',
      { files: shm, profile: 'int4', sets: ['engine.backend=docker'], space: room(1) },
      'skip',
      /the container gets its own/,
    ],
    ['a file system that does not answer', { files: shm, profile: 'cpu', space: refused }, 'skip', /could not read .*ESTALE/],
  ])('%s', async (_, options, expected, message) => {
    expect(await ask('host.shm', options)).toMatchObject({ status: expected, message: expect.stringMatching(message) });
  });

  it('asks the file system below the root', async () => {
    const read = vi.fn<ReadSpace>(async () => room(100));
    const machine = createMachine({ files: shm });
    await runCheck(createTemporaryChecks(read), 'host.shm', machine);
    expect(read).toHaveBeenCalledWith(`${machine.root}/dev/shm`);
    expect((await runCheck(temporaryChecks, 'host.shm', machine)).message).toMatch(/^shared memory: \d/);
  });
});
