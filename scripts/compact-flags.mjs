// npm run flags -- DUMP.json … — makes data/flags/ of the dumps that scripts/dump-flags.py writes: one catalogue per
// version with what checking and explaining need, one flag per line, and the history of all of them in changes.json.
// Dumps older than the oldest catalogue to ship only go into the history. Versions not given keep what they have.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { successors } from './flags/successors.mjs';

const oldestShipped = '0.24.0';
const target = fileURLToPath(new URL('../data/flags/', import.meta.url));

/** Values that the parser does not check, and that vLLM knows from a table of its own. */
const registries = {
  'tool-call-parser': 'tool_call_parser',
  'reasoning-parser': 'reasoning_parser',
  quantization: 'quantization',
  'load-format': 'load_format',
};

const dumps = process.argv.slice(2).map((path) => JSON.parse(readFileSync(path, 'utf8')));
for (const dump of dumps) {
  if (compareVersions(dump.vllm_version, oldestShipped) < 0) continue;
  writeFileSync(join(target, `${dump.vllm_version}.json`), renderCatalogue(dump));
}
writeFileSync(join(target, 'changes.json'), renderChanges());

function renderCatalogue(dump) {
  const older = dump.platform === 'cpu' ? readOlder(dump.vllm_version) : {};
  const flags = dump.flags
    .filter(({ kind }) => kind !== 'help')
    .map((flag) => [toName(flag.flag), toCompact(carryOver(flag, older[toName(flag.flag)]), dump)]);
  flags.sort(([a], [b]) => (a < b ? -1 : 1));
  const head = { version: dump.vllm_version, groups: dump.groups };
  return `${JSON.stringify(head).slice(0, -1)},"flags":{\n${toLines(flags)}\n}}\n`;
}

/** A dump made on the CPU platform cannot say what is different on GPUs, nor what vLLM fills in later: an older one can. */
function carryOver(flag, older) {
  if (older === undefined) return flag;
  const sameOnCpu = older.cpu !== undefined && String(older.cpu.choices) === String(flag.choices);
  const carried = sameOnCpu ? { ...flag, choices: older.choices, on_cpu: older.cpu } : flag;
  return flag.default === null && older.default === undefined ? { ...carried, default_depends: older.depends } : carried;
}

/** Flags of the newest catalogue before a version, or of that version as it was made before. */
function readOlder(version) {
  const made = readdirSync(target).flatMap((name) => /^(\d.*)\.json$/.exec(name)?.[1] ?? []);
  const newest = made
    .filter((one) => compareVersions(one, version) <= 0)
    .sort(compareVersions)
    .at(-1);
  return newest === undefined ? {} : JSON.parse(readFileSync(join(target, `${newest}.json`), 'utf8')).flags;
}

function toLines(entries) {
  return entries.map(([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`).join(',\n');
}

/** Absent is the usual: no aliases, `--no-x` where it is a boolean, nothing but text or a number. */
function toCompact(flag, dump) {
  const name = toName(flag.flag);
  const usual = flag.kind === 'boolean' ? `--no-${name}` : null;
  const known = flag.known_values ?? (flag.choices === null ? dump.registries[registries[name]] : undefined);
  return withoutEmpty({
    kind: flag.kind,
    group: dump.groups.indexOf(flag.group),
    item: flag.item,
    separator: flag.separator,
    repeat: flag.repeat,
    bare: flag.nargs === '?' ? true : undefined,
    aliases: flag.aliases,
    negative: flag.negative === usual ? undefined : (flag.negative ?? false),
    negatives: flag.negative_aliases,
    choices: flag.choices,
    known,
    normalise: flag.normalise === undefined ? undefined : true,
    bounds: flag.bounds,
    nullable: flag.nullable || undefined,
    default: flag.default,
    depends: flag.default_depends || undefined,
    deprecated: flag.deprecated || undefined,
    removal: flag.removal,
    checked: flag.json_checked || undefined,
    type: flag.json_class === undefined ? flag.json_type : undefined,
    open: flag.fields !== undefined && flag.extra !== 'forbid' ? true : undefined,
    fields: toFields(flag.fields),
    cpu: flag.on_cpu,
    only: flag.only_on,
  });
}

function toFields(fields) {
  if (fields === undefined) return undefined;
  return Object.fromEntries(fields.map((field) => [field.name, toField(field)]));
}

/** A field with nothing but a type is its type. */
function toField({ type, choices, bounds, fields, extra }) {
  const rest = withoutEmpty({
    choices,
    bounds,
    open: fields !== undefined && extra !== 'forbid' ? true : undefined,
    fields: toFields(fields),
  });
  return Object.keys(rest).length === 0 ? type : { type, ...rest };
}

function withoutEmpty(entry) {
  const isEmpty = (value) => value === undefined || value === null || (Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => !isEmpty(value)));
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
    return [[name, withoutEmpty({ since, last, gone, use: successors[name]?.use })]];
  });
  const ancient = Object.entries(successors).flatMap(([name, { last, use }]) =>
    last === undefined ? [] : [[name, withoutEmpty({ last, use })]],
  );
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
  for (const { vllm_version: version, flags } of dumps)
    names.set(version, new Set(flags.filter(({ kind }) => kind !== 'help').map(({ flag }) => toName(flag))));
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
  const listed = Object.keys(history).filter((name) => had(history[name]));
  return new Set([...[...lasting].filter((name) => !Object.hasOwn(history, name)), ...listed]);
}

function toName(flag) {
  return flag.replace(/^--/, '');
}

function compareVersions(a, b) {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  return left.map((part, index) => part - (right[index] ?? 0)).find((step) => step !== 0) ?? 0;
}
