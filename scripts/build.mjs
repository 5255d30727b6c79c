// Builds dist/: main.js (boot.cjs), the program as packed chunks with their code cache, the simulator.
// Two passes: esbuild can split only ES modules, but V8's code cache and a quick start want CommonJS, so the chunks
// are then converted one by one; `import()` becomes a lazy require.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const { toArea, toPack } = createRequire(import.meta.url)('./boot.cjs');
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
  define: { 'import.meta.filename': '__main', 'import.meta.dirname': '__dist', __build: JSON.stringify(hashSources()) },
  plugins: [shortCommander(), leanDocker()],
};
const commonJs = { ...shared, format: 'cjs', supported: { 'dynamic-import': false } };

// What `plan` names and does not call where nothing is wrong (the build ends where it does): see loadLate.
const lateModules = [
  'src/commands/usage.ts',
  'src/core/nearest.ts',
  'src/core/units.ts',
  'src/engine/dist-info.ts',
  'src/engine/path.ts',
  'src/engine/version.ts',
  'src/host/package-files.ts',
  'src/host/port-owner.ts',
  'src/host/proc.ts',
  'src/host/socket.ts',
  'src/model/catalogue.ts',
  'src/operate/find.ts',
  'src/plan/diff.ts',
  'src/plan/gpu-need.ts',
  'src/plan/memory/load.ts',
  'src/plan/near-cpus.ts',
  'src/profile/secrets.ts',
  'src/supervisor/fixes.ts',
  'src/supervisor/reduce/ladder.ts',
  'src/views/documents.ts',
  'src/views/findings.ts',
  'src/views/memory.ts',
  'src/vllm/flag-version.ts',
];

// Made beside and renamed: a failed build leaves the last good one, and two builds at once do not meet.
mkdirSync(join(root, 'node_modules/.cache'), { recursive: true });
const work = mkdtempSync(join(root, 'node_modules/.cache/build-'));
try {
  await build({ ...bundle, ...commonJs, entryPoints: ['src/runtime/simulator/main.ts'], outfile: join(work, 'simulator.js') });
  const texts = new Map();
  const program = { ...bundle, plugins: [...bundle.plugins, textsApart(texts)] };
  const { outputFiles, metafile } = await build({
    ...program,
    plugins: [...program.plugins, loadLate(lateModules)],
    entryPoints: ['src/main.ts'],
    outdir: work,
    format: 'esm',
    splitting: true,
    minifyWhitespace: false,
    write: false,
    metafile: true,
  });
  // Only what works for a while has a spinner, and it is half of the text.
  const statusAlone = { entryPoints: ['src/status-main.ts'], external: ['./spinner.ts'], outdir: work, write: false };
  const alone = await build({ ...program, ...commonJs, ...statusAlone });
  outputFiles.push(...alone.outputFiles);
  const chunks = new Map(await Promise.all(outputFiles.map(async ({ path, text }) => [basename(path), await toChunk(text)])));
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  writeFileSync(join(work, 'version.txt'), `${version}\n`);
  writeFileSync(join(work, 'package.json'), '{"type":"commonjs"}\n');
  cpSync(join(root, 'scripts/boot.cjs'), join(work, 'main.js'));
  chmodSync(join(work, 'main.js'), 0o755);
  chmodSync(work, 0o755);
  const names = [...chunks.keys()];
  writeFileSync(
    join(work, 'program.pack'),
    toProgram(
      chunks,
      texts,
      names.map((name) => [name]),
    ),
  );
  const dist = join(root, 'dist');
  replace(dist, work);
  // With every chunk by itself it is seen which are used together. In place: the program looks for its files from there.
  const used = JSON.parse(warm(dist, '--trace'));
  checkLate(metafile, used);
  writeFileSync(join(dist, 'program.pack.new'), toProgram(chunks, texts, toVolumes(names, used)));
  renameSync(join(dist, 'program.pack.new'), join(dist, 'program.pack'));
  warm(dist);
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** Names what this build is made of: what it keeps for itself is worth nothing to another one. */
function hashSources() {
  const hash = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')));
  const entries = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const files = entries.map((entry) => join(entry.parentPath ?? entry.path, entry.name)).sort();
  for (const file of files) hash.update(relative(root, file)).update(readFileSync(file));
  return hash.digest('hex').slice(0, 16);
}

/**
 * An ES chunk as a function. esbuild could convert the imports between chunks too, but makes each name a getter of a
 * getter, and 50 small chunks then spend 3 ms on nothing else. Chunks do not import each other in circles, and what
 * they export never changes, so constants will do. Node's own modules stay objects that are asked when used (toLazy).
 */
async function toChunk(text) {
  const exported = [];
  const linked = text
    .replace(
      /^import \{([^}]*)\} from "(\.[^"]+)";$/gm,
      (_, names, from) => `const {${names.replace(/ as /g, ': ')}} = require("${from}");`,
    )
    .replace(/^import "(\.[^"]+)";$/gm, 'require("$1");')
    .replace(/\b__late\(import\("(\.[^"]+)"\)\)/g, 'require("$1")')
    .replace(/\bimport\("(\.[^"]+)"\)/g, 'Promise.resolve().then(() => require("$1"))')
    .replace(/^export \{([^}]*)\};$/gm, (_, names) => {
      exported.push(names.replace(/(\w+) as (\w+)/g, '$2: $1'));
      return '';
    });
  const { code } = await transform(linked, { ...commonJs, minifyWhitespace: true, logLevel: 'error' });
  const exports = exported.length > 0 ? `module.exports={${exported.join(',').replace(/\s+/g, ' ')}};` : '';
  return `function(require,module,exports,__main,__dist,__texts){'use strict';${toAscii(code)}${exports}\n}`;
}

/** esbuild escapes strings and leaves patterns as they are; packed as one byte for each character they would mean something else. */
function toAscii(code) {
  return code.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function warm(directory, ...options) {
  const words = [join(root, 'scripts/warm.mjs'), directory, ...options];
  return execFileSync(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' });
}

/** Chunks that the same commands use make one volume. `used`: for each command, what it loaded. */
function toVolumes(names, used) {
  const volumes = new Map();
  for (const name of names) {
    const users = used.flatMap((loaded, command) => (loaded.includes(name) ? [command] : []));
    const key = users.length === 0 ? name : users.join();
    volumes.set(key, [...(volumes.get(key) ?? []), name]);
  }
  return [...volumes.values()];
}

function toProgram(chunks, texts, volumes) {
  const toSource = (names) => `({${names.map((name) => `${JSON.stringify(name)}:${chunks.get(name)}`).join(',')}})`;
  const scripts = volumes.map((names, index) => [`volume-${index}.js`, Buffer.from(toSource(names), 'latin1')]);
  const places = volumes.flatMap((names, index) => names.map((name) => [name, index]));
  const entries = new Map([...scripts, ...texts]);
  const hash = createHash('sha256');
  for (const [name, content] of entries) hash.update(name).update(content);
  return toPack(entries, hash.digest('hex').slice(0, 16), places);
}

/**
 * A module that most commands name and few call is loaded when one of its functions is called: half of what a plan
 * would load otherwise. That is no more than another way to bind its names, so only functions can be had that way.
 */
function loadLate(modules) {
  const late = new Set(modules.map((path) => join(root, path)));
  const toStub = (path) => {
    const exported = [...readFileSync(path, 'utf8').matchAll(/^export (?!type |interface )(?:async )?(\w+)\*? (\w+)/gm)];
    const other = exported.find(([, kind]) => kind !== 'function');
    if (other) throw new Error(`${relative(root, path)} exports ${other[2]}, which is no function: it cannot be loaded late`);
    const call = `__late(import(${JSON.stringify(path)}))`;
    return exported.map(([, , name]) => `export function ${name}(...args) { return ${call}.${name}(...args); }`).join('\n');
  };
  return {
    name: 'load-late',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^\..*\.ts$/ }, ({ path, resolveDir, kind }) => {
        const full = join(resolveDir, path);
        return kind === 'import-statement' && late.has(full) ? { path: full, namespace: 'late' } : undefined;
      });
      onLoad({ filter: /.*/, namespace: 'late' }, ({ path }) => ({ contents: toStub(path), loader: 'js', resolveDir: root }));
    },
  };
}

/** The list is kept true by the second of the traced commands: a plan of a profile that has been read before. */
function checkLate({ outputs }, [, plan]) {
  const called = Object.entries(outputs).filter(
    ([path, { entryPoint }]) => lateModules.includes(entryPoint) && plan.includes(basename(path)),
  );
  if (called.length === 0) return;
  const names = called.map(([, { entryPoint }]) => entryPoint);
  throw new Error(`\`plan\` calls ${names.join(', ')}: not late any more (lateModules)`);
}

/** Every command loads it, and shorter names are read faster; our own keep theirs, for reports of bugs. */
function shortCommander() {
  return {
    name: 'short-commander',
    setup({ onLoad }) {
      onLoad({ filter: /commander\/lib\/\w+\.js$/ }, async ({ path }) => {
        const { code } = await transform(readFileSync(path, 'utf8'), { ...shared, minifyIdentifiers: true });
        return { contents: code, loader: 'js' };
      });
    },
  };
}

/**
 * What dockerode brings for other work than ours is 1 MB of code (with two native add-ons): engines over ssh, BuildKit
 * sessions, contexts of builds. Each of these modules is loaded by name and used later, so empty ones stand in.
 */
function leanDocker() {
  const unused = /^(ssh2|@grpc\/grpc-js|@grpc\/proto-loader|protobufjs|tar-fs|@balena\/dockerignore)$/;
  return {
    name: 'lean-docker',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: unused }, ({ path }) => ({ path, namespace: 'unused' }));
      onLoad({ filter: /.*/, namespace: 'unused' }, () => ({ contents: 'module.exports = {};', loader: 'js' }));
      // With DEBUG=* in the environment it would print what is sent, registry credentials included.
      onResolve({ filter: /^debug$/ }, ({ path }) => ({ path, namespace: 'silent' }));
      onLoad({ filter: /.*/, namespace: 'silent' }, () => ({ contents: 'module.exports = () => () => {};', loader: 'js' }));
    },
  };
}

/**
 * The texts are more than a thousand, of which a command says ten: they lie in the pack area by area, and the program
 * gets a catalogue that reads an area when one of its texts is looked up (boot.cjs). `found` collects them.
 */
function textsApart(found) {
  const apart = async (path, name) => {
    const { outputFiles } = await build({ ...shared, entryPoints: [path], bundle: true, format: 'esm', write: false });
    const module = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
    const areas = new Map();
    for (const [id, text] of Object.entries(module[name])) areas.set(toArea(id), { ...areas.get(toArea(id)), [id]: text });
    for (const [area, texts] of areas) {
      const lines = Object.entries(texts).map(([id, text]) => `\n${id} ${JSON.stringify(text)}`);
      found.set(`${name}/${area}`, Buffer.from(`${lines.join('')}\n`));
    }
    return { contents: `export const ${name} = __texts(${JSON.stringify(name)});`, loader: 'js' };
  };
  return {
    name: 'texts-apart',
    setup({ onLoad }) {
      onLoad({ filter: /src\/text\/en\/index\.ts$/ }, ({ path }) => apart(path, 'messages'));
      onLoad({ filter: /src\/text\/en\/errors\.ts$/ }, ({ path }) => apart(path, 'errors'));
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
