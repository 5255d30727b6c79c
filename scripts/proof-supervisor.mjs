// npm run proof:supervisor [-- ROUNDS [NAME]] (or ROUNDS=n; 10) — a real vLLM stopped, killed and frozen in every way that
// test/vllm/supervision.ts knows, rounds of it. Prints for each scenario how often it passed, what it took (median and
// longest), and what was left; exit status 1 when anything failed or anything was left. NAME: only scenarios whose name
// has it (a regular expression: "D1", "frozen").
// The engine: QWEN_DEPLOY_TEST_ENGINE_HOME, as for npm run test:vllm. A round takes about a quarter of an hour on two cores.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadTypeScript, root } from './flags/typescript.mjs';

const rounds = Number(process.argv[2] ?? process.env.ROUNDS ?? 10);
const only = process.argv[3];
const files = ['test/vllm/supervision.test.ts', 'test/vllm/hangs.test.ts'];
const { runSwept } = await loadTypeScript('scripts/faults/swept.ts');
const reports = mkdtempSync(join(tmpdir(), 'qd-proof-'));
/** Name of a scenario → what each of its rounds gave. */
const played = new Map();
let broken = 0;
for (let round = 1; round <= rounds; round += 1) {
  const begin = Date.now();
  const tests = await playRound(join(reports, `${round}.json`));
  if (tests.length === 0) broken += 1;
  for (const test of tests) played.set(test.title, [...(played.get(test.title) ?? []), test]);
  const failed = tests.filter(({ status }) => status !== 'passed');
  console.error(`round ${round} of ${rounds}: ${tests.length - failed.length} of ${tests.length} in ${toSeconds(Date.now() - begin)}`);
  for (const { title, failureMessages } of failed) console.error(`  ${title}\n    ${failureMessages.join('\n    ')}`);
}
rmSync(reports, { recursive: true });

console.log(`${'scenario'.padEnd(78)} ${'passed'.padEnd(7)} left  p50 / longest`);
for (const [title, all] of played) console.log(toRow(title, all));
const every = [...played.values()].flat();
const failures = every.filter(({ status }) => status !== 'passed').length;
const left = every.flatMap(toLeftovers);
console.log(`${rounds} rounds, ${every.length} scenarios played, ${failures} failed, ${left.length} left over`);
for (const one of left) console.log(`  ${one}`);
process.exitCode = failures === 0 && broken === 0 && left.length === 0 && played.size > 0 ? 0 : 1;

async function playRound(file) {
  const args = [
    'run',
    '--config',
    'vitest.vllm.config.ts',
    '--no-file-parallelism',
    ...files,
    '--reporter=json',
    `--outputFile.json=${file}`,
  ];
  if (only !== undefined) args.push('-t', only);
  const env = { ...process.env, QWEN_DEPLOY_PROOF: 'supervisor' };
  const status = await runSwept(args, { cwd: root, env, output: 'ignore' });
  // Without a report, or with a file that could not even be loaded, the round proves nothing.
  const results = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).testResults : [];
  if (results.length < files.length || results.some(({ assertionResults }) => assertionResults.length === 0)) {
    console.error(`the round ended with ${status} and without all its results`);
    for (const { message } of results) if (message) console.error(message);
    return [];
  }
  // Those that NAME leaves out are there as skipped.
  return results.flatMap(({ assertionResults }) => assertionResults).filter(({ status }) => status === 'passed' || status === 'failed');
}

function toRow(title, all) {
  const passed = all.filter(({ status }) => status === 'passed').length;
  const kinds = [...new Set(all.flatMap(({ meta }) => Object.keys(meta.times ?? {})))];
  const figures = kinds.map((kind) => {
    const sorted = all.flatMap(({ meta }) => meta.times?.[kind] ?? []).sort((one, other) => one - other);
    return `${kind} ${toSeconds(sorted[Math.floor((sorted.length - 1) / 2)])} / ${toSeconds(sorted.at(-1))}`;
  });
  return `${title.padEnd(78)} ${`${passed}/${all.length}`.padEnd(7)} ${String(all.flatMap(toLeftovers).length).padEnd(5)} ${figures.join(', ')}`;
}

function toLeftovers({ meta }) {
  return meta.leftovers ?? [];
}

function toSeconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}
