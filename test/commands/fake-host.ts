import { Readable } from 'node:stream';
import type { Host } from '../../src/commands/host.ts';

export interface FakeHost extends Host {
  readonly printed: { stdout: string; stderr: string };
}

export interface FakeOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly stdin?: string;
  readonly terminal?: boolean;
  readonly interruptStatus?: number;
}

/** A process around the command line, without the process. */
export function createFakeHost({ env = {}, stdin = '', terminal = false, interruptStatus }: FakeOptions = {}): FakeHost {
  const printed = { stdout: '', stderr: '' };
  return {
    printed,
    env,
    cwd: '/',
    stdin: Object.assign(Readable.from([stdin]), { isTTY: terminal }),
    stdout: { isTTY: terminal, columns: 100, write: (text) => (printed.stdout += text) },
    stderr: { isTTY: terminal, columns: 100, write: (text) => (printed.stderr += text) },
    signal: new AbortController().signal,
    force: new AbortController().signal,
    interruptStatus: () => interruptStatus,
    programs: { self: ['node', 'main.js'], simulator: 'simulator.js' },
  };
}
