// Bundles src/ into dist/: one small entry and lazy chunks, so that a command loads only what it needs.
// Two passes: esbuild can split only ES modules, but Node starts CommonJS about 10 ms sooner, so the chunks are then
// converted one by one. `import()` becomes a lazy require.
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = 'node20.19';

// Made beside and renamed: a failed build leaves the last good one, and two builds at once do not meet.
mkdirSync(join(root, 'node_modules/.cache'), { recursive: true });
const work = mkdtempSync(join(root, 'node_modules/.cache/build-'));
try {
  await build({
    absWorkingDir: root,
    entryPoints: { main: 'src/main.ts', simulator: 'src/runtime/simulator/main.ts' },
    outdir: work,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target,
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    chunkNames: 'chunks/[name]-[hash]',
    // What bundled CommonJS packages ask for by require(); in the second pass that is Node's own.
    define: { 'import.meta.url': '__moduleUrl' },
    logLevel: 'warning',
  });
  for (const path of readdirSync(work, { recursive: true })) {
    if (path.endsWith('.js')) await toCommonJs(join(work, path));
  }
  writeFileSync(join(work, 'package.json'), '{"type":"commonjs"}\n');
  chmodSync(join(work, 'main.js'), 0o755);
  const old = `${work}-old`;
  try {
    renameSync(join(root, 'dist'), old);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  renameSync(work, join(root, 'dist'));
  rmSync(old, { recursive: true, force: true });
} finally {
  rmSync(work, { recursive: true, force: true });
}

async function toCommonJs(path) {
  const source = readFileSync(path, 'utf8');
  const shebang = source.startsWith('#!') ? source.slice(0, source.indexOf('\n') + 1) : '';
  const { code } = await transform(source.slice(shebang.length), {
    format: 'cjs',
    platform: 'node',
    target,
    minifySyntax: true,
    minifyWhitespace: true,
    supported: { 'dynamic-import': false },
    logLevel: 'warning',
  });
  const moduleUrl = code.includes('__moduleUrl') ? "const __moduleUrl=require('node:url').pathToFileURL(__filename).href;" : '';
  writeFileSync(path, `${shebang}'use strict';${moduleUrl}${code}`);
}
