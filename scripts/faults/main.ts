/** The body of scripts/faults.mjs: runs every test that carries an id of the matrix, and writes docs/faults.md. */
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, homedir, release, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { areas, rows } from '../../test/faults/matrix.ts';
import { findBroken, leastShare, type Report, renderPage, type Summary, summarise, toShown } from './report.ts';
import { runSwept } from './swept.ts';

export interface ProofOptions {
  readonly root: string;
  /** Home of an installed engine; without one the rows that need it stay without a result. */
  readonly engineHome?: string;
  /** Nothing but the page is written anew, from reports that lie here. */
  readonly reports?: string;
}

interface Suite {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

const longestMinutes = 60;
const mayCarry = /['"`](?:[A-M]\d{1,2}(?:,? ))+/;
/** Names of GPUs begin like ids. */
const withoutIds = ['test/faults/', 'test/vllm/', 'test/docker/', 'test/gpu/', 'test/plan/rank', 'test/profiles-shipped'];

/** Resolves with the exit status. */
export async function proveFaults(options: ProofOptions): Promise<number> {
  const { root } = options;
  const startedAt = Date.now();
  const directory = options.reports ?? (await mkdtemp(join(tmpdir(), 'qd-faults-')));
  const engineHome = findEngineHome(options.engineHome);
  const suites = await toSuites(root, engineHome);
  if (options.reports === undefined) {
    for (const suite of suites) await run(root, suite, toReportFile(directory, suite));
  }
  const reports = await Promise.all(suites.map((suite) => readReport(toReportFile(directory, suite))));
  const summary = summarise(rows, toShown(reports, root));
  const minutes = (Date.now() - startedAt) / 60_000;
  const lines = [
    `${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, Linux ${release().split('-', 1)[0]}, ${cpus().length} cores, no GPU`,
    engineHome === undefined ? 'without a real vLLM' : 'the stand-in engine, and vLLM 0.32.0 (CPU build) where a file is in `test/vllm`',
    ...(options.reports === undefined ? [`${minutes.toFixed(1)} minutes in all`] : []),
  ];
  await writeFile(join(root, 'docs/faults.md'), renderPage(summary, { lines, areas }));
  if (options.reports === undefined) await rm(directory, { recursive: true, force: true });
  return Math.max(tell(summary), tellBroken(reports, root), tellTime(options.reports === undefined ? minutes : 0));
}

/** A file that could not be loaded, or whose preparations failed, shows none of its rows, and might not be missed. */
function tellBroken(reports: readonly Report[], root: string): number {
  const broken = findBroken(reports, root);
  for (const file of broken) console.log(`${file}: failed as a whole`);
  return broken.length > 0 ? 1 : 0;
}

function tellTime(minutes: number): number {
  if (minutes <= longestMinutes) return 0;
  console.log(`${minutes.toFixed(1)} minutes, at most ${longestMinutes}`);
  return 1;
}

function tell({ results, unknown, share, passed, counted }: Summary): number {
  for (const { row, result, tests } of results) {
    if (result === 'passed' || result === 'elsewhere' || result === 'not automated') continue;
    const failed = tests.filter(({ status }) => status === 'failed').map(({ name }) => name);
    console.log(`${row.id}: ${result}${failed.length > 0 ? `: ${failed.join('; ')}` : ''}`);
  }
  if (unknown.length > 0) console.log(`no such rows: ${unknown.join(', ')}`);
  console.log(`${passed} of ${counted} rows (${(100 * share).toFixed(1)} %, at least ${100 * leastShare} %)`);
  const failed = results.some(({ result }) => result === 'failed');
  return failed || unknown.length > 0 || share < leastShare ? 1 : 0;
}

async function toSuites(root: string, engineHome: string | undefined): Promise<readonly Suite[]> {
  const all = await findFiles(root, '');
  const elsewhere = all.filter((file) => !withoutIds.some((start) => file.startsWith(start)));
  const real = all.filter((file) => file.startsWith('test/vllm/'));
  const suites: readonly Suite[] = [
    { name: 'matrix', args: ['--config', 'vitest.faults.config.ts'], env: { FAULTS: 'all' } },
    // Whole files: in some a test begins where the one before has ended.
    { name: 'program', args: elsewhere, env: {} },
  ];
  if (engineHome === undefined || real.length === 0) return suites;
  const env = { QWEN_DEPLOY_TEST_ENGINE_HOME: engineHome };
  return [...suites, { name: 'vllm', args: ['--config', 'vitest.vllm.config.ts', ...real], env }];
}

async function findFiles(root: string, under: string): Promise<readonly string[]> {
  const names = await readdir(join(root, 'test', under), { recursive: true });
  const files = names.filter((name) => name.endsWith('.test.ts')).map((name) => join('test', under, name));
  const texts = await Promise.all(files.map((file) => readWithHelpers(root, file)));
  return files.filter((_, index) => mayCarry.test(texts[index] ?? '')).toSorted();
}

/** Tests that several files share stand in a file beside them. */
async function readWithHelpers(root: string, file: string): Promise<string> {
  const text = await readFile(join(root, file), 'utf8');
  const imports = [...text.matchAll(/from '(\.{1,2}\/[^']+)'/g)].map(([, path = '']) => join(dirname(file), path));
  // What stands in a text of a test is no file.
  const helpers = imports.filter((path) => path.startsWith('test/') && !path.startsWith('test/faults/') && existsSync(join(root, path)));
  return [text, ...(await Promise.all(helpers.map((path) => readFile(join(root, path), 'utf8'))))].join('\n');
}

/** One after the other: the machine is theirs. That some failed is in the report. */
async function run(root: string, { name, args, env }: Suite, outputFile: string): Promise<void> {
  console.log(`== ${name}`);
  const words = ['run', ...args, '--reporter=default', '--reporter=json', `--outputFile.json=${outputFile}`];
  await runSwept(words, { cwd: root, env: { ...process.env, ...env }, output: 'inherit' });
}

function toReportFile(directory: string, { name }: Suite): string {
  return join(directory, `${name}.json`);
}

async function readReport(file: string): Promise<Report> {
  return JSON.parse(await readFile(file, 'utf8')) as Report;
}

/** Given, or where the tests against the real vLLM and CI look for it. */
function findEngineHome(given: string | undefined): string | undefined {
  const cache = process.env['QWEN_DEPLOY_CI_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'qwen-deploy-ci');
  const places = [given, process.env['QWEN_DEPLOY_TEST_ENGINE_HOME'], join(cache, 'home')];
  return places.find((place) => place !== undefined && existsSync(join(place, 'data/engines/cpu-0.32.0/venv/bin/python')));
}
