#!/usr/bin/env node
// dist/main.js: runs the program from its packed chunks, only those that a command needs, each with V8's code cache
// (Node 20 has no switch for that). Together this is most of the time that a command takes to start. The cache
// belongs to one V8; where another one rejects it, a new one is written if the directory may be written to.
'use strict';
const { existsSync, openSync, readFileSync, readSync, renameSync, writeFileSync } = require('node:fs');
const { Script } = require('node:vm');

const { argv } = process;

if (require.main !== module) {
  // the build uses the functions
} else if (argv.length === 3 && (argv[2] === '--version' || argv[2] === '-V')) {
  process.stdout.write(readFileSync(`${__dirname}/version.txt`));
} else if (
  argv.length === 3 &&
  (argv[2] === '--help' || argv[2] === '-h') &&
  !process.stdout.isTTY &&
  existsSync(`${__dirname}/help.txt`)
) {
  // In a terminal the text is fitted to its width.
  process.stdout.write(readFileSync(`${__dirname}/help.txt`));
} else {
  const program = start(__dirname);
  process.on('exit', () => program.isStale() && writeCache(`${__dirname}/program.cache`, program.scripts));
  program.load(toEntry(argv));
}

// `status` alone is a program of its own: it is asked in loops and prompts.
function toEntry(words) {
  return words.length === 3 && words[2] === 'status' ? 'status-main.js' : 'main.js';
}

// `load` runs a chunk by its name, with all chunks that it asks for.
function start(directory, scripts = new Map()) {
  const pack = openPack(`${directory}/program.pack`);
  const cache = openPack(`${directory}/program.cache`);
  const loaded = new Map();
  const requireFrom = (name) => (name.startsWith('.') ? load(name.slice(name.lastIndexOf('/') + 1)) : toLazy(name));
  let stale = false;

  function load(name) {
    const known = loaded.get(name);
    if (known) return known.exports;
    const module = { exports: {} };
    loaded.set(name, module);
    const script = scripts.get(name) ?? compile(name);
    scripts.set(name, script);
    script.runInThisContext()(requireFrom, module, module.exports, `${directory}/main.js`);
    return module.exports;
  }

  function compile(name) {
    const cachedData = cache?.read(name);
    const script = new Script(pack.read(name).latin1Slice(), { filename: `${directory}/${name}`, ...(cachedData ? { cachedData } : {}) });
    if (cachedData === undefined || script.cachedDataRejected) stale = true;
    return script;
  }

  return { load, scripts, isStale: () => stale };
}

// A module of Node's own that is loaded when something of it is first used: most commands use few of those they name.
function toLazy(name) {
  return new Proxy(
    {},
    {
      get: (_, key) => require(name)[key],
      ownKeys: () => Reflect.ownKeys(require(name)),
      getOwnPropertyDescriptor: (_, key) => ({ value: require(name)[key], enumerable: true, configurable: true }),
    },
  );
}

// A pack: 8 hexadecimal digits of the index's length, the index { name: [offset, length] }, the contents.
function openPack(path) {
  let file;
  try {
    file = openSync(path, 'r');
  } catch {
    // no cache yet; everything works without one
    return undefined;
  }
  const slice = (offset, length) => {
    const buffer = Buffer.allocUnsafeSlow(length);
    readSync(file, buffer, 0, length, offset);
    return buffer;
  };
  const indexLength = Number.parseInt(slice(0, 8).latin1Slice(), 16);
  const index = JSON.parse(slice(8, indexLength).latin1Slice());
  const base = 8 + indexLength;
  return { read: (name) => index[name] && slice(base + index[name][0], index[name][1]) };
}

function toPack(entries) {
  const index = {};
  let offset = 0;
  for (const [name, content] of entries) {
    index[name] = [offset, content.length];
    offset += content.length;
  }
  const head = Buffer.from(JSON.stringify(index), 'latin1');
  return Buffer.concat([Buffer.from(head.length.toString(16).padStart(8, '0')), head, ...[...entries].map(([, content]) => content)]);
}

function writeCache(path, scripts) {
  const temporary = `${path}.${process.pid}`;
  try {
    writeFileSync(temporary, toPack(new Map([...scripts].map(([name, script]) => [name, script.createCachedData()]))));
    renameSync(temporary, path);
  } catch {
    // installed by another user: the next start is as slow as this one
  }
}

module.exports = { start, toEntry, toPack, writeCache };
