// npm run docs — writes docs/profiles.md, docs/doctor.md, docs/failures.md and schema/profile.schema.json anew. The sources are TypeScript, so they are
// bundled first; package files are found from where the source of that lies, not from the bundle.
import { rmSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = new URL('..', import.meta.url);
const outfile = fileURLToPath(new URL(`node_modules/.cache/docs-${process.pid}.mjs`, root));
try {
  await build({
    entryPoints: [fileURLToPath(new URL('scripts/docs/main.ts', root))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    define: { 'import.meta.url': JSON.stringify(new URL('src/host/package-files.ts', root).href) },
    logLevel: 'warning',
  });
  const { writeDocs } = await import(pathToFileURL(outfile).href);
  await writeDocs();
} finally {
  rmSync(outfile, { force: true });
}
