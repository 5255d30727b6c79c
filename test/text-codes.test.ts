import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checks } from '../src/doctor/checks/index.ts';
import { listCodes } from '../src/operate/explain.ts';
import { errors } from '../src/text/en/errors.ts';
import { explain } from '../src/text/en/explain.ts';
import { messages } from '../src/text/en/index.ts';

const root = new URL('../src/', import.meta.url).pathname;
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts') && !file.startsWith('text/'));
const readAll = (of: readonly string[]) => of.map((file) => readFileSync(join(root, file), 'utf8')).join('\n');
const code = readAll(files);
/** Where what nvidia-smi says becomes findings; rules of compatibility have codes of their own, inside. */
const smi = readAll(files.filter((file) => /^gpu\/(?:smi|query|program)/.test(file) && file !== 'gpu/smi/xml.ts'));

test('every code of a finding is explained, and none is explained in vain', () => {
  const own = [
    ...code.matchAll(/'((?:profile|plan|launch)\/[a-z0-9-]+|engine\/memory-grows)'/g),
    ...smi.matchAll(/'(gpu\/[a-z-]+[a-z])'/g),
  ];
  const used = own.map((match) => match[1] ?? '');
  const findings = [...new Set(used)].filter((one) => !Object.hasOwn(errors, one)).sort();
  const explained = Object.keys(explain).flatMap((id) => (id.startsWith('finding.') ? [id.slice('finding.'.length)] : []));
  expect(explained.sort()).toEqual(findings);
});

test('every word that may stand in lastExit is explained', () => {
  const ended = readAll(files.filter((file) => /^(?:supervisor|runtime)\//.test(file)));
  const words = [...ended.matchAll(/(?:\bcause|\breason): '([\w/-]+)'/g), ...code.matchAll(/cause === '([\w-]+)'/g)].map(
    (match) => match[1] ?? '',
  );
  const known = new Set(listCodes().map((one) => one.code));
  // How a launch ended, as the views say it: `life.cause.ID`.
  const causes = Object.keys(messages).flatMap((id) => (id.startsWith('life.cause.') ? [id.slice('life.cause.'.length)] : []));
  expect([...new Set([...words, ...causes])].filter((word) => !known.has(word) && !notOfAnEnd.includes(word))).toEqual([]);
});

/** Why a health is bad, or a step of the ladder: no launch ends with these. */
const notOfAnEnd = ['stopping', 'idle', 'ETIMEDOUT'];

test('every check has an id of its own', () => {
  const ids = checks.map(({ id }) => id);
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  expect(ids.filter((id) => !/^[a-z]+(\.[a-z0-9]+(-[a-z0-9]+)*)+$/.test(id))).toEqual([]);
});

test('every check is explained, with what mends it, and none is explained in vain', () => {
  const written = Object.keys(messages).filter((id) => id.startsWith('check.'));
  const needed = checks.flatMap(({ id }) => [`check.${id}.meaning`, `check.${id}.mend`]);
  expect(written.sort()).toEqual(needed.sort());
});
