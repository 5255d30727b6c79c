// npm run bench:diagnosis-speed — `explain --log` on 100 MB of log beside `grep -c -E` with one alternation of the same
// patterns: ratio, growth from 25 to 100 MB, and the most memory it takes. The log is made of the captures.
import { closeSync, mkdtempSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { createHome, mainFile, median, report, root } from './lib.mjs';
import { measurePeak, writeLongLog } from './long-log.mjs';

const rounds = Number(process.argv[2] ?? 3);
const megabyte = 2 ** 20;
const { home, env, remove } = createHome();

try {
  const directory = mkdtempSync(join(home, 'log-'));
  const [small, large] = [25, 100].map((size) => writeLongLog(join(directory, `${size}.log`), size * megabyte));
  const patterns = join(directory, 'patterns');
  const signatures = await loadSignatures();
  writePatterns(patterns, signatures);
  const measure = (program, args) => measurePeak(program, args, { env: { ...env, LC_ALL: 'C' }, cwd: home });
  const runs = { small: [], large: [], grep: [] };
  for (let round = 0; round <= rounds; round += 1) {
    const taken = {
      small: await measure(process.execPath, [mainFile, 'explain', '--log', small.path, '-o', 'json']),
      large: await measure(process.execPath, [mainFile, 'explain', '--log', large.path, '-o', 'json']),
      grep: await measure('grep', ['-c', '-a', '-E', '-f', patterns, large.path]),
    };
    // The first round fills the page cache.
    if (round > 0) for (const [name, one] of Object.entries(taken)) runs[name].push(one);
  }
  const toMs = (name) => median(runs[name].map(({ ms }) => ms));
  const ratio = median(runs.large.map(({ ms }, index) => ms / runs.grep[index].ms));
  const growth = median(runs.large.map(({ ms }, index) => ms / runs.small[index].ms)) / (large.bytes / small.bytes);
  const peak = Math.max(...runs.large.map(({ peakBytes }) => peakBytes)) / megabyte;
  const document = JSON.parse(runs.large[0]?.output ?? '{}');
  console.log(`${large.lines} lines, ${signatures.length} patterns; grep finds ${runs.grep[0]?.output.trim()} lines`);
  console.log(`25 MB ${toMs('small').toFixed(0)} ms · 100 MB ${toMs('large').toFixed(0)} ms · grep ${toMs('grep').toFixed(0)} ms`);
  console.log(`cause ${document.cause ?? '–'}, start ${document.launch ?? '–'} of ${document.launches ?? '–'}`);
  report('bench:diagnosis-speed', [
    { name: 'explain --log, 100 MB, to grep -c -E', value: ratio, bar: 10, unit: ' ×', note: `${rounds} rounds` },
    { name: 'growth from 25 to 100 MB, to proportional', value: growth, bar: 1.15, unit: ' ×' },
    { name: 'most memory, 100 MB', value: peak, bar: 150, unit: ' MB' },
  ]);
} finally {
  remove();
}

async function loadSignatures() {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ['src/vllm/failures/signatures.ts'],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
  });
  const { signatures } = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
  return signatures;
}

/**
 * As grep reads them. Bounded gaps become unbounded ones there: its automaton would have a state for each character,
 * and the time to build it is not what is to be compared.
 */
function writePatterns(path, signatures) {
  const all = signatures.map(({ pattern }) => `(${toExtended(pattern.source)})`).join('|');
  const handle = openSync(path, 'w');
  writeSync(handle, `${all}\n`);
  closeSync(handle);
}

function toExtended(source) {
  return source.replaceAll(
    /\\(.)|\[((?:\\.|[^\]\\])+)\]|\(\?(?:<\w+>|:)|(?:\{(\d+)(,?)(\d*)\}|([*+?]))\??/g,
    (_, escaped, inside, least, comma, most, sign) => {
      if (escaped !== undefined) return toEscaped(escaped);
      if (inside !== undefined) return toBracket(inside);
      if (sign !== undefined) return sign;
      if (least === undefined) return '(';
      return comma === '' && most === '' && Number(least) < 5 ? `{${least}}` : Number(least) === 0 ? '*' : '+';
    },
  );
}

function toEscaped(character) {
  if (character === 'd') return '[0-9]';
  if (/[wWsSbB]/.test(character)) return `\\${character}`;
  if (character === 'n') return ' ';
  return /[.*+?^${}()|[\]\\]/.test(character) ? `\\${character}` : character;
}

/** Between brackets nothing is escaped there; `]` stands first and `-` last. */
function toBracket(inside) {
  const not = inside.startsWith('^') ? '^' : '';
  const plain = inside
    .slice(not.length)
    .replaceAll('\\w', '[:alnum:]_')
    .replaceAll('\\d', '0-9')
    .replaceAll('\\s', '[:space:]')
    .replaceAll('\\n', '');
  const first = plain.includes('\\]') ? ']' : '';
  const last = plain.endsWith('-') || plain.includes('\\-') ? '-' : '';
  const middle = plain.replaceAll('\\]', '').replaceAll('\\-', '').replace(/-$/, '').replaceAll(/\\(.)/g, '$1');
  const all = `${first}${middle}${last}`;
  return all === '' ? '.' : `[${not}${all}]`;
}
