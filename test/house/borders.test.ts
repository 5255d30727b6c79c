import { beforeAll, describe, expect, it } from 'vitest';
import { checkProject, type Verdict } from './house.ts';

/** File, its text, and what is said about it. */
const violations: readonly (readonly [string, string, string])[] = [
  ['src/core/a.ts', "import { x } from '../host/x.ts';\nx();", 'src/core/a.ts:1 core may not import host (src/host/x.ts)'],
  ['src/core/b.ts', "import 'execa';", 'src/core/b.ts:1 only src/host/exec.ts may import execa'],
  ['src/host/a.ts', "\n\nimport { execa } from 'execa';\nexeca();", 'src/host/a.ts:3 only src/host/exec.ts may import execa'],
  ['src/views/a.ts', "import ora from 'ora';\nora();", 'src/views/a.ts:1 only src/views/spinner.ts may import ora'],
  ['src/views/b.ts', "import { x } from '../operate/x.ts';\nx();", 'src/views/b.ts:1 views may not import operate (src/operate/x.ts)'],
  ['src/views/c.ts', "export * from '../host/x.ts';", 'src/views/c.ts:1 views may not import host (src/host/x.ts)'],
  ['src/views/d.ts', "export { x } from '../host/x.ts';", 'src/views/d.ts:1 views may not import host (src/host/x.ts)'],
  ['src/views/e.ts', "export const x = () => import('../host/x.ts');", 'src/views/e.ts:1 views may not import host (src/host/x.ts)'],
  [
    'src/views/f.ts',
    "import {\n  x,\n  type Y,\n} from '../host/x.ts';\nexport const y: Y = x;",
    'src/views/f.ts:4 views may not import host (src/host/x.ts)',
  ],
  ['src/commands/a.ts', "import { x } from '../plan/x.ts';\nx();", 'src/commands/a.ts:1 commands may not import plan (src/plan/x.ts)'],
  ['src/commands/b.ts', "import { z } from 'zod';\nz();", 'src/commands/b.ts:1 commands may not import the package zod'],
  ['src/profile/a.ts', "import { x } from '../host/x.ts';\nx();", 'src/profile/a.ts:1 profile may not import host (src/host/x.ts)'],
  [
    'src/profile/b.ts',
    "import { readFile } from 'node:fs/promises';\nreadFile('a');",
    'src/profile/b.ts:1 may not use node:fs/promises; it belongs in src/host/',
  ],
  [
    'src/supervisor/a.ts',
    "import { spawn } from 'node:child_process';\nspawn('a');",
    'src/supervisor/a.ts:1 may not use node:child_process; it belongs in src/host/',
  ],
  [
    'src/supervisor/b.ts',
    "import { get } from 'node:http';\nget('a');",
    'src/supervisor/b.ts:1 may not use node:http; it belongs in src/host/',
  ],
  ['src/operate/a.ts', '\nif (1 > 0) process.exit(1);', 'src/operate/a.ts:2 process.exit belongs in src/entry/process.ts'],
  ['src/operate/b.ts', "process.on('SIGTERM', () => 1);", 'src/operate/b.ts:1 process.on belongs in src/entry/process.ts'],
  ['src/operate/c.ts', 'process.exitCode = 1;', 'src/operate/c.ts:1 process.exitCode belongs in src/entry/process.ts'],
  ['src/operate/d.ts', "import '../main.ts';", 'src/operate/d.ts:1 imports src/main.ts, where a program begins'],
  ['src/operate/e.ts', "import '../../test/x.ts';", 'src/operate/e.ts:1 imports test/x.ts, which is outside src/'],
  ['src/misc/a.ts', "import '../core/x.ts';", 'src/misc/a.ts:1 misc is no room of the table'],
  ['src/misc/b.ts', 'const = 1;', 'src/misc/b.ts:1 cannot be read'],
];

/** Things that are allowed, and things that only look forbidden. */
const allowed: readonly (readonly [string, string])[] = [
  ['src/entry/process.ts', "import '../commands/a.ts';\nprocess.on('SIGTERM', () => process.exit(0));"],
  [
    'src/core/a.ts',
    "import type { X } from '../host/x.ts';\nimport { distance } from 'fastest-levenshtein';\nexport const x: X = distance('a', 'b');",
  ],
  ['src/core/b.ts', "// import { x } from '../host/x.ts'; process.exit(1)\nexport const text = \"import 'execa'\";"],
  ['src/host/exec.ts', "import { spawn } from 'node:child_process';\nimport { execa } from 'execa';\nspawn('a');\nexeca('a');"],
  ['src/profile/load.ts', "import { readFile } from 'node:fs/promises';\nimport { x } from '../host/x.ts';\nreadFile(x);"],
  ['src/operate/a.ts', "import { x } from '../supervisor/x.ts';\nimport facts from '../../package.json' with { type: 'json' };\nx(facts);"],
  ['src/views/spinner.ts', "import ora from 'ora';\nimport { join } from 'node:path';\nora(join('a'));"],
  ['src/runtime/simulator/main.ts', "process.once('SIGTERM', () => process.exit(0));"],
];

describe('borders between rooms', () => {
  let verdict: Verdict;
  beforeAll(async () => {
    verdict = await checkProject('borders', Object.fromEntries(violations.map(([file, text]) => [file, text])));
  });

  it.each(violations)('%s: %j', (_file, _text, expected) => {
    const found = verdict.problems.filter((problem) => problem.startsWith(expected));
    expect(found, verdict.problems.join('\n')).toHaveLength(1);
  });

  it('says nothing else', () => {
    expect(verdict.passed).toBe(false);
    expect(verdict.problems).toHaveLength(violations.length);
  });

  it('lets through what is allowed', async () => {
    expect(await checkProject('borders', Object.fromEntries(allowed))).toEqual({ passed: true, problems: [] });
  });
});
