/** `doctor --bundle FILE`: everything that somebody who helps would ask for, without what they must not see. */
import { lstat, readFile } from 'node:fs/promises';
import { homedir, hostname } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { listDeployments, listLaunches, toDeploymentPaths, toLaunchPaths } from '../control/directory.ts';
import { DeployError } from '../core/error.ts';
import { createRedactor } from '../core/redact.ts';
import { toSizeText } from '../core/units.ts';
import { type BundleFile, type ListedFile, packBundle } from '../doctor/bundle.ts';
import { listEngines } from '../engine/installed.ts';
import { findSmi, runSmi } from '../gpu/program.ts';
import { errnoOf, writeFileAtomic } from '../host/files.ts';
import { readLastLines } from '../host/tail.ts';
import type { Context } from './context.ts';
import type { Examined } from './doctor.ts';
import { readSecrets } from './doctor-secrets.ts';
import type { SavedSmi } from './doctor-smi.ts';

export interface BundleRequest {
  /** As it was named. */
  readonly file: string;
  /** Writes over what is there. */
  readonly force: boolean;
  /** Of this program. */
  readonly version: string;
  /** What was printed, and the plan. */
  readonly documents: readonly BundleFile[];
  readonly smi?: SavedSmi;
}

export interface WrittenBundle {
  readonly file: string;
  readonly bytes: number;
  readonly files: readonly ListedFile[];
}

/** Throws `usage/file-exists`, so that nobody waits for what cannot be written. */
export async function checkBundleFile(
  { file, force }: Pick<BundleRequest, 'file' | 'force'>,
  { cwd }: Pick<Context, 'cwd'>,
): Promise<void> {
  const there = await lstat(resolve(cwd, file)).catch(() => undefined);
  if (there?.isDirectory()) throw DeployError.of('host/not-written', { file, problem: 'EISDIR' });
  if (there && !force) throw DeployError.of('usage/file-exists', { file });
}

/** Readable by this user alone, and there as a whole or not at all. Throws `usage/file-exists` and `host/not-written`. */
export async function writeBundle(request: BundleRequest, { made }: Examined, context: Context): Promise<WrittenBundle> {
  const path = resolve(context.cwd, request.file);
  const home = context.env.HOME || homedir();
  const redact = createRedactor({ secrets: await readSecrets(made, context), home, hostname: hostname() });
  const about: BundleFile[] = made ? [toJson('profile.json', 'the profile, with everything that it inherits', made.profile)] : [];
  const parts = await Promise.all([readVersions(request, context), readDeployments(context), readSmi(request, context), readMachine()]);
  const files = [...request.documents, ...about, ...parts.flat()];
  const directory = basename(path).replace(/\.(tgz|tar\.gz)$/, '') || 'qwen-deploy-doctor';
  const bundle = await packBundle(files, { directory, now: new Date(), redact });
  await checkBundleFile(request, context);
  try {
    await writeFileAtomic(path, bundle.archive);
  } catch (cause) {
    const problem = errnoOf(cause);
    throw problem === undefined ? cause : DeployError.of('host/not-written', { file: request.file, problem }, { cause });
  }
  return { file: path, bytes: bundle.archive.length, files: bundle.files };
}

function toJson(name: string, what: string, value: unknown): BundleFile {
  return { name, what, text: `${JSON.stringify(value, undefined, 2)}\n` };
}

async function readVersions({ version }: BundleRequest, { places }: Context): Promise<readonly BundleFile[]> {
  const engines = await listEngines(places);
  const versions = { 'qwen-deploy': version, ...process.versions, engines };
  return [toJson('versions.json', 'versions of this program, of Node and of installed engines', versions)];
}

const logBytes = 2 * 2 ** 20;
/** Deployments whose records are the newest are likelier to be what it is about. */
const mostDeployments = 16;
const allLines = 1_000_000;

async function readDeployments({ places }: Context): Promise<readonly BundleFile[]> {
  const names = listDeployments(places).map((name) => ({ name, paths: toDeploymentPaths(places, name) }));
  const aged = await Promise.all(
    names.map(async (one) => ({ ...one, at: (await lstat(one.paths.state).catch(() => undefined))?.mtimeMs ?? 0 })),
  );
  const newest = aged.toSorted((a, b) => b.at - a.at).slice(0, mostDeployments);
  return (await Promise.all(newest.map(({ name, paths }) => readDeployment(name, paths)))).flat();
}

async function readDeployment(name: string, paths: ReturnType<typeof toDeploymentPaths>): Promise<readonly BundleFile[]> {
  const launches = (await listLaunches(paths)).slice(-2);
  const logs = launches.map((launchId) => ({
    path: toLaunchPaths(paths, launchId).logFile,
    as: `engine-${launchId}.log`,
    what: 'what the engine wrote',
  }));
  const others = [
    { path: paths.events, as: 'events.ndjson', what: 'what happened to the deployment' },
    { path: paths.supervisorLog, as: 'supervisor.log', what: 'what the supervisor wrote' },
    { path: paths.state, as: 'state.json', what: 'the record of the deployment' },
  ];
  const files = await Promise.all([...logs, ...others].map(async ({ path, as, what }) => ({ as, what, text: await readEnd(path) })));
  return files.filter(({ text }) => text !== '').map(({ as, what, text }) => ({ name: `deployments/${name}/${as}`, what, text }));
}

/** The last lines; that some were left out is said in their place. */
async function readEnd(path: string): Promise<string> {
  try {
    const { size } = await lstat(path);
    const lines = await readLastLines(path, allLines, logBytes);
    const cut = size > logBytes ? [`[the last ${toSizeText(logBytes)} of ${toSizeText(size)}]`] : [];
    return lines.length === 0 ? '' : `${[...cut, ...lines].join('\n')}\n`;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return errnoOf(error) === 'ENOENT' ? '' : `[${errnoOf(error)}]\n`;
  }
}

const smiBytes = 2 ** 20;
const smiLimitMs = 10_000;

/** What it says by itself; where there is none, that. */
async function readSmi({ smi }: BundleRequest, { env, signal }: Context): Promise<readonly BundleFile[]> {
  if (smi) return [{ name: 'nvidia-smi/given.txt', what: 'what was given to --nvidia-smi', text: smi.text.slice(0, smiBytes) }];
  const program = await findSmi(env, '/');
  if (program.is !== 'found') return [{ name: 'nvidia-smi/none.txt', what: 'nvidia-smi was not run', text: `${program.is}\n` }];
  const deadline = performance.now() + smiLimitMs;
  const files: BundleFile[] = [];
  for (const args of [[], ['-q'], ['-q', '-x']]) {
    const { stdout, stderr, code, problem } = await runSmi(program.path, args, { env, signal, deadline });
    const line = [program.path, ...args].join(' ');
    const end = `[${line}: ${problem ?? `exit ${code ?? '?'}`}]\n`;
    files.push({
      name: `nvidia-smi/${['plain', ...args].join('')}.txt`,
      what: line,
      text: `${stdout.slice(0, smiBytes)}\n${stderr}${end}`,
    });
    if (problem !== undefined) break;
  }
  return files;
}

const machineFiles = [
  '/proc/version',
  '/etc/os-release',
  '/proc/cpuinfo',
  '/proc/meminfo',
  '/proc/self/status',
  '/proc/self/limits',
  '/proc/self/cgroup',
  '/proc/self/mountinfo',
  '/proc/driver/nvidia/version',
  '/sys/fs/cgroup/memory.max',
  '/sys/fs/cgroup/cpu.max',
];
const machineBytes = 64 * 2 ** 10;

/** What the kernel says; a hundred cores all say the same. */
async function readMachine(): Promise<readonly BundleFile[]> {
  const files = await Promise.all(
    machineFiles.map(async (path) => {
      const text = await readFile(path, 'utf8').catch(() => '');
      return { name: join('machine', path.slice(1).replaceAll('/', '-')), what: path, text: text.slice(0, machineBytes) };
    }),
  );
  return files.filter(({ text }) => text !== '');
}
