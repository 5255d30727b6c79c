// Copied code. Tests may resemble each other more than the program may.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runTool } from './tools.mjs';

const tokens = { program: 60, tests: 120 };
const ignored = ['**/node_modules/**', '**/dist/**', '**/coverage/**', '**/fixtures/**', '**/golden/**'];

export async function checkDuplicates(root) {
  const directory = await mkdtemp(join(tmpdir(), 'duplicates-'));
  try {
    const limits = ['--min-tokens', String(tokens.program), '--min-lines', '5'];
    const what = ['--format', 'typescript,tsx,javascript', '--ignore', ignored.join(',')];
    // Several paths would make the report's names ambiguous.
    const { failed, output } = await runTool(root, 'jscpd', [...limits, ...what, '--reporters', 'json', '--output', directory, '.']);
    if (failed) return [output.trim()];
    const report = JSON.parse(await readFile(join(directory, 'jscpd-report.json'), 'utf8'));
    return report.duplicates.filter(isTooMuch).map(toProblem);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function isTooMuch({ tokens: size, firstFile, secondFile }) {
  const inTests = [firstFile, secondFile].every(({ name }) => name.startsWith('test/'));
  return size >= (inTests ? tokens.tests : tokens.program);
}

function toProblem({ firstFile, secondFile, lines }) {
  return `${firstFile.name}:${firstFile.start} is the same as ${secondFile.name}:${secondFile.start} (${lines} lines)`;
}
