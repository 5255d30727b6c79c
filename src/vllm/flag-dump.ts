/**
 * What scripts/dump-flags.py reads from a vLLM's parser, made into a catalogue: with what checking and explaining need,
 * and nothing where it is as usual. The one place that does it, for the catalogues that come with the package and for
 * those made of an engine that has none.
 */
import type { Field, Fields, Flag, FlagCatalogue } from './flags.ts';

/** Only what is used here; the script writes more. */
export interface FlagDump {
  readonly vllm_version: string;
  readonly platform: string;
  readonly groups: readonly string[];
  readonly flags: readonly DumpedFlag[];
  readonly registries: Readonly<Record<string, readonly string[]>>;
}

interface DumpedFlag {
  readonly flag: string;
  readonly kind: string;
  readonly group: string;
  readonly item?: Flag['item'];
  readonly separator?: string;
  readonly repeat?: boolean;
  readonly nargs?: string | number | null;
  readonly aliases?: readonly string[];
  readonly negative?: string | null;
  readonly negative_aliases?: readonly string[];
  readonly choices?: Flag['choices'] | null;
  readonly known_values?: Flag['known'];
  readonly normalise?: string;
  readonly bounds?: Flag['bounds'];
  readonly nullable?: boolean;
  readonly default?: unknown;
  readonly default_depends?: boolean;
  readonly deprecated?: boolean;
  readonly removal?: string;
  readonly json_class?: string;
  readonly json_checked?: boolean;
  readonly json_type?: string;
  readonly extra?: string;
  readonly fields?: readonly DumpedField[];
  readonly on_cpu?: Flag['cpu'];
  readonly only_on?: string;
}

interface DumpedField {
  readonly name: string;
  readonly type: string;
  readonly choices?: Field['choices'];
  readonly bounds?: Field['bounds'];
  readonly extra?: string;
  readonly fields?: readonly DumpedField[];
}

/** Undefined for anything that is not whole. */
export function parseFlagDump(text: string): FlagDump | undefined {
  try {
    const { vllm_version, platform, groups, flags, registries }: Partial<FlagDump> = JSON.parse(text);
    if (typeof vllm_version !== 'string' || !/^\d/.test(vllm_version) || typeof platform !== 'string') return undefined;
    if (!Array.isArray(groups) || !Array.isArray(flags) || typeof registries !== 'object' || registries === null) return undefined;
    const known = flags.filter(({ kind }: DumpedFlag) => kind !== 'help');
    const whole = known.every(
      ({ flag, kind, group }: DumpedFlag) => flag.startsWith('--') && typeof kind === 'string' && groups.includes(group),
    );
    // Every vLLM has this one: a parser without it is not that of `vllm serve`.
    if (!whole || !known.some(({ flag }: DumpedFlag) => flag === '--max-num-seqs')) return undefined;
    return { vllm_version, platform, groups, flags: known, registries };
  } catch {
    // cut short, or something else
    return undefined;
  }
}

/**
 * `older` is the newest catalogue up to that version. A dump made on the CPU platform cannot say what is different on
 * GPUs, nor what vLLM fills in later: an older catalogue can.
 */
export function toCompactCatalogue(dump: FlagDump, older?: FlagCatalogue): FlagCatalogue {
  const known = dump.platform === 'cpu' ? (older?.flags ?? {}) : {};
  const flags = dump.flags.map((flag): readonly [string, Flag] => {
    const name = toName(flag);
    return [name, toCompact(carryOver(flag, Object.hasOwn(known, name) ? known[name] : undefined), dump)];
  });
  return {
    version: dump.vllm_version,
    groups: dump.groups,
    flags: Object.fromEntries(flags.toSorted(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/** One flag per line, so that versions can be compared; `about` stands first. */
export function renderCatalogue({ version, groups, flags }: FlagCatalogue, about: Readonly<Record<string, unknown>> = {}): string {
  const head = { ...about, version, groups };
  const lines = Object.entries(flags).map(([name, flag]) => `${JSON.stringify(name)}:${JSON.stringify(flag)}`);
  return `${JSON.stringify(head).slice(0, -1)},"flags":{\n${lines.join(',\n')}\n}}\n`;
}

function carryOver(flag: DumpedFlag, older: Flag | undefined): DumpedFlag {
  if (older === undefined) return flag;
  const sameOnCpu = older.cpu !== undefined && String(older.cpu.choices) === String(flag.choices);
  const carried = sameOnCpu ? { ...flag, choices: older.choices ?? null, on_cpu: older.cpu } : flag;
  return flag.default === null && older.default === undefined ? { ...carried, default_depends: older.depends ?? false } : carried;
}

/** Values that the parser does not check, and that vLLM knows from a table of its own. */
const registries: Readonly<Record<string, string>> = {
  'tool-call-parser': 'tool_call_parser',
  'reasoning-parser': 'reasoning_parser',
  quantization: 'quantization',
  'load-format': 'load_format',
};

/** Absent is the usual: no aliases, `--no-x` where it is a boolean, nothing but text or a number. */
function toCompact(flag: DumpedFlag, dump: FlagDump): Flag {
  const name = toName(flag);
  const usual = flag.kind === 'boolean' ? `--no-${name}` : null;
  const registry = registries[name];
  const known = flag.known_values ?? (flag.choices == null && registry !== undefined ? dump.registries[registry] : undefined);
  const entry = {
    kind: toKind(flag.kind),
    group: dump.groups.indexOf(flag.group),
    item: flag.item,
    separator: flag.separator,
    repeat: flag.repeat,
    bare: flag.nargs === '?' || undefined,
    aliases: flag.aliases,
    negative: flag.negative === usual ? undefined : (flag.negative ?? false),
    negatives: flag.negative_aliases,
    choices: flag.choices,
    known,
    normalise: flag.normalise?.startsWith('lower-case') || undefined,
    none: flag.normalise?.startsWith("'none'") || undefined,
    bounds: flag.bounds,
    nullable: flag.nullable || undefined,
    default: flag.default,
    depends: flag.default_depends || undefined,
    deprecated: flag.deprecated || undefined,
    removal: flag.removal,
    checked: flag.json_checked || undefined,
    type: flag.json_class === undefined ? flag.json_type : undefined,
    open: toOpen(flag),
    fields: toFields(flag.fields),
    cpu: flag.on_cpu,
    only: flag.only_on,
  };
  return withoutEmpty(entry) as unknown as Flag;
}

const kinds: readonly Flag['kind'][] = [
  'boolean',
  'string',
  'integer',
  'number',
  'human-integer',
  'human-integer-or-auto',
  'json',
  'json-or-string',
  'list',
];

/** What is not known here is taken for text: then nothing is refused that vLLM may take. */
function toKind(kind: string): Flag['kind'] {
  return kinds.find((one) => one === kind) ?? 'string';
}

function toFields(fields: readonly DumpedField[] | undefined): Fields | undefined {
  if (fields === undefined) return undefined;
  return Object.fromEntries(fields.map((field) => [field.name, toField(field)]));
}

/** A field with nothing but a type is its type. */
function toField(field: DumpedField): string | Field {
  const { type, choices, bounds, fields } = field;
  const rest = withoutEmpty({ choices, bounds, open: toOpen(field), fields: toFields(fields) });
  return Object.keys(rest).length === 0 ? type : { type, ...rest };
}

function toOpen({ fields, extra }: Pick<DumpedField, 'fields' | 'extra'>): true | undefined {
  return fields !== undefined && extra !== 'forbid' ? true : undefined;
}

function withoutEmpty(entry: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const isEmpty = (value: unknown) => value === undefined || value === null || (Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => !isEmpty(value)));
}

function toName({ flag }: DumpedFlag): string {
  return flag.replace(/^--/, '');
}
