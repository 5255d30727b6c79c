// node warm.mjs DIST: writes DIST/program.cache after running some commands, so that the cache holds the compiled
// code of what they use. Run by the build in a process of its own.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Script } from 'node:vm';

const dist = resolve(process.argv[2] ?? 'dist');
const main = join(dist, 'main.js');
const file = join(dist, 'program.js');
const home = mkdtempSync(join(tmpdir(), 'qd-warm-'));
const script = new Script(readFileSync(file, 'latin1'), { filename: file });
const load = script.runInThisContext();
process.env.QWEN_DEPLOY_HOME = home;

for (const args of [['--help'], ['status'], ['profiles', 'list'], ['plan', '-p', 'demo'], ['status', 'demo']]) await run(args);
writeFileSync(join(dist, 'program.cache'), script.createCachedData());
rmSync(home, { recursive: true, force: true });

/** One command in this process: it ends by process.exit, which here only ends the waiting. */
function run(args) {
  const { exit, argv } = process;
  const { stdout, stderr } = process;
  const writes = [stdout.write, stderr.write];
  return new Promise((resolve) => {
    process.exit = resolve;
    process.argv = [argv[0], main, ...args];
    stdout.write = () => true;
    stderr.write = () => true;
    load(createRequire(main), { exports: {} }, {}, main, dist, pathToFileURL(main).href);
  }).finally(() => {
    [stdout.write, stderr.write] = writes;
    process.removeAllListeners();
    Object.assign(process, { exit, argv });
  });
}
