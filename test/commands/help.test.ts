import { describe, expect, test } from 'vitest';
import { runCommandLine } from '../../src/commands/cli.ts';
import { version } from '../../src/commands/version.ts';
import { createFakeHost } from './fake-host.ts';

const lines = [
  '--help',
  'up --help',
  'down --help',
  'restart --help',
  'status --help',
  'ask --help',
  'logs --help',
  'events --help',
  'plan --help',
  'render --help',
  'doctor --help',
  'profiles --help',
  'profiles list --help',
  'profiles show --help',
  'profiles import --help',
  'profiles check --help',
  'profiles diff --help',
  'profiles init --help',
  'profiles schema --help',
  'engine --help',
  'engine install --help',
  'engine list --help',
  'engine export --help',
  'engine remove --help',
  'engine sync-flags --help',
  'explain --help',
  'forget --help',
  'install --help',
  'uninstall --help',
];

describe('help', () => {
  test.each(lines)('%s', async (line) => {
    const { status, stdout, stderr } = await read(line.split(' '));
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const name = line === '--help' ? 'qwen-deploy' : line.replace(' --help', '').replaceAll(' ', '-');
    await expect(stdout).toMatchFileSnapshot(`../golden/help/${name}.txt`);
  });

  test('no verb, help and -h are the same help', async () => {
    const help = await read(['--help']);
    expect(await read([])).toEqual(help);
    expect(await read(['help'])).toEqual(help);
    expect(await read(['-h'])).toEqual(help);
  });

  test('help VERB is VERB --help, and ps is status', async () => {
    expect(await read(['help', 'engine', 'install'])).toEqual(await read(['engine', 'install', '--help']));
    expect(await read(['ps', '--help'])).toEqual(await read(['status', '--help']));
  });

  test('the version', async () => {
    expect(await read(['--version'])).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
  });

  test('the internal verb is not shown', async () => {
    expect((await read(['--help'])).stdout).not.toContain('supervise');
  });
});

async function read(argv: readonly string[]) {
  const host = createFakeHost();
  const status = await runCommandLine(argv, host);
  return { status, ...host.printed };
}
