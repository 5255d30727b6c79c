// npm run proof:faults — runs every test that shows a row of the fault matrix and writes docs/faults.md. Exit 1 when a
// row failed or fewer than 95 % are shown. `-- --engine HOME`: where a real vLLM is installed; `--reports DIR`: writes
// the page from reports that are there already. The matrix is TypeScript, so it is bundled first.
import { rmSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const { values } = parseArgs({ options: { engine: { type: 'string' }, reports: { type: 'string' } } });
const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
const outfile = `${root}/node_modules/.cache/faults-${process.pid}.mjs`;
try {
  await build({
    entryPoints: [`${root}/scripts/faults/main.ts`],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'warning',
  });
  const { proveFaults } = await import(pathToFileURL(outfile).href);
  process.exitCode = await proveFaults({
    root,
    ...(values.engine === undefined ? {} : { engineHome: values.engine }),
    ...(values.reports === undefined ? {} : { reports: values.reports }),
  });
} finally {
  rmSync(outfile, { force: true });
}
