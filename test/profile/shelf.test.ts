import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readCatalogue, readHistory } from '../../src/profile/flags.ts';
import { createFlagShelf, findFlagOrigin, toFlagsDirectory, writeOwnCatalogue } from '../../src/profile/shelf.ts';
import type { FlagCatalogue } from '../../src/vllm/flags.ts';

let places: { readonly data: string };
beforeEach(async () => {
  places = { data: await mkdtemp(join(tmpdir(), 'qd-shelf-')) };
});
afterEach(() => rm(places.data, { recursive: true }));

const own = (version: string): FlagCatalogue => ({ version, groups: ['options'], flags: { 'my-plug-in': { kind: 'boolean', group: 0 } } });

async function put(catalogue: FlagCatalogue) {
  await mkdir(toFlagsDirectory(places), { recursive: true });
  return writeOwnCatalogue(catalogue, places);
}

describe('the shelf', () => {
  it('has the catalogues of the package', async () => {
    const shelf = createFlagShelf(places);
    expect(await shelf.list()).toEqual(expect.arrayContaining(['0.24.0', '0.33.0', 'changes']));
    expect(await shelf.read('0.32.0')).toMatchObject({ version: '0.32.0' });
    expect(await shelf.read('0.99.0')).toBeUndefined();
    expect(await findFlagOrigin('0.32.0+cpu', places)).toBe('shipped');
    expect(await findFlagOrigin('0.99.0', places)).toBeUndefined();
  });

  it('has those that were read from engines, and takes them first', async () => {
    expect(await put(own('0.99.0'))).toBe(join(places.data, 'flags/0.99.0.json'));
    await put(own('0.32.0'));
    const shelf = createFlagShelf(places);
    expect((await shelf.list()).filter((name) => name === '0.32.0' || name === '0.99.0').sort()).toEqual(['0.32.0', '0.99.0']);
    expect(await readCatalogue('0.32.0', shelf)).toMatchObject({ catalogue: { flags: { 'my-plug-in': {} } } });
    expect(await readCatalogue('0.99.1', shelf)).toMatchObject({ catalogue: { version: '0.99.0' } });
    expect(await findFlagOrigin('0.99.0', places)).toBe('read');
  });

  it.each<[string, string]>([
    ['cut short', '{"schema":1,"version":"0.32.0","gro'],
    ['of another version of this program', '{"schema":2,"version":"0.32.0","groups":[],"flags":{}}'],
    ['without a schema', '{"version":"0.32.0","groups":[],"flags":{}}'],
    ['no map', '[]'],
    ['without flags', '{"schema":1,"version":"0.32.0"}'],
  ])('passes over a file that is %s', async (_, text) => {
    await mkdir(toFlagsDirectory(places));
    await writeFile(join(toFlagsDirectory(places), '0.32.0.json'), text);
    await writeFile(join(toFlagsDirectory(places), '0.99.0.json'), text);
    const shelf = createFlagShelf(places);
    expect(await readCatalogue('0.32.0', shelf)).toMatchObject({ catalogue: { flags: { seed: {} } } });
    expect(await findFlagOrigin('0.99.0', places)).toBeUndefined();
    expect(await readCatalogue('0.99.0', shelf)).toMatchObject({ catalogue: { version: '0.33.0' } });
    expect(await readCatalogue('0.99.1', shelf)).toMatchObject({ catalogue: { version: '0.33.0' } });
  });

  it('passes over what cannot be read', async () => {
    await mkdir(join(toFlagsDirectory(places), '0.32.0.json'), { recursive: true });
    expect(await createFlagShelf(places).read('0.32.0')).toMatchObject({ version: '0.32.0' });
  });

  it('knows what went and came with a version that the package does not know', async () => {
    await put(own('0.99.0'));
    const { flags } = await readHistory(own('0.99.0'), createFlagShelf(places));
    expect(flags.seed).toEqual({ last: '0.33.0' });
    expect(flags['my-plug-in']).toEqual({ since: '0.99.0' });
    expect(flags['swap-space']).toMatchObject({ last: '0.16.0' });
  });
});
