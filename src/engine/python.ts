/**
 * The Pythons of this machine and whether vLLM can live in them. Each is asked by running it: its name says
 * nothing (`python3` is anything, a pyenv shim named python3.12 may be no Python at all).
 */
import { realpath } from 'node:fs/promises';
import { runProgram } from '../host/exec.ts';
import { findAllOnPath } from './path.ts';
import { compareVersions } from './version.ts';

export interface ObservedPython {
  /** As found on PATH. */
  readonly found: string;
  /** What it calls itself (behind a shim: the real program); `found` when it does not run. */
  readonly program: string;
  /** Absent when it does not run. */
  readonly version?: string;
  /** A CPython of a version that vLLM's wheels exist for. */
  readonly suits: boolean;
  /** Has the modules `venv` and `ensurepip` (Debian packages them apart). */
  readonly venv: boolean;
  readonly pip: boolean;
}

/** vLLM 0.32 supports 3.10 to 3.13; 3.10 is at the end of its life and left out. */
const oldestPython = '3.11';
const newestPython = '3.13';
/** The same range for uv. */
export const pythonRange = '>=3.11,<3.14';

const names = ['python3.13', 'python3.12', 'python3.11', 'python3'];
const runLimitMs = 10_000;

/** Best first: by name, then by PATH. The same interpreter under several names is one. */
export async function observePythons(env: NodeJS.ProcessEnv, signal?: AbortSignal): Promise<readonly ObservedPython[]> {
  const paths = (await Promise.all(names.map((name) => findAllOnPath(name, env)))).flat();
  const observed = await Promise.all((await withoutTwins(paths)).map((path) => observePython(path, env, signal)));
  const seen = new Set<string>();
  return observed.filter((python) => {
    if (seen.has(python.program)) return false;
    seen.add(python.program);
    return true;
  });
}

/** Where `/bin` is `/usr/bin`, and `python3` is `python3.11`, one file has four names. */
async function withoutTwins(paths: readonly string[]): Promise<readonly string[]> {
  const files = await Promise.all(paths.map((path) => realpath(path).catch(() => path)));
  return paths.filter((_, index) => files.indexOf(files[index] ?? '') === index);
}

/** One that can make environments by itself, else one that can at least fetch a tool that does. */
export function choosePython(pythons: readonly ObservedPython[]): ObservedPython | undefined {
  const suiting = pythons.filter((python) => python.suits);
  return suiting.find((python) => python.venv) ?? suiting.find((python) => python.pip) ?? suiting[0];
}

async function observePython(path: string, env: NodeJS.ProcessEnv, signal?: AbortSignal): Promise<ObservedPython> {
  const result = await runProgram(path, ['-c', question], { env, timeoutMs: runLimitMs, ...(signal ? { signal } : {}) });
  const answer = result.code === 0 ? parseAnswer(result.stdout) : undefined;
  if (answer === undefined) return { found: path, program: path, suits: false, venv: false, pip: false };
  const { version } = answer;
  const suits = answer.implementation === 'CPython' && answer.wide && isSupported(version);
  return { found: path, program: answer.program || path, version, suits, venv: answer.venv, pip: answer.pip };
}

function isSupported(version: string): boolean {
  const minor = version.split('.').slice(0, 2).join('.');
  return compareVersions(minor, oldestPython) >= 0 && compareVersions(minor, newestPython) <= 0;
}

const question = `
import json, platform, sys
from importlib.util import find_spec as f
print(json.dumps({"version": platform.python_version(), "implementation": platform.python_implementation(),
  "program": sys.executable, "wide": sys.maxsize > 2**32, "venv": bool(f("venv") and f("ensurepip")), "pip": bool(f("pip"))}))
`;

interface Answer {
  readonly version: string;
  readonly implementation: string;
  readonly program: string;
  readonly wide: boolean;
  readonly venv: boolean;
  readonly pip: boolean;
}

function parseAnswer(stdout: string): Answer | undefined {
  try {
    const value: Partial<Answer> = JSON.parse(stdout);
    if (typeof value.version !== 'string') return undefined;
    return {
      version: value.version,
      implementation: value.implementation ?? '',
      program: value.program ?? '',
      wide: value.wide === true,
      venv: value.venv === true,
      pip: value.pip === true,
    };
  } catch {
    // something else answered to the name of python
    return undefined;
  }
}
