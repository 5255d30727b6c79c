// node warm.mjs DIST [--trace]: runs some commands once, so that V8's code cache (DIST/program.cache) holds the compiled code of
// what they use, and keeps the main help as text (DIST/help.txt). Run by the build in a process of its own, whose
// standard output is no terminal. --trace only prints which chunks each command loaded, as JSON.
import fs, { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';

const dist = resolve(process.argv[2] ?? 'dist');
const main = join(dist, 'main.js');
const { start, toEntry, writeCache } = createRequire(main)('./main.js');
const home = mkdtempSync(join(tmpdir(), 'qd-warm-'));
process.env.QWEN_DEPLOY_HOME = home;

// Compiled code that has not run for a while would be dropped. The cache knows the flags that it was made with.
setFlagsFromString('--no-flush-bytecode');
const supervisor = await standIn();
// One group after the other: a volume holds what the first group that uses it uses of it. More in it would make those
// slower that are asked most.
const groups = [
  // Twice: the second time the profile has been read before.
  [
    ['plan', '-p', 'demo'],
    ['plan', '-p', 'demo'],
  ],
  [['status'], ['status', '-o', 'plain'], ['status', 'demo']],
  [
    ['profiles', 'list'],
    ['profiles', 'check', 'tiny'],
  ],
  [['--help']],
];
const volumes = new Map();
const parts = new Map();
const runs = [];
for (const group of groups) {
  for (const args of group) runs.push(await run(args));
  setFlagsFromString('--flush-bytecode');
  for (const [name, { script }] of volumes) if (!parts.has(name)) parts.set(name, script.createCachedData());
  setFlagsFromString('--no-flush-bytecode');
}
if (process.argv[3] === '--trace') process.stdout.write(JSON.stringify(runs.map(({ loaded }) => loaded)));
else {
  writeFileSync(join(dist, 'help.txt'), runs.at(-1).output);
  writeCache(join(dist, 'program.cache'), parts, runs[0].id);
}
supervisor.close();
rmSync(home, { recursive: true, force: true });

/** One command in this process: it ends by process.exit, which here only ends the waiting. */
function run(args) {
  const { argv, exit, stdout, stderr } = process;
  const writes = [stdout.write, stderr.write, fs.writeSync];
  const program = start(dist, volumes);
  let output = '';
  return new Promise((resolve) => {
    process.exit = () => resolve({ output, loaded: program.loaded(), id: program.id });
    process.argv = [argv[0], main, ...args];
    const keep = (text) => {
      output += text;
      return true;
    };
    // A pipe is written without a stream.
    fs.writeSync = (descriptor, bytes, ...place) => {
      if (descriptor > 2) return writes[2](descriptor, bytes, ...place);
      if (descriptor === 1) keep(bytes.toString());
      return bytes.length;
    };
    stdout.write = keep;
    stderr.write = () => true;
    program.load(toEntry(process.argv));
  }).finally(() => {
    [stdout.write, stderr.write, fs.writeSync] = writes;
    process.removeAllListeners();
    Object.assign(process, { argv, exit });
  });
}

/** Answers as a supervisor does, so that the code that shows a deployment is run too. */
async function standIn() {
  const directory = join(home, 'state/deployments/demo');
  const socket = join(home, 'demo.sock');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'supervisor.lock'), `1\n${socket}\n`);
  const facts = {
    name: 'demo',
    state: 'ready',
    desired: 'up',
    profile: 'demo',
    backend: 'simulator',
    endpoint: 'http://127.0.0.1:8000/v1',
  };
  const counts = { restarts: { sinceStable: 0, lastHour: 0, total: 0 }, load: { running: 0, waiting: 0, kvUsage: 0, tokensPerSecond: 0 } };
  const served = { servedNames: ['demo'], model: 'demo', port: 8000, uptimeSeconds: 90, health: { ready: true } };
  const parts = { pid: 1, engine: { version: 'simulated' }, supervised: true, supervisor: { pid: 1 }, simulated: true, configDrift: false };
  const body = JSON.stringify({ kind: 'Deployment', version: 1, ...facts, ...served, ...counts, ...parts });
  const server = createServer((client) => {
    client.once('data', () => client.end(`HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`));
  });
  await new Promise((resolve) => server.listen(socket, resolve));
  return server;
}
