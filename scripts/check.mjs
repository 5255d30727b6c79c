// Checks the house: `node scripts/check.mjs [name …] [--root DIR]`. One line per check, and the places that fail it.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { checkBorders } from './check/borders.mjs';
import { checkDuplicates } from './check/duplicates.mjs';
import { checkLock } from './check/lock.mjs';
import { checkSizes } from './check/sizes.mjs';
import { checkDeadCode, checkStyle, checkTypes } from './check/tools.mjs';
import { checkWords } from './check/words.mjs';

/** Name → (root) → problems, each `file:line what`. */
const checks = {
  types: checkTypes,
  style: checkStyle,
  borders: checkBorders,
  sizes: checkSizes,
  'dead code': checkDeadCode,
  duplicates: checkDuplicates,
  lock: checkLock,
  words: checkWords,
};

const { values, positionals } = parseArgs({ allowPositionals: true, options: { root: { type: 'string' } } });
const root = values.root ?? fileURLToPath(new URL('..', import.meta.url));
const unknown = positionals.filter((name) => !Object.hasOwn(checks, name));
if (unknown.length > 0) {
  console.error(`no such check: ${unknown.join(', ')}; there are ${Object.keys(checks).join(', ')}`);
  process.exit(2);
}
const chosen = Object.entries(checks).filter(([name]) => positionals.length === 0 || positionals.includes(name));
const running = chosen.map(([name, check]) => timed(name, check));
let failed = false;
for (const result of running) {
  const { name, seconds, problems } = await result;
  failed ||= problems.length > 0;
  console.log(`${problems.length === 0 ? 'ok  ' : 'FAIL'} ${name.padEnd(10)} ${seconds.toFixed(1).padStart(5)} s`);
  for (const problem of problems) console.log(`       ${problem}`);
}
process.exitCode = failed ? 1 : 0;

async function timed(name, check) {
  const start = performance.now();
  const problems = await check(root).catch((error) => [`the check itself failed: ${error.stack ?? error}`]);
  return { name, problems, seconds: (performance.now() - start) / 1000 };
}
