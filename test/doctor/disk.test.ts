import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createDiskChecks, diskChecks } from '../../src/doctor/checks/disk.ts';
import type { ReadSpace, Space } from '../../src/doctor/space.ts';
import type { ModelFact } from '../../src/plan/facts.ts';
import { createMachine, createSubject, type Entry, runCheck, type SubjectParts } from './stand-ins.ts';

const gib = 2 ** 30;
const room = (gibibytes: number, freeFiles?: number): Space => ({
  freeBytes: gibibytes * gib,
  totalBytes: 100 * gib,
  ...(freeFiles === undefined ? {} : { freeFiles }),
});
const refused: ReadSpace = async () => Promise.reject(Object.assign(new Error('no'), { code: 'EACCES' }));

interface Ask {
  readonly space: Space | ReadSpace;
  readonly profile?: string | undefined;
  readonly parts?: SubjectParts;
  readonly files?: Record<string, Entry>;
  readonly env?: NodeJS.ProcessEnv;
}

async function ask(id: string, { space, profile, parts = {}, files = {}, env = {} }: Ask) {
  const asked: string[] = [];
  const read: ReadSpace = async (path) => {
    asked.push(path);
    return typeof space === 'function' ? space(path) : space;
  };
  const subject = profile ? { subject: await createSubject(profile, parts) } : {};
  return { ...(await runCheck(createDiskChecks(read), id, createMachine({ files, env, ...subject }))), asked };
}

const absent: ModelFact = { is: 'hub', cached: false };

describe('host.disk-models', () => {
  it.each<[string, Space | ReadSpace, string | undefined, SubjectParts, string, RegExp, boolean]>([
    [
      'room for what is to be fetched',
      room(50),
      'cpu',
      { facts: { model: absent } },
      'pass',
      /50\.0 GiB free, Qwen\/Qwen3-0\.6B takes 1\.2 GiB/,
      true,
    ],
    [
      'no room for it',
      room(0.5),
      'cpu',
      { facts: { model: absent } },
      'fail',
      /512 MiB free in .*hub, Qwen\/Qwen3-0\.6B takes 1\.2 GiB/,
      true,
    ],
    ['the weights are here', room(0.5), 'cpu', {}, 'pass', /the weights are here/, false],
    ['a checkpoint of its own', room(0.5), 'cpu', { facts: { model: { is: 'local' } } }, 'pass', /512 MiB free$/, false],
    [
      'an unknown model',
      room(50),
      'cpu',
      { sets: ['model=me/mine'], facts: { model: absent } },
      'pass',
      /size of me\/mine is not known/,
      true,
    ],
    [
      'an unknown model and little room',
      room(2),
      'cpu',
      { sets: ['model=me/mine'], facts: { model: absent } },
      'warn',
      /2\.0 GiB free/,
      true,
    ],
    ['no profile', room(0.5), undefined, {}, 'pass', /^disk for models: 512 MiB free$/, false],
    ['a file system that does not answer', refused, 'cpu', { facts: { model: absent } }, 'skip', /could not read .*hub: EACCES/, true],
  ])('%s', async (_, space, profile, parts, expected, message, needed) => {
    const answer = await ask('host.disk-models', { space, profile, parts });
    expect(answer).toMatchObject({ status: expected, message: expect.stringMatching(message), needed });
  });

  it('asks for the cache that the engine will use', async () => {
    expect((await ask('host.disk-models', { space: room(1), env: { HF_HOME: '/srv/hf' } })).asked).toEqual(['/srv/hf/hub']);
    const parts = { sets: ['engine.env.HF_HUB_CACHE=/srv/models'] };
    expect((await ask('host.disk-models', { space: room(1), profile: 'cpu', parts })).asked).toEqual(['/srv/models']);
  });
});

describe('host.disk-engines', () => {
  const none = { facts: { engines: [] } };
  const noexec = { '/proc/self/mountinfo': '1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 8:2 / /srv rw,noexec - ext4 /dev/b rw\n' };
  it.each<[string, Ask, string, RegExp]>([
    ['room for one', { space: room(20), profile: 'int4', parts: none }, 'pass', /20\.0 GiB free, this one takes up to 14\.0 GiB/],
    ['no room for a GPU engine', { space: room(5), profile: 'int4', parts: none }, 'fail', /5\.0 GiB free in .*engines, .* 14\.0 GiB/],
    ['room for the smaller CPU engine', { space: room(5), profile: 'cpu', parts: none }, 'pass', /up to 3\.5 GiB/],
    ['an engine that is here', { space: room(0.1), profile: 'int4' }, 'pass', /102 MiB free$/],
    ['no profile', { space: room(0.1) }, 'pass', /102 MiB free$/],
    ['the simulator', { space: room(0.1), profile: 'demo' }, 'pass', /102 MiB free$/],
    [
      'nothing may run there',
      { space: room(50), profile: 'int4', files: noexec, env: { QWEN_DEPLOY_HOME: '/srv/q' } },
      'fail',
      /\/srv is mounted noexec/,
    ],
    [
      'nothing may run beside it',
      { space: room(50), profile: 'int4', files: noexec, env: { QWEN_DEPLOY_HOME: '/srv2/q' } },
      'pass',
      /50\.0 GiB/,
    ],
    ['a file system that does not answer', { space: refused, profile: 'int4' }, 'skip', /EACCES/],
  ])('%s', async (_, options, expected, message) => {
    expect(await ask('host.disk-engines', options)).toMatchObject({ status: expected, message: expect.stringMatching(message) });
  });
});

describe('host.disk-state', () => {
  it.each<[string, Space | ReadSpace, string, RegExp]>([
    ['room', room(10, 1e6), 'pass', /10\.0 GiB free$/],
    ['little', room(0.25), 'warn', /256 MiB free in .*state/],
    ['none', room(0.001), 'fail', /1\.0 MiB free in/],
    ['hardly any inodes', room(10, 20), 'warn', /room for 20 more files/],
    ['no inodes', room(10, 0), 'fail', /room for 0 more files/],
    ['a file system that does not answer', refused, 'skip', /EACCES/],
  ])('%s', async (_, space, expected, message) => {
    const answer = await ask('host.disk-state', { space, profile: 'demo' });
    expect(answer).toMatchObject({ status: expected, message: expect.stringMatching(message), needed: true });
  });

  it('asks what there is of a place that is not there yet', async () => {
    const machine = createMachine();
    const answer = await runCheck(diskChecks, 'host.disk-state', machine);
    expect(answer.evidence[0]).toMatch(new RegExp(`^statfs ${join(machine.places.state)}: \\d`));
  });
});
