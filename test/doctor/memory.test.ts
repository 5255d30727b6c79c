import { describe, expect, it } from 'vitest';
import { memoryChecks } from '../../src/doctor/checks/memory.ts';
import type { Memory } from '../../src/plan/plan.ts';
import { l4 } from '../plan/stand-ins.ts';
import { createMachine, createSubject, type Entry, runCheck, type SubjectParts } from './stand-ins.ts';

const gib = 2 ** 30;
const kibibytes = (amount: number) => Math.round(amount * 2 ** 20);

interface Amounts {
  readonly total: number;
  readonly free: number;
  readonly swap?: number;
  readonly swapFree?: number;
}

/** In GiB. */
const meminfo = ({ total, free, swap = 0, swapFree = swap }: Amounts) => ({
  '/proc/meminfo': [
    `MemTotal:       ${kibibytes(total)} kB`,
    `MemFree:        ${kibibytes(free / 2)} kB`,
    `MemAvailable:   ${kibibytes(free)} kB`,
    `SwapTotal:      ${kibibytes(swap)} kB`,
    `SwapFree:       ${kibibytes(swapFree)} kB`,
    `CommitLimit:    ${kibibytes(8)} kB`,
    `Committed_AS:   ${kibibytes(6.5)} kB`,
    '',
  ].join('\n'),
});
const capped = (bytes: number, used: number): Record<string, Entry> => ({
  '/proc/self/cgroup': '0::/\n',
  '/sys/fs/cgroup/memory.max': `${bytes}\n`,
  '/sys/fs/cgroup/memory.current': `${Math.round(used)}\n`,
  '/sys/fs/cgroup/memory.stat': `anon 1\ninactive_file ${Math.round(0.1 * gib)}\n`,
});

describe('host.ram', () => {
  it.each<[string, Record<string, Entry>, string | undefined, SubjectParts, string, RegExp]>([
    [
      'enough for weights and cache',
      meminfo({ total: 16, free: 12 }),
      'cpu',
      {},
      'pass',
      /12\.0 GiB of 16\.0 GiB free; cpu takes about 5\.0/,
    ],
    ['less than the machine will ever have', meminfo({ total: 4, free: 3.5 }), 'cpu', {}, 'fail', /3\.5 GiB of 4\.0 GiB/],
    ['taken by others', meminfo({ total: 16, free: 3 }), 'cpu', {}, 'fail', /3\.0 GiB of 16/],
    ['taken by itself', meminfo({ total: 16, free: 3 }), 'cpu', { running: true }, 'pass', /3\.0 GiB of 16/],
    ['just enough', meminfo({ total: 16, free: 4.8 }), 'cpu', {}, 'warn', /4\.8 GiB of 16/],
    ['only with swap', meminfo({ total: 16, free: 3, swap: 4 }), 'cpu', {}, 'warn', /3\.0 GiB of 16/],
    ['no weights', meminfo({ total: 4, free: 3 }), 'tiny', {}, 'pass', /tiny takes about 2\.0 GiB/],
    ['a larger cache', meminfo({ total: 16, free: 12 }), 'cpu', { sets: ['vllm.kv-cache-memory-bytes=10G'] }, 'fail', /about 13\.0 GiB/],
    [
      'a share',
      meminfo({ total: 10, free: 6 }),
      'cpu',
      { sets: ['vllm.kv-cache-memory-bytes=', 'vllm.gpu-memory-utilization=0.9'] },
      'fail',
      /10\.9 GiB/,
    ],
    ['replicas', meminfo({ total: 16, free: 12 }), 'cpu', { sets: ['replicas=3'] }, 'fail', /about 15\.\d GiB/],
    ['a GPU beside it', meminfo({ total: 16, free: 8 }), 'int4', {}, 'pass', /int4 takes about 2\.9 GiB/],
    ['little beside a GPU', meminfo({ total: 16, free: 2 }), 'int4', {}, 'warn', /2\.0 GiB of 16/],
    ['nothing beside a GPU', meminfo({ total: 16, free: 1 }), 'int4', {}, 'fail', /1\.0 GiB of 16/],
    ['weights moved out of the GPU', meminfo({ total: 16, free: 8 }), 'int4', { sets: ['vllm.cpu-offload-gb=8'] }, 'warn', /10\.9 GiB/],
    [
      'a capped group',
      { ...meminfo({ total: 16, free: 12 }), ...capped(512 * 2 ** 20, 0.2 * gib) },
      'cpu',
      {},
      'fail',
      /410 MiB of 512 MiB free \(limit/,
    ],
    ['a wide group', { ...meminfo({ total: 16, free: 12 }), ...capped(64 * gib, gib) }, 'cpu', {}, 'pass', /12\.0 GiB of 16\.0 GiB free;/],
    ['the simulator', meminfo({ total: 1, free: 0.5 }), 'demo', {}, 'pass', /^RAM: 512 MiB of 1\.0 GiB free$/],
    ['no profile', meminfo({ total: 1, free: 0.5 }), undefined, {}, 'pass', /^RAM: 512 MiB of 1\.0 GiB free$/],
    ['an old kernel', { '/proc/meminfo': 'MemTotal: 16777216 kB\n' }, 'cpu', {}, 'pass', /16\.0 GiB of 16\.0 GiB/],
    ['nothing', {}, 'cpu', {}, 'skip', /could not read \/proc\/meminfo: ENOENT/],
    ['something unreadable', { '/proc/meminfo': { directory: true } }, 'cpu', {}, 'skip', /could not read \/proc\/meminfo: EISDIR/],
    ['nonsense', { '/proc/meminfo': 'cannot say\n' }, 'cpu', {}, 'skip', /could not read/],
  ])('%s', async (_, files, profile, parts, expected, message) => {
    const subject = profile ? { subject: await createSubject(profile, parts) } : {};
    const answer = await runCheck(memoryChecks, 'host.ram', createMachine({ files, ...subject, gpus: [l4] }));
    expect(answer.status).toBe(expected);
    expect(answer.message).toMatch(message);
    expect(answer.hint !== '').toBe(expected === 'warn' || expected === 'fail');
    expect(answer.needed).toBe(profile !== undefined && profile !== 'demo');
  });

  it('counts what a GPU takes that shares the memory of the machine', async () => {
    const memory = { gpus: 1, budgetBytes: 100 * gib } as Memory;
    const gpus = [{ ...l4, memoryKind: 'unified' } as const];
    const subject = await createSubject('int4', { memory, facts: { gpus: { is: 'present', gpus } } });
    const answer = await runCheck(memoryChecks, 'host.ram', createMachine({ files: meminfo({ total: 120, free: 90 }), subject, gpus }));
    expect(answer).toMatchObject({ status: 'warn', message: expect.stringMatching(/about 103 GiB/) });
  });
});

describe('host.swap', () => {
  it.each<[string, Record<string, Entry>, string, RegExp]>([
    ['none', meminfo({ total: 16, free: 8 }), 'pass', /^no swap/],
    ['unused', meminfo({ total: 16, free: 8, swap: 4 }), 'pass', /^swap: 0 B of 4\.0 GiB used$/],
    ['used by what sleeps', meminfo({ total: 16, free: 8, swap: 4, swapFree: 1 }), 'pass', /3\.0 GiB of 4\.0/],
    ['used, and nothing is left', meminfo({ total: 16, free: 0.5, swap: 4, swapFree: 1 }), 'warn', /hardly any/],
    ['nothing to read', {}, 'skip', /could not read/],
  ])('%s', async (_, files, expected, message) => {
    expect(await runCheck(memoryChecks, 'host.swap', createMachine({ files }))).toMatchObject({
      status: expected,
      message: expect.stringMatching(message),
    });
  });
});

describe('host.overcommit', () => {
  const mode = (text: Entry) => ({ '/proc/sys/vm/overcommit_memory': text, ...meminfo({ total: 16, free: 8 }) });
  it.each<[string, Record<string, Entry>, string | undefined, string, RegExp]>([
    ['as usual', mode('0\n'), 'cpu', 'pass', /vm\.overcommit_memory 0/],
    ['always', mode('1\n'), 'cpu', 'pass', /1\)/],
    ['strict', mode('2\n'), 'cpu', 'warn', /only 1\.5 GiB more/],
    ['strict, without a profile', mode('2\n'), undefined, 'warn', /only 1\.5 GiB/],
    ['strict, for the simulator', mode('2\n'), 'demo', 'pass', /only 1\.5 GiB/],
    ['strict, and no figures', { '/proc/sys/vm/overcommit_memory': '2\n' }, 'cpu', 'warn', /only \? more/],
    ['not there', {}, 'cpu', 'skip', /could not read/],
    ['unreadable', mode({ directory: true }), 'cpu', 'skip', /could not read .*EISDIR/],
  ])('%s', async (_, files, profile, expected, message) => {
    const subject = profile ? { subject: await createSubject(profile) } : {};
    const answer = await runCheck(memoryChecks, 'host.overcommit', createMachine({ files, ...subject }));
    expect(answer).toMatchObject({ status: expected, message: expect.stringMatching(message) });
    expect(answer.fix?.is).toBe(expected === 'warn' ? 'command' : undefined);
  });
});
