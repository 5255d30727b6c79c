// Shared by the benchmarks: runs in turn, medians, ratios, a sandboxed home, and a verdict at the end.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
export const mainFile = join(root, 'dist/main.js');

/** Wall time of one run in ms; rejects when the program fails. */
export function timeRun(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let output = '';
    child.stdout?.on('data', (chunk) => (output += chunk));
    child.stderr?.on('data', (chunk) => (output += chunk));
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve({ ms: performance.now() - startedAt, output });
      else reject(new Error(`${program} ${args.join(' ')} → ${code}\n${output}`));
    });
  });
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** A and B in turn, so that a drifting machine hurts both alike; the ratio is the median of the pairs' ratios. */
export async function comparePairs(rounds, runA, runB) {
  const pairs = [];
  for (let round = 0; round <= rounds; round += 1) {
    const a = await runA();
    const b = await runB();
    if (round > 0) pairs.push({ a, b });
  }
  return { a: median(pairs.map(({ a }) => a)), b: median(pairs.map(({ b }) => b)), ratio: median(pairs.map(({ a, b }) => a / b)) };
}

export function createHome() {
  const home = mkdtempSync(join(tmpdir(), 'qd-bench-'));
  const env = { PATH: process.env.PATH, HOME: home, QWEN_DEPLOY_HOME: join(home, 'qd'), LANG: 'C.UTF-8' };
  return { home, env, remove: () => rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }) };
}

export function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Prints a table and exits 1 when a bar is missed. Rows: { name, value, bar, unit }. */
export function report(title, rows) {
  console.log(`\n${title} (Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim()})`);
  const cells = rows.map(({ name, value, bar, unit, note }) => [
    value <= bar ? 'met ' : 'MISS',
    name,
    `${value.toFixed(2)}${unit}`,
    `bar ${bar}${unit}`,
    note ?? '',
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((row) => row[column].length)));
  for (const row of cells)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  if (rows.some(({ value, bar }) => value > bar)) process.exitCode = 1;
}
