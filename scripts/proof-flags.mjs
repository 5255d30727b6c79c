// npm run proof:flags -- [--versions 0.24.0,0.33.0] [--count N] [--seed S] [--reference DIR] [--record] — for each version
// of vLLM whose catalogue comes with the package:
//   1. the real parser is dumped again, and must give what data/flags has (and what DIR/vllm-VERSION.json has, where given);
//   2. N valid and N invalid settings made from the catalogue are put on the command line by our launch code and given
//      to the real parser: at least 99.5 % agreement, and every disagreement must be of a class that the tests list.
// --record writes the figures into docs/proofs.md. The first run installs vLLM's CPU engine and fetches the Python code of
// the other versions into a cache directory (QWEN_DEPLOY_PROOF_CACHE): 1.5 to 6 GiB, and 0.5 GiB for all others together.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fetchParser } from './flags/fetch-parser.mjs';
import { recordProof } from './flags/record.mjs';
import { loadTypeScript, root } from './flags/typescript.mjs';

const bar = 99.5;
const { values } = parseArgs({
  options: {
    versions: { type: 'string', default: listShipped().join(',') },
    count: { type: 'string', default: '2500' },
    seed: { type: 'string', default: '1' },
    reference: { type: 'string' },
    record: { type: 'boolean', default: false },
  },
});
const cache = process.env.QWEN_DEPLOY_PROOF_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'qwen-deploy-proof');
mkdirSync(cache, { recursive: true });
const python =
  findPython(process.env.QWEN_DEPLOY_TEST_ENGINE_HOME) ?? findPython(join(cache, 'home')) ?? installEngine(join(cache, 'home'));
process.env.QWEN_DEPLOY_ROOT = root;
const tools = await loadTypeScript('test/vllm/flag-agreement.ts', 'test/vllm/flag-cases.ts', 'src/vllm/flag-dump.ts');

const rows = [];
for (const version of values.versions.split(',')) rows.push(await prove(version));
if (values.record) recordProof({ rows, count: Number(values.count), seed: values.seed });
process.exitCode = rows.every(({ ok }) => ok) ? 0 : 1;

async function prove(version) {
  const modules = fetchParser(join(cache, 'parsers'), version);
  const differences = compareDumps(version, modules);
  const { disagreements, unexplained, percent } = await compareAnswers(version, modules);
  const ok = differences.length === 0 && unexplained.length === 0 && percent >= bar;
  for (const name of differences) console.log(`  differs: ${name}`);
  for (const { settings, ours, said } of unexplained)
    console.log(`  ${JSON.stringify(settings)}\n    we: ${ours.join(', ') || 'fine'}\n    vLLM: ${said}`);
  const figures = `${2 * values.count} settings (seed ${values.seed}), ${disagreements} disagreements, ${unexplained.length} without a known reason`;
  console.log(
    `${ok ? 'ok' : 'FAILED'} vLLM ${version}: dump ${differences.length === 0 ? 'agrees' : 'differs'}; ${figures}: ${percent.toFixed(2)} %`,
  );
  return { version, flags: toShipped(version).length, differences, disagreements, percent, ok };
}

async function compareAnswers(version, modules) {
  const { findDisagreements, makeInvalid, makeValid, openRealParser, readFlagData, toUnexplained } = tools;
  const parser = await openRealParser({ python, modules });
  if (parser.version !== version) throw new Error(`${modules} is vLLM ${parser.version}`);
  const data = readFlagData(version);
  const [count, seed] = [Number(values.count), Number(values.seed)];
  const cases = { valid: makeValid(count, { ...data, seed }), invalid: makeInvalid(count, { ...data, seed }) };
  const wrong = await findDisagreements(parser, data, cases);
  parser.close();
  return { disagreements: wrong.length, unexplained: toUnexplained(wrong), percent: 100 * (1 - wrong.length / (2 * count)) };
}

/** Names of flags about which the dump of the parser says something else than a catalogue; all there is in the parser counts. */
function compareDumps(version, modules) {
  const file = join(cache, `dump-${version}.json`);
  execFileSync(python, [join(root, 'scripts/dump-flags.py'), file], {
    env: { ...process.env, PYTHONPATH: modules },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const own = toSeen(readDump(file));
  const others = [{ where: 'data/flags', flags: new Map(toShipped(version)) }];
  if (values.reference) others.push({ where: 'the reference', flags: toSeen(readDump(join(values.reference, `vllm-${version}.json`))) });
  return others.flatMap(({ where, flags }) =>
    [...new Set([...own.keys(), ...flags.keys()])]
      .filter((name) => JSON.stringify(toVisible(own.get(name))) !== JSON.stringify(toVisible(flags.get(name))))
      .map((name) => `${name} (${where})`),
  );
}

function readDump(file) {
  const dump = tools.parseFlagDump(readFileSync(file, 'utf8'));
  if (dump === undefined) throw new Error(`${file} is no dump of flags`);
  return dump;
}

function toSeen(dump) {
  return new Map(Object.entries(tools.toCompactCatalogue(dump).flags));
}

/**
 * What a parser without a GPU shows: not that vLLM fills an unset value in later, and of choices that depend on the
 * platform those of the CPU.
 */
function toVisible(flag) {
  if (flag === undefined) return undefined;
  const { cpu, depends, ...rest } = flag;
  return { ...rest, ...(cpu?.choices ? { choices: cpu.choices } : {}), ...(rest.default === undefined ? {} : { depends }) };
}

function toShipped(version) {
  return Object.entries(JSON.parse(readFileSync(join(root, 'data/flags', `${version}.json`), 'utf8')).flags);
}

function listShipped() {
  return readdirSync(join(root, 'data/flags'))
    .flatMap((name) => /^(\d.*)\.json$/.exec(name)?.[1] ?? [])
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

function findPython(home) {
  const engines = join(home ?? '', 'data/engines');
  if (home === undefined || !existsSync(engines)) return undefined;
  return readdirSync(engines)
    .map((name) => join(engines, name, 'venv/bin/python'))
    .find((path) => existsSync(path));
}

function installEngine(home) {
  execFileSync(process.execPath, [join(root, 'scripts/build.mjs')], { stdio: 'inherit' });
  const env = { ...process.env, QWEN_DEPLOY_HOME: home };
  execFileSync(process.execPath, [join(root, 'dist/main.js'), 'engine', 'install', 'cpu'], { env, stdio: 'inherit' });
  return findPython(home);
}
