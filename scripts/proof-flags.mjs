// npm run proof:flags -- [--python PYTHON]… [--count N] [--seed S] — settings made from the catalogues, N valid and N
// invalid ones for each vLLM, put on the command line by our launch code and given to that vLLM's own parser.
// PYTHON is that of an environment with vLLM; without any, those of QWEN_DEPLOY_TEST_ENGINE_HOME's engines.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const bar = 99.5;
const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    python: { type: 'string', multiple: true },
    count: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
  },
});
const pythons = values.python ?? listEnginePythons(process.env.QWEN_DEPLOY_TEST_ENGINE_HOME);
if (pythons.length === 0) {
  console.error('no engine: --python PYTHON, or QWEN_DEPLOY_TEST_ENGINE_HOME=DIR');
  process.exit(2);
}
process.env.QWEN_DEPLOY_ROOT = root;
const { findDisagreements, makeInvalid, makeValid, openRealParser, readFlagData } = await load();
for (const python of pythons) await prove(python);

async function prove(python) {
  const parser = await openRealParser(python);
  const data = readFlagData(parser.version);
  const [count, seed] = [Number(values.count), Number(values.seed)];
  const cases = { valid: makeValid(count, { ...data, seed }), invalid: makeInvalid(count, { ...data, seed }) };
  const wrong = await findDisagreements(parser, data, cases);
  parser.close();
  const percent = 100 * (1 - wrong.length / (2 * count));
  for (const { settings, ours, said } of wrong)
    console.log(`  ${JSON.stringify(settings)}\n    we: ${ours.join(', ') || 'fine'}\n    vLLM: ${said}`);
  console.log(
    `vLLM ${parser.version}: ${2 * count} settings (seed ${seed}), ${wrong.length} disagreements, ${percent.toFixed(2)} % agreement, bar ${bar} %`,
  );
  if (percent < bar) process.exitCode = 1;
}

function listEnginePythons(home) {
  const engines = home === undefined ? '' : join(home, 'data/engines');
  if (!existsSync(engines)) return [];
  return readdirSync(engines)
    .map((name) => join(engines, name, 'venv/bin/python'))
    .filter((path) => existsSync(path));
}

/** The TypeScript of the tests, as one module. */
async function load() {
  const directory = mkdtempSync(join(tmpdir(), 'qd-proof-'));
  const outfile = join(directory, 'proof.mjs');
  const contents = `export * from './test/vllm/flag-agreement.ts'; export * from './test/vllm/flag-cases.ts';`;
  const stdin = { contents, resolveDir: root, loader: 'ts' };
  await build({ stdin, bundle: true, format: 'esm', platform: 'node', outfile, logLevel: 'warning' });
  const loaded = await import(pathToFileURL(outfile).href);
  rmSync(directory, { recursive: true });
  return loaded;
}
