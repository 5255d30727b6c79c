import { runProgram } from '../host/exec.ts';
import { findOnPath } from './path.ts';
import { pythonRange } from './python.ts';
import { compareVersions } from './version.ts';

export interface ObservedUv {
  readonly program: string;
  readonly version: string;
  /** A suiting Python that uv manages itself, off PATH. */
  readonly python?: string;
}

/** The first with `uv pip install --torch-backend`. */
export const oldestUv = '0.6.9';
const runLimitMs = 10_000;

/** The uv on PATH; undefined when there is none, or one that is too old for what is asked of it. */
export async function observeUv(env: NodeJS.ProcessEnv, signal?: AbortSignal): Promise<ObservedUv | undefined> {
  const program = await findOnPath('uv', env);
  if (program === undefined) return undefined;
  const options = { env, timeoutMs: runLimitMs, ...(signal ? { signal } : {}) };
  const version = parseUvVersion((await runProgram(program, ['--version'], options)).stdout);
  if (version === undefined || compareVersions(version, oldestUv) < 0) return undefined;
  const found = await runProgram(program, ['python', 'find', '--system', '--no-python-downloads', pythonRange], options);
  const python = found.code === 0 ? found.stdout.trim() : '';
  return { program, version, ...(python ? { python } : {}) };
}

/** `uv 0.13.8 (x86_64-unknown-linux-gnu)` → `0.13.8`. */
function parseUvVersion(text: string): string | undefined {
  return /^uv (\d+\.\d+\.\d+)/m.exec(text)?.[1];
}
