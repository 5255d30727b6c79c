#!/usr/bin/env node
// dist/main.js: runs the program from its packed chunks, only those that a command needs, each with V8's code cache
// (Node 20 has no switch for that). Together this is most of the time that a command takes to start. The cache
// belongs to one V8; where another one rejects it, a new one is written if the directory may be written to.
'use strict';
const { existsSync, fstatSync, openSync, readFileSync, readSync, renameSync, rmSync, writeFileSync } = require('node:fs');
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
  process.on('exit', program.keep);
  program.load(toEntry(argv));
}

// `status` alone is a program of its own: it is asked in loops and prompts.
function toEntry(words) {
  return words.length === 3 && words[2] === 'status' ? 'status-main.js' : 'main.js';
}

// `load` runs a chunk by its name, with all chunks that it asks for. Chunks that are used together are one script (a
// volume): reading and opening a script costs more than what most chunks do.
function start(directory, volumes = new Map()) {
  const pack = openPack(`${directory}/program.pack`) ?? endDamaged(`${directory}/program.pack`);
  const cache = openCache(`${directory}/program.cache`, pack.index.id);
  const modules = new Map();
  const requireFrom = (name) => (name.startsWith('.') ? load(name.slice(name.lastIndexOf('/') + 1)) : toLazy(name));
  const stale = new Map();

  function load(name) {
    const known = modules.get(name);
    if (known) return known.exports;
    const module = { exports: {} };
    modules.set(name, module);
    const volume = openVolume(pack.index.chunks[name]);
    volume.chunks[name](requireFrom, module, module.exports, `${directory}/main.js`, directory, toTexts);
    return module.exports;
  }

  function openVolume(name) {
    const known = volumes.get(name);
    if (known) return known;
    const cachedData = cache?.read(name);
    const script = new Script(pack.read(name).latin1Slice(), { filename: `${directory}/${name}`, ...(cachedData ? { cachedData } : {}) });
    if (cachedData === undefined || script.cachedDataRejected) stale.set(name, script);
    const volume = { script, chunks: script.runInThisContext() };
    volumes.set(name, volume);
    return volume;
  }

  // A catalogue of texts; its ids are AREA.REST or AREA/REST, and an area is one part of the pack.
  function toTexts(name) {
    const areas = new Map();
    const read = (area) => {
      const known = areas.get(area);
      if (known) return known;
      const texts = JSON.parse(pack.read(`${name}/${area}`)?.utf8Slice() ?? '{}');
      areas.set(area, texts);
      return texts;
    };
    const find = (id) => (typeof id === 'string' ? read(toArea(id))[id] : undefined);
    const list = () =>
      Object.keys(pack.index.parts).flatMap((part) => (part.startsWith(`${name}/`) ? Object.keys(read(part.slice(name.length + 1))) : []));
    return new Proxy({}, toTraps(find, list));
  }

  // What was there stays: other commands use other volumes.
  function keep() {
    if (stale.size === 0) return;
    const kept = Object.keys(cache?.index.parts ?? {}).map((name) => [name, cache.read(name)]);
    const fresh = [...stale].map(([name, script]) => [name, script.createCachedData()]);
    writeCache(`${directory}/program.cache`, new Map([...kept, ...fresh]), pack.index.id);
  }

  return { load, loaded: () => [...modules.keys()], keep, id: pack.index.id };
}

// A module of Node's own that is loaded when something of it is first used: most commands use few of those they name.
function toLazy(name) {
  let loaded;
  const use = () => {
    loaded ??= require(name);
    return loaded;
  };
  return new Proxy(
    {},
    toTraps(
      (key) => use()[key],
      () => Reflect.ownKeys(use()),
    ),
  );
}

// Of an object whose properties are found by a function.
function toTraps(find, list) {
  return {
    get: (_, key) => find(key),
    has: (_, key) => find(key) !== undefined,
    ownKeys: list,
    getOwnPropertyDescriptor: (_, key) => {
      const value = find(key);
      return value === undefined ? undefined : { value, enumerable: true, configurable: true };
    },
  };
}

function toArea(id) {
  return id.slice(0, id.search(/[./]/));
}

// A pack: 8 hexadecimal digits of the index's length, the index { size, parts: { name: [offset, length] }, … }, the
// contents. Undefined when it is not there or not whole: V8 dies of a cache that was cut.
function openPack(path) {
  try {
    const file = openSync(path, 'r');
    const slice = (offset, length) => {
      const buffer = Buffer.allocUnsafeSlow(length);
      readSync(file, buffer, 0, length, offset);
      return buffer;
    };
    const indexLength = Number.parseInt(slice(0, 8).latin1Slice(), 16);
    const index = JSON.parse(slice(8, indexLength).latin1Slice());
    const { parts, size } = index;
    const base = 8 + indexLength;
    if (fstatSync(file).size !== base + size) return undefined;
    return { index, read: (name) => parts[name] && slice(base + parts[name][0], parts[name][1]) };
  } catch {
    return undefined;
  }
}

// V8 takes a cache for that of any source of the same length. A program that was replaced while it ran leaves its own
// behind, so a cache says of which pack it is.
function openCache(path, id) {
  const cache = openPack(path);
  return cache?.index.of === id ? cache : undefined;
}

function endDamaged(path) {
  process.stderr.write(`error: ${path} is missing or damaged. Install the package again (in a checkout: npm run build).\n`);
  process.exit(1);
}

function toPack(entries, more = {}) {
  const parts = {};
  let offset = 0;
  for (const [name, content] of entries) {
    parts[name] = [offset, content.length];
    offset += content.length;
  }
  const head = Buffer.from(JSON.stringify({ size: offset, parts, ...more }), 'latin1');
  return Buffer.concat([Buffer.from(head.length.toString(16).padStart(8, '0')), head, ...[...entries].map(([, content]) => content)]);
}

function writeCache(path, parts, of) {
  const temporary = `${path}.${process.pid}`;
  try {
    // On the disk before it has its name: a crash of the machine must not leave one that is cut.
    writeFileSync(temporary, toPack(parts, { of }), { flush: true });
    renameSync(temporary, path);
  } catch {
    // installed by another user, or the disk is full: the next start is as slow as this one
    rmSync(temporary, { force: true });
  }
}

module.exports = { start, toArea, toEntry, toPack, writeCache };
