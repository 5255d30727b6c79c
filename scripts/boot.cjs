#!/usr/bin/env node
// dist/main.js: loads the program with V8's code cache, which halves the time until a command runs (Node 20 has no
// switch for that). The cache belongs to one V8; another one rejects it, and then writes its own where it may.
'use strict';
const { readFileSync, renameSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');
const { Script } = require('node:vm');

const file = join(__dirname, 'program.js');
const cacheFile = join(__dirname, 'program.cache');

if (process.argv.length === 3 && (process.argv[2] === '--version' || process.argv[2] === '-V')) {
  process.stdout.write(`${require('./version.json')}\n`);
} else {
  run();
}

function run() {
  const cachedData = readCache();
  const script = new Script(readFileSync(file, 'latin1'), { filename: file, ...(cachedData ? { cachedData } : {}) });
  if (cachedData === undefined || script.cachedDataRejected) process.on('exit', () => writeCache(script));
  script.runInThisContext()(require, module, exports, __filename, __dirname, pathToFileURL(__filename).href);
}

function readCache() {
  try {
    return readFileSync(cacheFile);
  } catch {
    // not made yet, or not readable: everything works without
    return undefined;
  }
}

function writeCache(script) {
  const temporary = `${cacheFile}.${process.pid}`;
  try {
    writeFileSync(temporary, script.createCachedData());
    renameSync(temporary, cacheFile);
  } catch {
    // installed by another user: the next start is as slow as this one
  }
}
