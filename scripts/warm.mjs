// node warm.mjs DIST: runs some commands once, so that V8's code cache (DIST/program.cache) holds the compiled code of
// what they use, and keeps the main help as text (DIST/help.txt). Run by the build in a process of its own, whose
// standard output is no terminal.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const dist = resolve(process.argv[2] ?? 'dist');
const main = join(dist, 'main.js');
const { start, writeCache } = createRequire(main)('./main.js');
const home = mkdtempSync(join(tmpdir(), 'qd-warm-'));
process.env.QWEN_DEPLOY_HOME = home;

const commands = [['--help'], ['profiles', 'list'], ['plan', '-p', 'demo'], ['status'], ['status', 'demo']];
let scripts = new Map();
for (const args of commands) {
  const done = await run(args);
  scripts = new Map([...scripts, ...done.scripts]);
  if (args[0] === '--help') writeFileSync(join(dist, 'help.txt'), done.output);
}
writeCache(join(dist, 'program.cache'), scripts);
rmSync(home, { recursive: true, force: true });

/** One command in this process: it ends by process.exit, which here only ends the waiting. */
function run(args) {
  const { argv, exit, stdout, stderr } = process;
  const writes = [stdout.write, stderr.write];
  const program = start(dist);
  let output = '';
  return new Promise((resolve) => {
    process.exit = () => resolve({ scripts: program.scripts, output });
    process.argv = [argv[0], main, ...args];
    stdout.write = (text) => {
      output += text;
      return true;
    };
    stderr.write = () => true;
    program.load('main.js');
  }).finally(() => {
    [stdout.write, stderr.write] = writes;
    process.removeAllListeners();
    Object.assign(process, { argv, exit });
  });
}
