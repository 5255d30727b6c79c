/** The program. `--version` and `--help` alone do not come here: scripts/boot.cjs answers them without loading it. */
import { runProcess } from './entry/process.ts';

runProcess(async (argv, host) => {
  const { runCommandLine } = await import('./commands/cli.ts');
  return runCommandLine(argv, host);
});
