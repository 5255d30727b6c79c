import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { serviceChecks } from '../../src/doctor/checks/service.ts';
import { createMachine, type Entry, type MachineParts, runCheck } from './stand-ins.ts';

beforeEach(() => void vi.spyOn(process, 'getuid').mockReturnValue(1000));
afterEach(() => vi.restoreAllMocks());

const booted: Record<string, Entry> = {
  '/run/systemd/system': { directory: true },
  '/proc/1/comm': 'systemd\n',
  '/etc/passwd': 'root:x:0:0:root:/root:/bin/bash\nmei:x:1000:1000::/home/mei:/bin/bash\n',
};
const session: Record<string, Entry> = { '/run/user/1000/systemd/private': '' };
const runtime = { XDG_RUNTIME_DIR: '/run/user/1000', QWEN_DEPLOY_HOME: '' };

async function check(id: string, parts: MachineParts, expected: string, message: RegExp) {
  const answer = await runCheck(serviceChecks, id, createMachine(parts));
  expect(answer).toMatchObject({ status: expected, message: expect.stringMatching(message) });
  expect(answer.hint !== '').toBe(expected === 'warn');
  return answer;
}

describe('service.systemd', () => {
  it.each<[string, MachineParts, string, RegExp]>([
    ['a session', { files: { ...booted, ...session }, env: runtime }, 'pass', /^systemd, with a user session$/],
    ['none', { files: booted }, 'warn', /no user session/],
    ['one that the shell does not know of', { files: { ...booted, ...session } }, 'warn', /does not know of it/],
    ['another first process', { files: { '/proc/1/comm': 'tini\n' } }, 'skip', /process 1 is tini/],
    ['nothing to read', { files: { '/proc/1/comm': { directory: true } } }, 'skip', /process 1 is \?/],
  ])('%s', async (_, parts, expected, message) => {
    await check('service.systemd', parts, expected, message);
  });

  it('names the user as the list of users has it', async () => {
    const { hint } = await check('service.systemd', { files: booted, env: { USER: 'caller' } }, 'warn', /no user session/);
    expect(hint).toMatch(/machinectl shell mei@/);
  });
});

describe('service.linger', () => {
  it.each<[string, MachineParts, string, RegExp]>([
    ['on', { files: { ...booted, '/var/lib/systemd/linger/mei': '' }, env: runtime }, 'pass', /^lingering is on for mei/],
    ['off', { files: booted, env: runtime }, 'warn', /off for mei: after a logout, deployments may be out of reach/],
    ['off, with sockets elsewhere', { files: booted }, 'pass', /ends nothing here/],
    [
      'off, and a logout ends everything',
      { files: { ...booted, '/etc/systemd/logind.conf': '[Login]\n#KillUserProcesses=no\nKillUserProcesses=yes\n' } },
      'warn',
      /ends everything that mei has started/,
    ],
    [
      'a later file takes that back',
      {
        files: {
          ...booted,
          '/etc/systemd/logind.conf': '[Login]\nKillUserProcesses=yes\n',
          '/etc/systemd/logind.conf.d/50-keep.conf': '[Login]\nKillUserProcesses=no\n',
        },
      },
      'pass',
      /ends nothing here/,
    ],
    ['on for somebody else', { files: { ...booted, '/var/lib/systemd/linger/root': '' }, env: runtime }, 'warn', /off for mei/],
    ['an unreadable configuration', { files: { ...booted, '/etc/systemd/logind.conf': { directory: true } } }, 'pass', /ends nothing here/],
    ['a user without a name', { files: { ...booted, '/etc/passwd': '' }, env: { ...runtime, USER: 'me' } }, 'warn', /off for me:/],
    ['no systemd', {}, 'skip', /no systemd/],
  ])('%s', async (_, parts, expected, message) => {
    const { fix } = await check('service.linger', parts, expected, message);
    expect(fix?.is).toBe(expected === 'warn' ? 'command' : undefined);
  });
});

describe('service.boot', () => {
  const first = { '/proc/1/comm': 'init\n' };
  it.each<[string, MachineParts, string, RegExp]>([
    ['systemd', { files: booted }, 'pass', /qwen-deploy install NAME/],
    ['a container', { files: { ...first, '/.dockerenv': '' } }, 'pass', /let the container run .*--foreground/],
    ['cron', { files: { ...first, '/run/crond.pid': '1\n' } }, 'pass', /@reboot/],
    ['nothing known', { files: first }, 'pass', /what starts this machine/],
    ['unreadable', { files: { '/proc/1/comm': { directory: true } } }, 'skip', /could not read/],
    ['no /proc', {}, 'skip', /could not read/],
  ])('%s', async (_, parts, expected, message) => {
    await check('service.boot', parts, expected, message);
  });
});
