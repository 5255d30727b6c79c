// npm run flags -- DUMP.json … — makes data/flags/ of the dumps that scripts/dump-flags.py writes: one catalogue per
// version (src/vllm/flag-dump.ts), one flag per line, and the history of all of them in changes.json.
// Dumps older than the oldest catalogue to ship only go into the history. Versions not given keep what they have.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { successors } from './flags/successors.mjs';
import { loadTypeScript } from './flags/typescript.mjs';

const oldestShipped = '0.24.0';
const target = fileURLToPath(new URL('../data/flags/', import.meta.url));

const { parseFlagDump, renderCatalogue, toCompactCatalogue } = await loadTypeScript('src/vllm/flag-dump.ts');
const dumps = process.argv.slice(2).map(readDump);
for (const dump of dumps) {
  if (compareVersions(dump.vllm_version, oldestShipped) < 0) continue;
  const catalogue = toCompactCatalogue(dump, readOlder(dump.vllm_version));
  writeFileSync(join(target, `${dump.vllm_version}.json`), renderCatalogue(catalogue));
}
writeFileSync(join(target, 'changes.json'), renderChanges());

function readDump(path) {
  const dump = parseFlagDump(readFileSync(path, 'utf8'));
  if (dump === undefined) throw new Error(`${path} is no dump of flags`);
  return dump;
}

/** The newest catalogue before a version, or that of the version as it was made before. */
function readOlder(version) {
  const made = readdirSync(target).flatMap((name) => /^(\d.*)\.json$/.exec(name)?.[1] ?? []);
  const newest = made
    .filter((one) => compareVersions(one, version) <= 0)
    .sort(compareVersions)
    .at(-1);
  return newest === undefined ? undefined : JSON.parse(readFileSync(join(target, `${newest}.json`), 'utf8'));
}

function toLines(entries) {
  return entries.map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`).join(',\n');
}

/** Flags that not every version has: since which, and the last one; absent where that is outside of what was read. */
function renderChanges() {
  const names = readNames();
  const versions = [...names.keys()].sort(compareVersions);
  const all = [...new Set([...names.values()].flatMap((set) => [...set]))].sort();
  const flags = all.flatMap((name) => {
    const having = versions.filter((version) => names.get(version).has(name));
    const since = having[0] === versions[0] ? undefined : having[0];
    const last = having.at(-1) === versions.at(-1) ? undefined : having.at(-1);
    if (since === undefined && last === undefined) return [];
    const gone = last && versions[versions.indexOf(last) + 1];
    const { last: _, ...successor } = successors[name] ?? {};
    return [[name, { ...(since ? { since } : {}), ...(last ? { last, gone, ...successor } : {}) }]];
  });
  const ancient = Object.entries(successors).filter(([, { last, never }]) => last !== undefined || never);
  const listed = [...flags, ...ancient].sort(([a], [b]) => (a < b ? -1 : 1));
  return `{"versions":${JSON.stringify(versions)},"flags":{\n${toLines(listed)}\n}}\n`;
}

/** Version → its flags: of the dumps given, else of what was made before. */
function readNames() {
  const names = new Map();
  for (const file of readdirSync(target).filter((name) => /^\d.*\.json$/.test(name))) {
    const { version, flags } = JSON.parse(readFileSync(join(target, file), 'utf8'));
    names.set(version, new Set(Object.keys(flags)));
  }
  for (const { vllm_version: version, flags } of dumps) names.set(version, new Set(flags.map(({ flag }) => flag.replace(/^--/, ''))));
  const before = readBefore();
  const lasting = names.get([...names.keys()].sort(compareVersions).at(-1)) ?? [];
  for (const version of before.versions.filter((one) => !names.has(one))) names.set(version, toNamesThen(version, before.flags, lasting));
  return names;
}

function readBefore() {
  try {
    return JSON.parse(readFileSync(join(target, 'changes.json'), 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return { versions: [], flags: {} };
    throw error;
  }
}

function toNamesThen(version, history, lasting) {
  const had = ({ since, last, gone }) =>
    (since === undefined || compareVersions(since, version) <= 0) &&
    (gone === undefined ? last === undefined : compareVersions(version, last) <= 0);
  const listed = Object.keys(history).filter((name) => !history[name].never && had(history[name]));
  return new Set([...[...lasting].filter((name) => !Object.hasOwn(history, name)), ...listed]);
}

function compareVersions(a, b) {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  return left.map((part, index) => part - (right[index] ?? 0)).find((step) => step !== 0) ?? 0;
}
