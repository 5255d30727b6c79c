// npm run proof:serving [ROUNDS] — the scenarios against the real vLLM, several rounds, with their times.
// The engine: QWEN_DEPLOY_TEST_ENGINE_HOME, as for npm run test:vllm.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const rounds = Number(process.argv[2] ?? 3);
const reports = mkdtempSync(join(tmpdir(), 'qd-proof-'));
const times = new Map();
let failed = 0;
for (let round = 1; round <= rounds; round += 1) {
  const file = join(reports, `${round}.json`);
  spawnSync('npx', ['vitest', 'run', '--config', 'vitest.vllm.config.ts', '--reporter=json', `--outputFile.json=${file}`], {
    stdio: 'ignore',
  });
  for (const { assertionResults } of JSON.parse(readFileSync(file, 'utf8')).testResults) {
    for (const { title, status, duration } of assertionResults) {
      times.set(title, [...(times.get(title) ?? []), status === 'passed' ? duration : Number.NaN]);
      if (status !== 'passed') failed += 1;
    }
  }
}
rmSync(reports, { recursive: true });
for (const [title, all] of times)
  console.log(`${all.map((ms) => (Number.isNaN(ms) ? 'FAILED' : `${(ms / 1000).toFixed(1)} s`)).join('  ')}  ${title}`);
console.log(`${rounds} rounds, ${failed} failed`);
process.exitCode = failed === 0 && times.size > 0 ? 0 : 1;
