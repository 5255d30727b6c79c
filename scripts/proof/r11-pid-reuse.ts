/**
 * R11: the numbers of an engine and of its keeper are given to strangers, by the kernel, on purpose: in a pid
 * namespace of its own, where the last number that was given out can be set. Then everything that adopts, stops or
 * clears up is let loose on the old record.
 */
import { spawn } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { type Bar, shorten } from './lib/bar.ts';
import { type Reused, reusePids } from './lib/pid-reuse.ts';

/** So many rounds by the runtime's own doors go with one by the built program. */
const perProgramRound = 50;

export const pidReuse: Bar = {
  id: 'R11',
  bar: 'pid reuse: 0 foreign processes signalled in 1,000 forced reuses',
  on: '`sleep` under the runtime, the stand-in engine under the program',
  async prove(asked) {
    const rounds = asked.rounds(1000);
    const { forced, signalled, program, problems } = await runInside(asked.bundle, rounds);
    return {
      met: problems.length === 0 && signalled === 0 && forced >= rounds,
      figure: `${signalled} of ${forced} strangers signalled: ${forced - program} with the number of an engine or its keeper under the runtime, ${program} under up, status and down`,
      lines: shorten(problems),
    };
  },
};

/** By the program that runs in the namespace. */
export async function provePidReuseInside(rounds: number): Promise<void> {
  const reused = await reusePids(rounds, Math.max(1, Math.floor(rounds / perProgramRound)));
  process.stdout.write(`${JSON.stringify(reused)}\n`);
  process.exit();
}

const code = 'const { proveInside } = await import(process.argv[1]); await proveInside(Number(process.argv[2]));';

/** A shell is the first process there, and takes the orphans' exit statuses: a zombie would keep its number. */
function runInside(bundle: string, rounds: number): Promise<Reused> {
  const node = [process.execPath, '--input-type=module', '-e', code, pathToFileURL(bundle).href, `${rounds}`];
  const args = ['--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', '"$@"; exit $?', 'sh', ...node];
  return new Promise((resolve, reject) => {
    const child = spawn('unshare', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    process.once('exit', () => child.kill('SIGKILL'));
    const said = { out: '', err: '' };
    child.stdout.on('data', (chunk) => (said.out += chunk));
    child.stderr.on('data', (chunk) => (said.err += chunk));
    child.once('error', reject);
    child.once('close', (status) => {
      const line = said.out.trim().split('\n').at(-1) ?? '';
      if (status === 0 && line.startsWith('{')) resolve(JSON.parse(line));
      else reject(new Error(`a pid namespace needs root and unshare: exit ${status}: ${said.err.trim() || said.out.trim()}`));
    });
  });
}
