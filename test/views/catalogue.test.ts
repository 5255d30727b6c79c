import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DeployError } from '../../src/core/error.ts';
import { say } from '../../src/core/message.ts';
import { errors } from '../../src/text/en/errors.ts';
import { messages } from '../../src/text/en/index.ts';
import { toErrorText, toText } from '../../src/text/render.ts';

const root = new URL('../../src/', import.meta.url).pathname;
const catalogue = join(root, 'text');
const ownTables = join(root, 'core/exit.ts');

const code = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .map((file) => join(root, file))
  .filter((file) => file.endsWith('.ts') && !file.startsWith(catalogue) && file !== ownTables)
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n');

/** By its whole name, or by a beginning that the code completes: `profile.want.${kind}`. */
const isUsed = (id: string) =>
  code.includes(`'${id}'`) || [...id].some((_, end) => /[.-]$/.test(id.slice(0, end)) && code.includes(`\`${id.slice(0, end)}\${`));

test('every sentence is used', () => {
  expect(Object.keys(messages).filter((id) => !isUsed(id))).toEqual([]);
});

test('every error code is used', () => {
  expect(Object.keys(errors).filter((id) => !isUsed(id))).toEqual([]);
});

test('areas do not overwrite one another', () => {
  const files = readdirSync(join(catalogue, 'en'));
  const countIds = (these: readonly string[]) =>
    these.flatMap((file) => readFileSync(join(catalogue, 'en', file), 'utf8').match(/^ {2}'[^']+'(?=:)/gm) ?? []).length;
  const isError = (file: string) => file.startsWith('errors');
  expect(countIds(files.filter((file) => !isError(file)))).toBe(Object.keys(messages).length);
  expect(countIds(files.filter(isError))).toBe(Object.keys(errors).length);
});

test('placeholders are filled, with numbers and with sentences too', () => {
  const inner = say('views.percent', { percent: 7 });
  expect(toText(say('views.error', { message: inner, code: 'a/b' }))).toBe('7 % (a/b)');
  expect(toErrorText(DeployError.of('runtime/port-taken', { port: 80, host: 'h', owner: 'x', free: 81 }))).toEqual({
    message: 'Port 80 on h is taken by x.',
    hint: 'Choose another: --set server.port=81',
  });
});

test('a sentence of another version is shown by its parts', () => {
  expect(toText({ id: 'later.thing' as never, params: { a: 1, b: inner() } })).toBe('later.thing a=1 b=7 %');
  expect(toErrorText(DeployError.revive({ code: 'later/thing' as never, params: { a: 1 } }))).toEqual({ message: 'later/thing a=1' });
});

function inner() {
  return say('views.percent', { percent: 7 });
}
