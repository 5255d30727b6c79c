import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { errors } from '../src/text/en/errors.ts';
import { explain } from '../src/text/en/explain.ts';

const root = new URL('../src/', import.meta.url).pathname;
const code = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.startsWith('text/'))
  .map((file) => readFileSync(join(root, file), 'utf8'))
  .join('\n');

test('every code of a finding is explained, and none is explained in vain', () => {
  const used = [...code.matchAll(/'((?:profile|plan)\/[a-z0-9-]+)'/g)].map((match) => match[1] ?? '');
  const findings = [...new Set(used)].filter((one) => !Object.hasOwn(errors, one)).sort();
  const explained = Object.keys(explain).flatMap((id) => (id.startsWith('finding.') ? [id.slice('finding.'.length)] : []));
  expect(explained.sort()).toEqual(findings);
});
