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
  const cache = openCache(`${directory}/program.cache`, pack.id);
  const modules = new Map();
  const requireFrom = (name) => (name.startsWith('.') ? load(name.slice(name.lastIndexOf('/') + 1)) : toLazy(name));
  const stale = new Map();

  function load(name) {
    const known = modules.get(name);
    if (known) return known.exports;
    const module = { exports: {} };
    modules.set(name, module);
    // By its number: a name that is a piece of the index would take the index with it into the code cache.
    const volume = openVolume(`volume-${Number(pack.find(name)[0])}.js`);
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

  // A catalogue of texts; its ids are AREA.REST or AREA/REST, and an area is one part of the pack: lines of an id and its
  // text as JSON, of which those are read that are said.
  function toTexts(name) {
    const areas = new Map();
    const open = (area) => {
      if (!areas.has(area)) areas.set(area, pack.read(`${name}/${area}`) ?? Buffer.alloc(0));
      return areas.get(area);
    };
    const find = (id) => {
      if (typeof id !== 'string') return undefined;
      const lines = open(toArea(id));
      const at = lines.indexOf(`\n${id} `) + 1;
      return at === 0 ? undefined : JSON.parse(lines.utf8Slice(at + id.length + 1, lines.indexOf(10, at)));
    };
    const toIds = (area) => [...open(area).toString().matchAll(/^\S+/gm)].map(([id]) => id);
    const list = () => pack.names().flatMap((part) => (part.startsWith(`${name}/`) ? toIds(part.slice(name.length + 1)) : []));
    return new Proxy({}, toTraps(find, list));
  }

  // What was there stays: other commands use other volumes.
  function keep() {
    if (stale.size === 0) return;
    const kept = (cache?.names() ?? []).map((name) => [name, cache.read(name)]);
    const fresh = [...stale].map(([name, script]) => [name, script.createCachedData()]);
    writeCache(`${directory}/program.cache`, new Map([...kept, ...fresh]), pack.id);
  }

  return { load, loaded: () => [...modules.keys()], keep, id: pack.id };
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

// A pack: 8 hexadecimal digits of the index's length, the index, the contents. The index is lines of words: the size of
// the contents and the id of the program; for each part its name, offset and length; for each chunk its name and the
// number of its volume. It stays a text, in which a command finds its sixty of a thousand. Undefined when it is not
// there or not whole: V8 dies of a cache that was cut.
function openPack(path) {
  try {
    const file = openSync(path, 'r');
    const slice = (offset, length) => {
      const buffer = Buffer.allocUnsafeSlow(length);
      readSync(file, buffer, 0, length, offset);
      return buffer;
    };
    const indexLength = Number.parseInt(slice(0, 8).latin1Slice(), 16);
    const index = slice(8, indexLength).latin1Slice();
    const base = 8 + indexLength;
    const [size, id] = index.slice(0, index.indexOf('\n')).split(' ');
    if (fstatSync(file).size !== base + Number(size)) return undefined;
    const find = (name) => {
      const at = index.indexOf(`\n${name} `) + 1;
      return at === 0 ? undefined : index.slice(at + name.length + 1, index.indexOf('\n', at)).split(' ');
    };
    const read = (name) => {
      const place = find(name);
      return place && slice(base + Number(place[0]), Number(place[1]));
    };
    return { id, find, read, names: () => [...index.matchAll(/^(\S+) \d+ \d+$/gm)].map(([, name]) => name) };
  } catch {
    return undefined;
  }
}

// V8 takes a cache for that of any source of the same length. A program that was replaced while it ran leaves its own
// behind, so a cache says of which pack it is.
function openCache(path, id) {
  const cache = openPack(path);
  return cache?.id === id ? cache : undefined;
}

function endDamaged(path) {
  process.stderr.write(`error: ${path} is missing or damaged. Install the package again (in a checkout: npm run build).\n`);
  process.exit(1);
}

// `id`: of the program. `volumes`: of each chunk.
function toPack(entries, id, volumes = []) {
  const parts = [];
  let size = 0;
  for (const [name, content] of entries) {
    parts.push([name, size, content.length]);
    size += content.length;
  }
  const lines = [[size, id], ...parts, ...volumes].map((words) => `${words.join(' ')}\n`);
  const head = Buffer.from(lines.join(''), 'latin1');
  return Buffer.concat([Buffer.from(head.length.toString(16).padStart(8, '0')), head, ...[...entries].map(([, content]) => content)]);
}

function writeCache(path, parts, of) {
  const temporary = `${path}.${process.pid}`;
  try {
    // On the disk before it has its name: a crash of the machine must not leave one that is cut.
    writeFileSync(temporary, toPack(parts, of), { flush: true });
    renameSync(temporary, path);
  } catch {
    // installed by another user, or the disk is full: the next start is as slow as this one
    rmSync(temporary, { force: true });
  }
}

module.exports = { start, toArea, toEntry, toPack, writeCache };
