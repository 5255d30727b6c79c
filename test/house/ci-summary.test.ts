import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const program = fileURLToPath(new URL('../../scripts/ci-summary.mjs', import.meta.url));
const report = (passed: number, failed: number, rest = {}) =>
  JSON.stringify({ numPassedTests: passed, numFailedTests: failed, numPendingTests: 0, numTodoTests: 0, success: failed === 0, ...rest });

const reports: Readonly<Record<string, string>> = {
  good: report(5, 0),
  skipping: report(5, 0, { numPendingTests: 2, numTodoTests: 1 }),
  bad: report(3, 2),
  empty: report(0, 0),
  'all-skipped': report(0, 0, { numPendingTests: 4 }),
  'broken-file': report(4, 0, { success: false, numFailedTestSuites: 1 }),
  'stray-error': report(4, 0, { success: false, numFailedTestSuites: 0 }),
  garbage: 'no JSON',
};

/** Reports (or `--broken STEP`), closing line, exit status. */
const table: readonly (readonly [readonly string[], string, number])[] = [
  [['good'], '5 passed, 0 failed, 0 skipped', 0],
  [['good', 'skipping'], '10 passed, 0 failed, 3 skipped', 0],
  [['good', 'bad'], '8 passed, 2 failed, 0 skipped', 1],
  [['good', 'empty'], '5 passed, 1 failed, 0 skipped', 1],
  [['all-skipped'], '0 passed, 1 failed, 4 skipped', 1],
  [['broken-file'], '4 passed, 1 failed, 0 skipped', 1],
  [['stray-error'], '4 passed, 1 failed, 0 skipped', 1],
  [['good', 'garbage'], '5 passed, 1 failed, 0 skipped', 1],
  [['good', 'no-such-report'], '5 passed, 1 failed, 0 skipped', 1],
  [['good', '--broken', 'engine'], '5 passed, 1 failed, 0 skipped', 1],
  [['good', '--broken', 'good'], '5 passed, 1 failed, 0 skipped', 1],
  [['bad', '--broken', 'bad'], '3 passed, 2 failed, 0 skipped', 1],
  [[], '0 passed, 0 failed, 0 skipped', 1],
];

describe('closing line of CI', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'reports-'));
    for (const [name, text] of Object.entries(reports)) await writeFile(join(directory, name), text);
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it.each(table)('%j', async (names, line, exitStatus) => {
    const split = names.indexOf('--broken');
    const suites = split < 0 ? names : names.slice(0, split);
    const args = [...suites.map((name) => `${name}=${join(directory, name)}`), ...names.slice(suites.length)];
    const { stdout, exitCode } = await execa(process.execPath, [program, ...args], { reject: false });
    expect(stdout.split('\n').at(-1)).toBe(line);
    expect(exitCode).toBe(exitStatus);
  });
});
