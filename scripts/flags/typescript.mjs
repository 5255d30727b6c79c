// TypeScript of this repository, for scripts: Node 20 cannot import it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** All that the files export, as one module; paths from the repository's root. */
export async function loadTypeScript(...paths) {
  const directory = mkdtempSync(join(tmpdir(), 'qd-load-'));
  const outfile = join(directory, 'loaded.mjs');
  const contents = paths.map((path) => `export * from './${path}';`).join('\n');
  const stdin = { contents, resolveDir: root, loader: 'ts' };
  await build({ stdin, bundle: true, format: 'esm', platform: 'node', outfile, logLevel: 'warning' });
  const loaded = await import(pathToFileURL(outfile).href);
  rmSync(directory, { recursive: true });
  return loaded;
}
