import { describe, expect, test } from 'vitest';
import { importCase, readCases, toAccount } from './corpus.ts';

describe.each(['serve', 'docker', 'compose', 'config', 'hostile'])('%s', (file) => {
  test('every line becomes the profile that was agreed on', async () => {
    const isFile = file === 'compose' || file === 'config';
    const parts: string[] = [];
    for (const one of readCases(file)) parts.push(`### ${one.name}\n${toAccount(await importCase(one, isFile))}`);
    await expect(parts.join('\n')).toMatchFileSnapshot(`../../golden/import/${file}.txt`);
  });
});
