/** Settings by the hundred, valid and not, made from a catalogue: the same seed makes the same ones. */
import type { SettingValue } from '../../src/profile/profile.ts';
import type { Bounds, Field, Flag, FlagCatalogue, FlagHistory, Settings } from '../../src/vllm/flags.ts';

export interface Maker {
  readonly catalogue: FlagCatalogue;
  readonly history: FlagHistory;
  readonly seed: number;
}

export function makeValid(count: number, { catalogue, seed }: Maker): readonly Settings[] {
  const random = createRandom(seed);
  const flags = Object.entries(catalogue.flags).filter(([name]) => !notHere.includes(name));
  return Array.from({ length: count }, (_, index) => {
    // Every flag comes up, then any of them, some together.
    const [name, flag] = flags[index % flags.length] ?? random.pick(flags);
    const more = random.below(3) === 0 ? [random.pick(flags)] : [];
    return Object.fromEntries([[name, flag] as const, ...more].map(([one, its]) => toValid(one, its, random)));
  });
}

export function makeInvalid(count: number, { catalogue, history, seed }: Maker): readonly Settings[] {
  const random = createRandom(seed);
  const flags = Object.entries(catalogue.flags).filter(([name, flag]) => !notHere.includes(name) && toWrong(flag, random) !== undefined);
  const version = catalogue.version;
  const elsewhere = Object.entries(history.flags)
    .filter(([name]) => !Object.hasOwn(catalogue.flags, name) && !isAbbreviation(name, catalogue))
    .map(([name]) => name);
  return Array.from({ length: count }, (_, index) => {
    const kind = random.below(10);
    if (kind === 0) return { [toTypo(catalogue, random)]: random.pick([true, 1, 'x']) };
    if (kind === 1 && elsewhere.length > 0) return { [random.pick(elsewhere)]: random.pick([true, 1, 'x']) };
    const [name, flag] = flags[index % flags.length] ?? random.pick(flags);
    const wrong = toWrong(flag, random);
    if (wrong === undefined) throw new Error(`${name} of ${version} has no wrong value`);
    return { [name]: wrong };
  });
}

/** A file of more settings, and what comes first on the line: no settings of a profile. */
const notHere = ['config', 'model'];

interface Random {
  readonly below: (limit: number) => number;
  readonly pick: <T>(list: readonly T[]) => T;
}

/** mulberry32: small, and good enough to choose test values. */
function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return { below, pick: (list) => list[below(list.length)] as (typeof list)[number] };
}

const texts = ['abc', 'x y', 'a.b', '/p/q.json', '123', 'ünï', '-dash', '--dashes', '-0.5', 'a=b', 'a_b', 'None', '{', 'true'];

function toValid(name: string, flag: Flag, random: Random): readonly [string, SettingValue] {
  if (flag.fields !== undefined && random.below(3) === 0) {
    const simple = Object.entries(flag.fields).filter(([, field]) => /^(integer|number|boolean)(\|null)?$/.test(toField(field).type));
    if (simple.length > 0) {
      const [field, of] = random.pick(simple);
      return [`${name}.${field}`, toFieldValue(toField(of), random)];
    }
  }
  return [name, toValidValue(flag, random)];
}

function toValidValue(flag: Flag, random: Random): SettingValue {
  if (flag.kind === 'boolean') return flag.negative === false ? true : random.below(2) === 0;
  if (flag.nullable && random.below(12) === 0) return 'None';
  if (flag.kind === 'json' || flag.kind === 'json-or-string') return toJsonValue(flag, random);
  if (flag.kind !== 'list')
    return flag.repeat && random.below(2) === 0 ? [toOne(flag, flag.kind, random), 'b'] : toOne(flag, flag.kind, random);
  const item = flag.item ?? 'string';
  const one = () =>
    item === 'key-value-or-json' ? random.pick<SettingValue>(['a=/p', { name: 'a', path: '/p' }]) : toOne(flag, item, random);
  if (random.below(3) === 0) return one();
  const plain = () => {
    const value = one();
    return item === 'string' && typeof value === 'string' && (value.startsWith('-') || value.includes(',')) ? 'plain' : value;
  };
  return flag.choices === undefined ? [plain(), plain()] : [one(), one()];
}

function toOne(flag: Flag, kind: string, random: Random): string | number {
  const list = flag.cpu?.choices ?? flag.choices ?? flag.known;
  if (list !== undefined) {
    const chosen = random.pick(list);
    return flag.normalise && random.below(2) === 0 ? String(chosen).toUpperCase().replaceAll('_', '-') : chosen;
  }
  switch (kind) {
    case 'integer':
      return random.below(4) === 0 ? String(toNumber(flag.bounds, random, 1)) : toNumber(flag.bounds, random, 1);
    case 'number':
      return random.below(4) === 0 ? String(toNumber(flag.bounds, random, 0.25)) : toNumber(flag.bounds, random, 0.25);
    case 'human-integer':
      return random.pick<string | number>([4096, '8k', '8K', '25.6k', '2M', '1g', '1_000']);
    case 'human-integer-or-auto':
      return random.pick<string | number>([4096, '8k', '8K', '25.6k', 'auto', 'AUTO', -1]);
    default:
      return random.below(8) === 0 ? 42 : random.pick(texts);
  }
}

/** In the middle of what is allowed, and at its ends. */
function toNumber({ ge, gt, le, lt }: Bounds = {}, random: Random, step: number): number {
  const least = ge ?? (gt === undefined ? (le ?? lt ?? 0) - 8 * step : gt + step);
  const most = le ?? (lt === undefined ? least + 16 * step : lt - step);
  const steps = Math.max(0, Math.floor((most - least) / step));
  return least + random.below(steps + 1) * step;
}

function toField(field: string | Field): Field {
  return typeof field === 'string' ? { type: field } : field;
}

function toJsonValue(flag: Flag, random: Random): SettingValue {
  if (flag.fields === undefined)
    return random.below(4) === 0 ? JSON.stringify(toOfType(flag.type ?? 'map', random)) : toOfType(flag.type ?? 'map', random);
  const fields = Object.entries(flag.fields).filter(([, field]) => isMakeable(toField(field)));
  if (fields.length === 0) return {};
  const [name, field] = random.pick(fields);
  const role = name.replace(/_connector$/, '_role');
  const roles = toField(flag.fields[role] ?? '').choices;
  const value = { [name]: toFieldValue(toField(field), random), ...(role !== name && roles ? { [role]: random.pick(roles) } : {}) };
  return random.below(4) === 0 ? JSON.stringify(value) : value;
}

function isMakeable({ type, fields }: Field): boolean {
  return (
    fields === undefined &&
    /^(string|integer|number|boolean|list<(string|integer|number)>|map<string,(any|string)>)(\|(null|integer))?$/.test(type)
  );
}

function toFieldValue({ type, choices, bounds }: Field, random: Random): SettingValue {
  if (choices !== undefined) return random.pick(choices);
  const base = type.split('|')[0] ?? type;
  if (base === 'integer') return toNumber(bounds ?? { ge: 1 }, random, 1);
  if (base === 'number') return toNumber(bounds ?? { ge: 0, le: 1 }, random, 0.25);
  return toOfType(base, random);
}

function toOfType(type: string, random: Random): SettingValue {
  if (type.startsWith('list<string')) return ['a', 'b'];
  if (type.startsWith('list')) return [1, 2];
  if (type.startsWith('map<string,map')) return { a: { b: 1 } };
  if (type.startsWith('map<string,list')) return { a: [1, 2.5] };
  if (type.startsWith('map<string,string')) return { a: 'b' };
  if (type.startsWith('string')) return random.pick(['a', 'some text']);
  if (type.startsWith('boolean')) return random.below(2) === 0;
  return random.pick<SettingValue>([{ a: 1 }, { a: 'x', b: [true] }, {}]);
}

/** What the parser refuses; nothing where it takes everything. */
function toWrong(flag: Flag, random: Random): SettingValue | undefined {
  switch (flag.kind) {
    case 'boolean':
      return random.pick<SettingValue>(['false', 'true', 0, 'None', [true], ...(flag.negative === false ? [false] : [])]);
    case 'integer':
      if (flag.choices !== undefined && random.below(2) === 0) return 7;
      return random.pick<SettingValue>(['abc', 1.5, true, { a: 1 }, [1, 2], '0x10', '8k', '1e3', 'auto']);
    case 'number':
      return random.pick<SettingValue>(['abc', true, { a: 1 }, [1, 2], '50%', '0,5', '8k']);
    case 'human-integer':
      return random.pick<SettingValue>(['1.5K', '4GiB', '4GB', 'auto', true, 1.5, [1, 2], '8 k', 'k']);
    case 'human-integer-or-auto':
      return random.pick<SettingValue>(['1.5K', '4GiB', 'automatic', true, 1.5, {}]);
    case 'json':
    case 'json-or-string':
      return toWrongJson(flag, random);
    case 'list':
      if (flag.item === 'key-value-or-json') return random.pick<SettingValue>([[], 'a', { name: 'a' }, [{ path: 'x', name: 'y', z: 1 }]]);
      if (flag.item === 'integer') return random.pick<SettingValue>([[], 'a', [1, 'b'], [1.5], true]);
      if (flag.separator !== undefined) return true;
      return flag.choices === undefined ? random.pick<SettingValue>([[], ['a', '-b']]) : random.pick<SettingValue>([[], 'nope', ['nope']]);
    default:
      if (flag.choices === undefined) return flag.repeat || flag.bare ? undefined : random.pick<SettingValue>([true, ['a', 'b']]);
      return random.pick<SettingValue>(['nope', true, ['a', 'b'], 12, {}, ...(flag.normalise ? [] : toOtherCase(flag.choices))]);
  }
}

function toOtherCase(choices: readonly (string | number)[]): readonly string[] {
  return choices.flatMap((choice) => {
    const other = String(choice).toUpperCase();
    return choices.includes(other) ? [] : [other];
  });
}

function toWrongJson(flag: Flag, random: Random): SettingValue {
  const broken = ['{"a"', "{'a': 1}", '{"a": 1,}'];
  if (flag.kind === 'json-or-string') return random.pick(['{a: 1}', "{'a': 1}", '{"a": 1,}']);
  const { fields } = flag;
  if (!flag.checked || fields === undefined) return random.pick(broken);
  const wrongType = Object.entries(fields).flatMap(([name, field]): readonly SettingValue[] => {
    const { type } = toField(field);
    if (/^(integer|number)(\|null)?$/.test(type)) return [{ [name]: 'abc' }, { [name]: [1] }];
    if (/^boolean(\|null)?$/.test(type)) return [{ [name]: 'maybe' }, { [name]: 7 }];
    return /^list<string>(\|null)?$/.test(type) ? [{ [name]: 3 }, { [name]: { a: 1 } }] : [];
  });
  return random.pick<SettingValue>([...broken, { no_such_field: 1 }, 'text', ...wrongType]);
}

function toTypo(catalogue: FlagCatalogue, random: Random): string {
  const names = Object.keys(catalogue.flags);
  for (;;) {
    const name = random.pick(names);
    const at = 1 + random.below(name.length - 1);
    const typo = `${name.slice(0, at)}${random.pick(['q', 'zz', '-x'])}${name.slice(at)}`;
    if (!isAbbreviation(typo, catalogue) && !names.includes(typo)) return typo;
  }
}

/** The parser completes these, also to the spellings that switch something off. */
function isAbbreviation(name: string, { flags }: FlagCatalogue): boolean {
  const spellings = Object.entries(flags).flatMap(([one, { aliases = [], negative, negatives = [] }]) => [
    one,
    ...[...aliases, negative || `--no-${one}`, ...negatives].map((word) => word.replace(/^--/, '')),
  ]);
  return spellings.some((spelling) => spelling.startsWith(name));
}
