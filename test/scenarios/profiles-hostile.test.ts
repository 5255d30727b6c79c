import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSandbox, type Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await createSandbox();
});
afterAll(() => sandbox.dispose());

const cases: readonly (readonly [name: string, text: string | Uint8Array, code: string])[] = [
  ['a list', '- a\n', 'profile/not-a-map'],
  ['broken YAML', 'model: [a\n', 'profile/not-yaml'],
  ['an empty file', '', 'profile/empty'],
  ['M9 UTF-16', Buffer.from('\uFEFFmodel: a\n', 'utf16le'), 'profile/not-utf8'],
  ['M9 brackets without end', '['.repeat(100_000), 'profile/too-deep'],
  [
    'M1 laughs',
    `x-0: &l0 [a]\n${Array.from({ length: 9 }, (_, step) => `x-${step + 1}: &l${step + 1} [${`*l${step}, `.repeat(9)}*l${step}]`).join('\n')}\n`,
    'profile/too-large',
  ],
  ['M2 a key of every object', '__proto__: {polluted: true}\n', 'profile/unknown-key'],
  ['a secret', 'model: a\nserver: {api-key: t0psecret}\n', 'profile/secret'],
];

test.each(cases)('%s ends with findings and without a trace of the program', async (name, text, code) => {
  const file = join(sandbox.home, `${name.replaceAll(' ', '-')}.yaml`);
  await writeFile(file, text);
  const shown = await sandbox.cli('profiles', 'show', file);
  expect(shown.code).toBe(3);
  expect(shown.stdout).toBe('');
  expect(shown.stderr).toContain(`(${code})`);
  expect(shown.stderr).toContain(`${file}:`);
  expect(`${shown.stdout}${shown.stderr}`).not.toMatch(/^\s+at |t0psecret/m);
  const document = (await sandbox.cli('profiles', 'show', file, '-o', 'json')).json<{
    readonly findings: readonly { readonly code: string }[];
  }>();
  expect(document).toMatchObject({ kind: 'Error', code: 'profile/invalid', exitStatus: 3 });
  expect(document.findings[0]).toMatchObject({ code, severity: 'error', file });
});

test('a profile in a circle is shown as the way round', async () => {
  await writeFile(join(sandbox.home, 'a.yaml'), 'model: a\nextends: ./b.yaml\n');
  await writeFile(join(sandbox.home, 'b.yaml'), 'extends: ./a.yaml\n');
  const { code, stderr } = await sandbox.cli('profiles', 'show', join(sandbox.home, 'a.yaml'));
  expect(code).toBe(3);
  expect(stderr).toMatch(/a\.yaml → .*b\.yaml → .*a\.yaml/);
});

test('where each value comes from is told, and what there is to say about the profile besides', async () => {
  const profiles = join(sandbox.home, 'qd/config/profiles');
  await mkdir(profiles, { recursive: true });
  await writeFile(join(profiles, 'demo.yaml'), 'extends: demo\nserved-names+: [mine]\nfallback: [{thinking: on}]\n');
  const { code, stdout, stderr } = await sandbox.cli('profiles', 'show', 'demo', '--explain', '--set', 'server.port=9000');
  expect(code).toBe(0);
  expect(stdout).toMatch(/served-names .*"mine".* shipped:demo:\d+ \(parent\) \+ .*demo\.yaml:2\n/);
  expect(stdout).toMatch(/server\.port +9000 +--set\n/);
  expect(stdout).toMatch(/server\.host +127\.0\.0\.1 +shipped:base\/common:\d+ \(parent\)\n/);
  expect(stdout).toMatch(/vllm\.enable-server-load-tracking +true +default: /);
  expect(stderr).toContain('It hides shipped:demo');
  expect(stderr).toContain('(profile/fallback-idle)');
  const list = (await sandbox.cli('profiles', 'list', '-o', 'json')).json<{ readonly profiles: readonly { readonly name: string }[] }>();
  expect(list.profiles.find(({ name }) => name === 'demo')).toMatchObject({ shadows: ['shipped:demo'] });
});
