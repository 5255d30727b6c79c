import { describe, expect, it } from 'vitest';
import { checkProject } from './house.ts';

const lines = (count: number) => 'export {};\n'.repeat(count);
const verb = 'export function configure() {}\n';

describe('sizes', () => {
  it('finds what is too long, and knows a verb from its helpers', async () => {
    const files = {
      'src/plan/long.ts': lines(301),
      'src/plan/fits.ts': lines(300),
      'src/text/en/errors.ts': lines(400),
      'src/commands/up.ts': verb + lines(60),
      'src/commands/shared.ts': lines(61),
      'test/plan/long.test.ts': lines(400),
    };
    expect((await checkProject('sizes', files)).problems).toEqual([
      'src/commands/up.ts:61 has 61 lines; 60 is the limit',
      'src/plan/long.ts:301 has 301 lines; 300 is the limit',
    ]);
  });
});

describe('words', () => {
  // Put together here: this file is checked as well.
  const place = ['', 'work', ''].join('/');
  const bad = [
    place,
    ['', 'tmp', 'lab'].join('/'),
    ['pypi', 'org'].join('.'),
    ['registry', 'npmjs', 'org'].join('.'),
    ['files', 'pythonhosted', 'org'].join('.'),
    ['biome', 'ignore'].join('-'),
    `@${['ts', 'expect', 'error'].join('-')}`,
    ['it', 'todo('].join('.'),
  ];

  it.each(bad)('%s', async (word) => {
    const { problems } = await checkProject('words', { 'docs/a.md': `fine\n "${word} x\n` });
    expect(problems).toEqual([`docs/a.md:2 contains ${word}`]);
  });

  it('leaves alone what only resembles them, and what is not ours', async () => {
    const files = {
      'a.md': ['a', 'work', 'b  network/  .', 'work', 'x  pypi  todo('].join('/'),
      'node_modules/x/a.js': place,
      '.git/config': place,
      'package-lock.json': place,
    };
    expect(await checkProject('words', files)).toEqual({ passed: true, problems: [] });
  });
});

describe('lock file', () => {
  it('has no addresses', async () => {
    const address = '"resolved": "https://registry.example/x.tgz"';
    const { problems } = await checkProject('lock', { 'package-lock.json': `{\n  ${address}\n}\n` });
    expect(problems).toEqual([`package-lock.json:2 has an address: ${address}`]);
  });

  it('has to be there', async () => {
    expect((await checkProject('lock', {})).passed).toBe(false);
  });
});
