// Bundles src/ into dist/: main.js (boot.cjs), the program as one file with its code cache, the simulator.
// CommonJS, because Node starts it about 10 ms sooner than ES modules; `import()` becomes a lazy require.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const shared = {
  absWorkingDir: root,
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20.19',
  charset: 'ascii',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  supported: { 'dynamic-import': false },
  define: { 'import.meta.url': '__moduleUrl' },
  logLevel: 'warning',
};

// Made beside and renamed: a failed build leaves the last good one, and two builds at once do not meet.
mkdirSync(join(root, 'node_modules/.cache'), { recursive: true });
const work = mkdtempSync(join(root, 'node_modules/.cache/build-'));
try {
  await build({ ...shared, entryPoints: ['src/main.ts'], outfile: join(work, 'program.js') });
  await build({ ...shared, entryPoints: ['src/runtime/simulator/main.ts'], outfile: join(work, 'simulator.js') });
  const program = readFileSync(join(work, 'program.js'), 'utf8').replace(/^#!.*\n/, '');
  writeFileSync(join(work, 'program.js'), `(function(require,module,exports,__filename,__dirname,__moduleUrl){${program}\n})`);
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  writeFileSync(join(work, 'version.json'), `${JSON.stringify(version)}\n`);
  writeFileSync(join(work, 'package.json'), '{"type":"commonjs"}\n');
  cpSync(join(root, 'scripts/boot.cjs'), join(work, 'main.js'));
  chmodSync(join(work, 'main.js'), 0o755);
  chmodSync(work, 0o755);
  replace(join(root, 'dist'), work);
  // The cache knows its file by name, so it is made in place.
  execFileSync(process.execPath, [join(root, 'scripts/warm.mjs'), join(root, 'dist')], { stdio: 'inherit' });
} finally {
  rmSync(work, { recursive: true, force: true });
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
