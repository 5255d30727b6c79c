// Builds dist/: main.js (boot.cjs), the program as packed chunks with their code cache, the simulator.
// Two passes: esbuild can split only ES modules, but V8's code cache and a quick start want CommonJS, so the chunks
// are then converted one by one; `import()` becomes a lazy require.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const { toPack } = createRequire(import.meta.url)('./boot.cjs');
const shared = {
  platform: 'node',
  target: 'node20.19',
  charset: 'ascii',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  logLevel: 'warning',
};
const bundle = {
  ...shared,
  absWorkingDir: root,
  bundle: true,
  define: { 'import.meta.url': '__moduleUrl' },
  plugins: [lazyChildProcess(), textAsJson()],
};
const commonJs = { ...shared, format: 'cjs', supported: { 'dynamic-import': false } };

// Made beside and renamed: a failed build leaves the last good one, and two builds at once do not meet.
mkdirSync(join(root, 'node_modules/.cache'), { recursive: true });
const work = mkdtempSync(join(root, 'node_modules/.cache/build-'));
try {
  await build({ ...bundle, ...commonJs, entryPoints: ['src/runtime/simulator/main.ts'], outfile: join(work, 'simulator.js') });
  const { outputFiles } = await build({
    ...bundle,
    entryPoints: ['src/main.ts'],
    outdir: work,
    format: 'esm',
    splitting: true,
    write: false,
  });
  // Only what works for a while has a spinner, and it is half of the text.
  const statusAlone = { entryPoints: ['src/status-main.ts'], external: ['./spinner.ts'], outdir: work, write: false };
  const alone = await build({ ...bundle, ...commonJs, ...statusAlone });
  outputFiles.push(...alone.outputFiles);
  const chunks = await Promise.all(outputFiles.map(async ({ path, text }) => [basename(path), await toChunk(text)]));
  writeFileSync(join(work, 'program.pack'), toPack(new Map(chunks)));
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  writeFileSync(join(work, 'version.txt'), `${version}\n`);
  writeFileSync(join(work, 'package.json'), '{"type":"commonjs"}\n');
  cpSync(join(root, 'scripts/boot.cjs'), join(work, 'main.js'));
  chmodSync(join(work, 'main.js'), 0o755);
  chmodSync(work, 0o755);
  replace(join(root, 'dist'), work);
  // The cache knows its scripts by name, so it is made in place.
  execFileSync(process.execPath, [join(root, 'scripts/warm.mjs'), join(root, 'dist')], { stdio: ['ignore', 'ignore', 'inherit'] });
} finally {
  rmSync(work, { recursive: true, force: true });
}

async function toChunk(text) {
  const { code } = await transform(text, commonJs);
  const moduleUrl = code.includes('__moduleUrl') ? "const __moduleUrl=require('node:url').pathToFileURL(__main).href;" : '';
  return Buffer.from(`(function(require,module,exports,__main){'use strict';${moduleUrl}${code}\n})`, 'latin1');
}

/** commander loads child_process (2 ms) for external sub-commands, which this program has none of. */
function lazyChildProcess() {
  return {
    name: 'lazy-child-process',
    setup({ onLoad }) {
      onLoad({ filter: /commander\/lib\/command\.js$/ }, ({ path }) => {
        const eager = /const childProcess = require\('node:child_process'\)[^;]*;/;
        const source = readFileSync(path, 'utf8');
        if (!eager.test(source)) throw new Error(`${path} loads child_process in another way now`);
        return {
          contents: source.replace(eager, "const childProcess = { spawn: (...args) => require('node:child_process').spawn(...args) };"),
          loader: 'js',
        };
      });
    },
  };
}

/** The texts are a thousand properties: parsed as JSON they cost a quarter of what an object literal does. */
function textAsJson() {
  const toJson = async (path, name) => {
    const { outputFiles } = await build({ ...shared, entryPoints: [path], bundle: true, format: 'esm', write: false });
    const module = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
    return { contents: `export const ${name} = JSON.parse(${JSON.stringify(JSON.stringify(module[name]))});`, loader: 'js' };
  };
  return {
    name: 'text-as-json',
    setup({ onLoad }) {
      onLoad({ filter: /src\/text\/en\/index\.ts$/ }, ({ path }) => toJson(path, 'messages'));
      onLoad({ filter: /src\/text\/en\/errors\.ts$/ }, ({ path }) => toJson(path, 'errors'));
    },
  };
}

function replace(target, fresh) {
  const old = `${fresh}-old`;
  try {
    renameSync(target, old);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  renameSync(fresh, target);
  rmSync(old, { recursive: true, force: true });
}
