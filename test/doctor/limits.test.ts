import { afterEach, describe, expect, it, vi } from 'vitest';
import { limitChecks } from '../../src/doctor/checks/limits.ts';
import { createMachine, createSubject, type Entry, runCheck } from './stand-ins.ts';

afterEach(() => vi.restoreAllMocks());

/** One line of /proc/self/limits. */
const limit = (name: string, soft: string, hard = soft): Record<string, Entry> => ({
  '/proc/self/limits': `Limit                     Soft Limit           Hard Limit           Units     \n${name.padEnd(26)}${soft.padEnd(21)}${hard.padEnd(21)}files     \n`,
});
const unreadable: Record<string, Entry> = { '/proc/self/limits': { directory: true } };

async function ask(id: string, files: Record<string, Entry>, profile?: string, ...sets: readonly string[]) {
  return runCheck(limitChecks, id, createMachine({ files, ...(profile ? { subject: await createSubject(profile, { sets }) } : {}) }));
}

describe('host.nofile', () => {
  it.each<[string, Record<string, Entry>, string | undefined, readonly string[], string, RegExp]>([
    [
      'as usual: vLLM raises it',
      limit('Max open files', '1024', '1048576'),
      'int4',
      [],
      'pass',
      /65535 for an engine \(limit 1024, at most 1048576\)/,
    ],
    ['no limit', limit('Max open files', 'unlimited'), 'int4', [], 'pass', /unlimited/],
    ['a hard limit that vLLM cannot reach', limit('Max open files', '1024', '4096'), 'cpu', [], 'pass', /1024 for an engine/],
    [
      'less than its requests need',
      limit('Max open files', '1024', '4096'),
      'cpu',
      ['vllm.max-num-seqs=1024'],
      'warn',
      /1024, .* about 1536/,
    ],
    ['less than an idle engine has', limit('Max open files', '256'), 'cpu', [], 'fail', /^open files: 256,/],
    ['what the profile says', limit('Max open files', '256', '4096'), 'cpu', ['resources.nofile=4096'], 'pass', /4096 for an engine/],
    ['no profile', limit('Max open files', '600', '600'), undefined, [], 'pass', /600/],
    ['not there', {}, 'cpu', [], 'skip', /could not read \/proc\/self\/limits: ENOENT/],
    ['unreadable', unreadable, 'cpu', [], 'skip', /could not read \/proc\/self\/limits: EISDIR/],
    ['a file without the line', limit('Max nice priority', '0'), 'cpu', [], 'skip', /could not read .*Max open files/],
  ])('%s', async (_, files, profile, sets, expected, message) => {
    const answer = await ask('host.nofile', files, profile, ...sets);
    expect(answer).toMatchObject({ status: expected, message: expect.stringMatching(message) });
    expect(answer.hint.includes('LimitNOFILE=65535')).toBe(expected === 'warn' || expected === 'fail');
    expect(answer.needed).toBe(profile !== undefined);
  });
});

describe('host.nproc', () => {
  it.each<[string, Record<string, Entry>, number, string, RegExp]>([
    ['many', limit('Max processes', '96365'), 1000, 'pass', /96365/],
    ['none', limit('Max processes', 'unlimited'), 1000, 'pass', /unlimited/],
    ['few', limit('Max processes', '700'), 1000, 'warn', /700 for all/],
    ['too few', limit('Max processes', '100'), 1000, 'fail', /100 for all/],
    ['few, which root does not feel', limit('Max processes', '100'), 0, 'pass', /100/],
    ['unreadable', unreadable, 1000, 'skip', /could not read/],
  ])('%s', async (_, files, uid, expected, message) => {
    vi.spyOn(process, 'getuid').mockReturnValue(uid);
    expect(await ask('host.nproc', files, 'cpu')).toMatchObject({ status: expected, message: expect.stringMatching(message) });
  });
});

describe('host.memlock', () => {
  const card = { '/sys/class/infiniband/mlx5_0/node_guid': 'x\n' };
  it.each<[string, Record<string, Entry>, string | undefined, string, RegExp]>([
    ['without such a card', limit('Max locked memory', '8388608'), 'tp2', 'pass', /8\.0 MiB/],
    ['one GPU', { ...limit('Max locked memory', '8388608'), ...card }, 'int4', 'pass', /8\.0 MiB/],
    ['several GPUs and a card', { ...limit('Max locked memory', '8388608'), ...card }, 'tp2', 'warn', /talk through mlx5_0/],
    ['unlimited', { ...limit('Max locked memory', 'unlimited'), ...card }, 'tp2', 'pass', /unlimited/],
    ['no profile', { ...limit('Max locked memory', '65536'), ...card }, undefined, 'pass', /64\.0 KiB/],
    ['unreadable', unreadable, 'tp2', 'skip', /could not read/],
  ])('%s', async (_, files, profile, expected, message) => {
    expect(await ask('host.memlock', files, profile)).toMatchObject({ status: expected, message: expect.stringMatching(message) });
  });
});

describe('host.ulimit-core', () => {
  const pattern = (text: Entry) => ({ '/proc/sys/kernel/core_pattern': text });
  it.each<[string, Record<string, Entry>, string, RegExp]>([
    ['off', { ...limit('Max core file size', '0', 'unlimited'), ...pattern('core\n') }, 'pass', /^no memory dumps/],
    [
      'handed to a program',
      { ...limit('Max core file size', 'unlimited'), ...pattern('|/usr/lib/systemd/systemd-coredump %P\n') },
      'pass',
      /taken care of/,
    ],
    [
      'into a file',
      { ...limit('Max core file size', 'unlimited'), ...pattern('core.%p\n') },
      'warn',
      /all of its memory .*"core\.%p", unlimited/,
    ],
    ['a small file', { ...limit('Max core file size', '1048576'), ...pattern('core\n') }, 'pass', /at most 1\.0 MiB/],
    [
      'an unreadable pattern',
      { ...limit('Max core file size', 'unlimited'), ...pattern({ directory: true }) },
      'skip',
      /could not read .*core_pattern/,
    ],
    ['unreadable', unreadable, 'skip', /could not read/],
  ])('%s', async (_, files, expected, message) => {
    expect(await ask('host.ulimit-core', files)).toMatchObject({ status: expected, message: expect.stringMatching(message) });
  });
});

describe('host.inotify', () => {
  const inotify = (instances: Entry, watches: Entry): Record<string, Entry> => ({
    '/proc/sys/fs/inotify/max_user_instances': instances,
    '/proc/sys/fs/inotify/max_user_watches': watches,
  });
  it.each<[string, Record<string, Entry>, string, RegExp]>([
    ['as usual', inotify('128\n', '65536\n'), 'pass', /65536 in 128 groups/],
    ['few groups', inotify('8\n', '65536\n'), 'warn', /in 8 groups/],
    ['few files', inotify('128\n', '512\n'), 'warn', /512 in/],
    ['not there', {}, 'skip', /could not read/],
    ['unreadable', inotify({ directory: true }, '1\n'), 'skip', /could not read/],
    ['half unreadable', inotify('128\n', { directory: true }), 'skip', /could not read .*max_user_watches/],
  ])('%s', async (_, files, expected, message) => {
    const answer = await ask('host.inotify', files);
    expect(answer).toMatchObject({ status: expected, message: expect.stringMatching(message) });
    expect(answer.fix?.is).toBe(expected === 'warn' ? 'command' : undefined);
  });
});
