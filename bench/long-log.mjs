// Logs of any length, made of the captures, and what reading one takes.
import { spawn } from 'node:child_process';
import { closeSync, createReadStream, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './lib.mjs';

/** Starts, service and failures as they come, in another order each time, with numbers of their own. */
export function writeLongLog(path, size) {
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

/** Wall time, and the most memory that the kernel saw it take. `input`: a file that it gets on standard input, by a pipe. */
export function measurePeak(program, args, { env, cwd, input }) {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const child = spawn(program, args, { env, cwd, stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'inherit'] });
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
    if (input !== undefined) createReadStream(input).pipe(child.stdin);
    child.stdout.on('data', (chunk) => (output += chunk));
    child.once('error', reject);
    child.once('close', (code) => {
      clearInterval(looking);
      if (code === 0) resolve({ ms: performance.now() - startedAt, output, peakBytes });
      else reject(new Error(`${program} → ${code}\n${output}`));
    });
  });
}
