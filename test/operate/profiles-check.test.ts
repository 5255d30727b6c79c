import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkProfiles } from '../../src/operate/profiles-check.ts';
import { createTestContext } from './context.ts';

let home = '';
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'check-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

async function put(path: string, text: string): Promise<string> {
  const full = join(home, path);
  await mkdir(dirname(full), { recursive: true });
  await writeFile(full, text);
  return full;
}

async function check(refs: readonly string[], options: { readonly sets?: readonly string[]; readonly engineVersion?: string } = {}) {
  const { files } = await checkProfiles({ refs, sets: [], ...options }, createTestContext(home));
  return files.map(({ file, findings }) => [file, findings.map(({ code, line }) => (line === undefined ? code : `${line} ${code}`))]);
}

describe('checkProfiles', () => {
  it('checks each, and what is wrong with one keeps none from being checked', async () => {
    const bad = await put('bad.yaml', 'model: m\nserver: {prot: 1}\nvllm:\n  max-num-seqs: many\n');
    const a = await put('profiles/a.yaml', 'extends: b\n');
    await put('profiles/b.yaml', 'extends: a\n');
    await mkdir(join(home, 'dir.yaml'));
    expect(await check(['./bad.yaml', 'nowhere', './gone.yaml', 'a', './dir.yaml', 'tiny'])).toEqual([
      [bad, ['2 profile/unknown-key', '4 profile/flag-type']],
      ['nowhere', ['profile/unknown']],
      ['./gone.yaml', ['profile/unknown']],
      [expect.stringMatching(/a$|a\.yaml$/), [expect.stringContaining('profile/cycle')]],
      [expect.stringContaining('dir.yaml'), [expect.stringContaining('profile/unreadable')]],
      ['shipped:tiny', []],
    ]);
    expect(a).toContain(home);
  });

  it('checks all that a name reaches when none is named', async () => {
    const mine = await put('profiles/mine.yaml', 'extends: base/gpu\n');
    const own = await put('profiles/tiny.yaml', 'extends: tiny\n');
    const files = await check([]);
    expect(files).toContainEqual([mine, [expect.stringContaining('profile/no-model')]]);
    expect(files).toContainEqual([own, [expect.stringContaining('profile/shadows')]]);
    expect(files).toContainEqual(['shipped:int4', []]);
    expect(files.map(([file]) => file)).not.toContain('shipped:tiny');
  });

  it('checks as if another version were named, and with what --set says', async () => {
    const file = await put('new.yaml', 'model: m\nvllm: {log-level: DEBUG}\n');
    expect(await check(['./new.yaml'])).toEqual([[file, []]]);
    expect(await check(['./new.yaml'], { engineVersion: '0.30.0' })).toEqual([[file, ['2 profile/flag-too-new']]]);
    expect(await check(['./new.yaml'], { sets: ['vllm.max-num-seqs=0'] })).toEqual([[file, ['profile/flag-range']]]);
  });
});
