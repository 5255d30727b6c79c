// npm run proof:R1 … proof:R11, proof:docker, proof:diagnosis — one of the bars of supervision: prints its figure and a row for
// docs/proofs.md; exit 1 when the bar is missed. ROUNDS=N goes fewer rounds (for bars in real time: minutes). R3 asks
// for a real vLLM in QWEN_DEPLOY_TEST_ENGINE_HOME, or `-- --stand-in-only`; R7, R11 and docker need root. The proofs
// share TypeScript with the tests, so they are bundled first.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
// Two folders below the root, as the sandbox of the tests is, which finds the program from where it lies.
const outfile = `${root}node_modules/.cache/proof-${process.pid}.mjs`;
// Ctrl-C too: the proofs undo what they made, and end the program themselves.
process.once('exit', () => rmSync(outfile, { force: true }));
const built = spawnSync(process.execPath, [`${root}scripts/build.mjs`], { stdio: ['ignore', 'ignore', 'inherit'] });
if (built.status !== 0) throw new Error('the program could not be built');
await build({
  entryPoints: [`${root}scripts/proof/main.ts`],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  packages: 'external',
  alias: { vitest: `${root}scripts/proof/lib/vitest.ts` },
  logLevel: 'warning',
});
const { proveBar } = await import(pathToFileURL(outfile).href);
process.exitCode = await proveBar(process.argv[2] ?? '', outfile);
// Streams that a proof has given up may still be open.
process.exit();
