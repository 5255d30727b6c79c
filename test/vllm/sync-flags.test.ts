/** The settings of the installed vLLM, read from it as the program does, are those of the catalogue that comes with it. */
import { mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readFlagDump } from '../../src/engine/dump-flags.ts';
import { ensurePrivateDirectory } from '../../src/host/files.ts';
import { syncFlags } from '../../src/operate/engine-sync-flags.ts';
import { parseFlagDump, toCompactCatalogue } from '../../src/vllm/flag-dump.ts';
import { createTestContext } from '../operate/context.ts';
import { readFlagData } from './flag-agreement.ts';

const version = '0.32.0';
let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'qd-sync-'));
  const installed = join(process.env.QWEN_DEPLOY_TEST_ENGINE_HOME ?? '/nowhere', 'data/engines');
  await ensurePrivateDirectory(join(home, 'data/engines'));
  for (const name of await readdir(installed)) await symlink(join(installed, name), join(home, 'data/engines', name));
});
afterAll(() => rm(home, { recursive: true }));

it('reads the catalogue that is shipped', async () => {
  const context = createTestContext(home, { env: { ...process.env, HOME: home, QWEN_DEPLOY_HOME: home } });
  const { catalogues } = await syncFlags({ version }, context);
  expect(catalogues).toMatchObject([{ engineVersion: version, flags: 316, before: { version: '0.31.0', removed: [] } }]);
  const { schema, ...read } = JSON.parse(await readFile(join(home, 'data/flags', `${version}.json`), 'utf8'));
  expect(schema).toBe(1);
  expect(read).toEqual(readFlagData(version).catalogue);
}, 300_000);

it('reads the same as if this version were unknown', async () => {
  const python = join(home, 'data/engines', `cpu-${version}`, 'venv/bin/python');
  const text = await readFlagDump(python, { directory: home, env: process.env, signal: new AbortController().signal });
  const dump = typeof text === 'string' ? parseFlagDump(text) : undefined;
  expect(dump && toCompactCatalogue(dump, readFlagData('0.31.0').catalogue)).toEqual(readFlagData(version).catalogue);
}, 300_000);
