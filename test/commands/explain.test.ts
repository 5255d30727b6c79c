import { expect, test } from 'vitest';
import { runCommandLine } from '../../src/commands/cli.ts';
import { createFakeHost } from './fake-host.ts';

async function run(line: string) {
  const host = createFakeHost();
  const status = await runCommandLine(`explain ${line}`.split(' '), host);
  return { status, ...host.printed };
}

test.each([
  '--flag max-num-seqs',
  '--flag enable-prefix-caching --engine-version 0.33.0',
  '--flag -tp',
  '--flag swap-space',
  '--flag log-level --engine-version 0.30.0',
  '--flag disable-log-stats',
  'runtime/port-taken',
  'profile/flag-range',
  'gpu.present',
  'vram-held',
  'xid-79',
])('explain %s', async (line) => {
  const { status, stdout, stderr } = await run(line);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const name = line.replace(/^--flag /, '').replaceAll(/[^\w.-]+/g, '-');
  await expect(stdout).toMatchFileSnapshot(`../golden/explain/${name}.txt`);
});

test('as a document', async () => {
  const { stdout } = await run('--flag max_num_batched_tokens --engine-version 0.32.0 -o json');
  expect(JSON.parse(stdout)).toMatchObject({
    kind: 'Explanation',
    version: 1,
    flag: 'max-num-batched-tokens',
    engineVersion: '0.32.0',
    type: 'human-integer',
    bounds: { ge: 1 },
    group: 'SchedulerConfig',
    advice: expect.stringContaining('2048'),
  });
  const code = JSON.parse((await run('runtime/port-taken -o json')).stdout);
  expect(code).toMatchObject({ kind: 'Explanation', version: 1, code: 'runtime/port-taken', exitStatus: 4 });
  const list = JSON.parse((await run('--list -o json')).stdout);
  expect(list.codes.map((one: { code: string }) => one.code)).toEqual(
    expect.arrayContaining(['runtime/port-taken', 'profile/unknown-flag']),
  );
});

test.each([
  ['--flag max-nmu-seqs', 6, 'max-num-seqs'],
  ['--flag seed --engine-version 0.9.0', 6, '0.24.0'],
  ['profile/unknown-flga', 6, 'profile/unknown-flag'],
  ['--list --flag seed', 2, 'one thing'],
])('%s', async (line, status, words) => {
  const { stdout, stderr, ...rest } = await run(line);
  expect({ ...rest, stdout }).toEqual({ status, stdout: '' });
  expect(stderr).toContain(words);
});
