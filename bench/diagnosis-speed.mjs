// npm run bench:diagnosis-speed — `explain --log` on 100 MB of log beside `grep -c -E` with one alternation of the same
// patterns: ratio, growth from 25 to 100 MB, and the most memory it takes. The log is made of the captures.
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { createHome, mainFile, median, report, root } from './lib.mjs';

const rounds = Number(process.argv[2] ?? 5);
const megabyte = 2 ** 20;
const { home, env, remove } = createHome();

try {
  const directory = mkdtempSync(join(home, 'log-'));
  const [small, large] = [25, 100].map((size) => writeLog(join(directory, `${size}.log`), size * megabyte));
  const patterns = join(directory, 'patterns');
  const signatures = await loadSignatures();
  writePatterns(patterns, signatures);
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

/** Starts, service and failures as they come, in another order each time, with numbers of their own. */
function writeLog(path, size) {
  const directory = join(root, 'test/fixtures/logs/vllm-0.32.0-cpu');
  const captures = readdirSync(directory)
    .filter((name) => name.endsWith('.log'))
    .sort()
    .map((name) => readFileSync(join(directory, name), 'utf8').trimEnd());
  const handle = openSync(path, 'w');
  let bytes = 0;
  let lines = 0;
  for (let turn = 0; bytes < size; turn += 1) {
    const capture = captures[(turn * 7) % captures.length] ?? '';
    const served = Array.from({ length: 400 }, (_, index) => toServedLine(turn, index)).join('\n');
    const text = `${capture.replaceAll(/pid=\d+/g, `pid=${1000 + turn}`)}\n${served}\n`;
    bytes += writeSync(handle, text);
    lines += text.split('\n').length - 1;
  }
  closeSync(handle);
  return { path, bytes, lines };
}

/** Most of a long log. */
function toServedLine(turn, index) {
  const head = `(APIServer pid=${1000 + turn}) INFO`;
  const port = 40_000 + ((turn * 400 + index) % 20_000);
  if (index % 10 !== 0) return `${head}:     192.0.2.${index % 250}:${port} - "POST /v1/chat/completions HTTP/1.1" 200 OK`;
  const figures = `Avg prompt throughput: ${index}.4 tokens/s, Avg generation throughput: ${turn % 900}.1 tokens/s`;
  return `${head} 11-21 10:00:${String(index % 60).padStart(2, '0')} [loggers.py:310] Engine 000: ${figures}, Running: ${index % 8} reqs`;
}

/** Wall time, and the most memory that the kernel saw it take. */
function measure(program, args) {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const child = spawn(program, args, { env: { ...env, LC_ALL: 'C' }, cwd: home, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    let peakBytes = 0;
    const look = () => {
      try {
        const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
        peakBytes = Math.max(peakBytes, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024);
      } catch {
        // it has ended
      }
    };
    const looking = setInterval(look, 20);
    child.stdout.on('data', (chunk) => (output += chunk));
    child.once('error', reject);
    child.once('close', (code) => {
      clearInterval(looking);
      if (code === 0) resolve({ ms: performance.now() - startedAt, output, peakBytes });
      else reject(new Error(`${program} → ${code}\n${output}`));
    });
  });
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
