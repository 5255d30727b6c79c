// `node scripts/ci-summary.mjs NAME=REPORT.json … [--broken NAME]…`: adds up what vitest's JSON reports say and ends
// with one plain line. A suite without a report, one that ran nothing, and a broken step are failures: nothing passes
// in silence.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { broken: { type: 'string', multiple: true, default: [] } } });
const suites = positionals.map((argument) => {
  const split = argument.indexOf('=');
  return { name: argument.slice(0, split), ...readCounts(argument.slice(split + 1)) };
});
const unexplained = values.broken.filter((name) => !suites.some((suite) => suite.name === name && suite.failed > 0));
const steps = unexplained.map((name) => ({ name, passed: 0, failed: 1, skipped: 0, problem: 'the step failed' }));
const total = { passed: 0, failed: 0, skipped: 0 };
for (const { name, problem, ...counts } of [...suites, ...steps]) {
  console.log(`${name}: ${problem ?? toLine(counts)}`);
  for (const key of Object.keys(total)) total[key] += counts[key];
}
console.log(toLine(total));
process.exitCode = total.failed === 0 && suites.length > 0 ? 0 : 1;

function readCounts(path) {
  const nothing = { passed: 0, failed: 1, skipped: 0 };
  let report;
  try {
    report = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    return { ...nothing, problem: `did not report (${error.code ?? error.message})` };
  }
  const { numPassedTests: passed, numFailedTests, numPendingTests, numTodoTests, numFailedTestSuites, success } = report;
  const skipped = numPendingTests + numTodoTests;
  if (passed + numFailedTests === 0) return { ...nothing, skipped, problem: 'ran no tests' };
  // A file that breaks before its tests, or an error outside of them, fails without a failed test.
  const failed = numFailedTests > 0 || success ? numFailedTests : Math.max(1, numFailedTestSuites);
  return { passed, failed, skipped };
}

function toLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
