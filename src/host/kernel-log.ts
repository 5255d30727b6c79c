/** What the kernel says, where this account may hear it. */
import { runBriefly } from './exec.ts';

const programMs = 5000;
/** An empty answer is what an account without rights gets. */
const programs = [['dmesg'], ['journalctl', '-k', '-b', '-q', '--no-pager']] as const;

/** Since the boot; undefined when this account may not read it. */
export async function readKernelLog(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const [program, ...args] of programs) {
    const { code, stdout } = await runBriefly(program, args, { timeoutMs: programMs, env: { ...env, LC_ALL: 'C' } });
    if (code === 0 && stdout.trim() !== '') return stdout;
  }
  return undefined;
}
