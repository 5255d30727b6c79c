/** Profiles in a directory of their own, for each test of a file. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { toPlaces } from '../../src/host/environment.ts';

export interface ShelfBox {
  readonly cwd: () => string;
  /** Writes a file below it, and says where. */
  readonly put: (path: string, text: string) => Promise<string>;
  readonly where: () => { places: ReturnType<typeof toPlaces>; cwd: string; sets: readonly string[] };
}

export function eachInShelfBox(begin: (box: ShelfBox) => Promise<unknown>): ShelfBox {
  let cwd = '';
  const box: ShelfBox = {
    cwd: () => cwd,
    put: async (path, text) => {
      const full = join(cwd, path);
      await mkdir(dirname(full), { recursive: true });
      await writeFile(full, text);
      return full;
    },
    where: () => ({ places: toPlaces({ QWEN_DEPLOY_HOME: join(cwd, 'home') }), cwd, sets: [] }),
  };
  beforeEach(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'shelf-'));
    await begin(box);
  });
  afterEach(() => rm(cwd, { recursive: true, force: true }));
  return box;
}
