/**
 * The words behind `vllm serve` → settings, read the way the parser of one version reads them: other names, underscores
 * and abbreviations, lists that take all words up to the next flag, the last one wins, dotted words last of all. The
 * inverse of flag-words.ts. What a value may be is the business of checkSettings; here only words go wrong.
 */
import { type Message, say } from '../core/message.ts';
import type { SettingValue } from '../profile/profile.ts';
import type { Flag, FlagCatalogue } from './flags.ts';
import { toDottedValue, toGuess, toSettingValue } from './read-values.ts';
import { type Dotted, type Match, type Placed, type Spellings, toMatch, toSpellings, toWords } from './read-words.ts';

export interface ReadSetting {
  /** vLLM's long name; of a JSON setting perhaps with a dotted rest. */
  readonly name: string;
  readonly value: SettingValue;
  /** Indexes of the words that it was read from. */
  readonly at: readonly number[];
}

export interface ArgProblem {
  readonly code: string;
  readonly severity: 'error' | 'warning';
  readonly message: Message;
  readonly hint?: Message;
  readonly at: number;
  /** The setting that is meant. */
  readonly name?: string;
  /** What to set instead. */
  readonly value?: SettingValue;
}

export interface ReadArgs {
  readonly model?: { readonly value: string; readonly at: number };
  readonly settings: readonly ReadSetting[];
  /** Flags that the version does not have; what their values are is a guess. */
  readonly unknown: readonly ReadSetting[];
  readonly problems: readonly ArgProblem[];
}

/** `vllm serve`; `python -m vllm.entrypoints.openai.api_server`, which knows the model by `--model` only; or its file. */
export type ArgsForm = 'serve' | 'module' | 'file';

export interface ReadArgsOptions {
  readonly catalogue: FlagCatalogue;
  readonly form: ArgsForm;
}

export function parseServeArgs(texts: readonly string[], options: ReadArgsOptions): ReadArgs {
  const { plain, dotted } = toWords(texts);
  const state: State = {
    ...options,
    texts,
    spellings: toSpellings(options.catalogue),
    items: toItems(plain, toSpellings(options.catalogue)),
    settings: new Map(),
    unknown: [],
    problems: [],
    loose: [],
  };
  for (let index = 0; index < state.items.length; ) index = takeItem(index, state);
  takeDotted(dotted, state);
  const model = chooseModel(state);
  return {
    ...(model ? { model } : {}),
    settings: [...state.settings.values()].filter(({ name }) => name !== 'model'),
    unknown: state.unknown,
    problems: state.problems.toSorted((a, b) => a.at - b.at),
  };
}

interface Given<Is extends Match['is']> {
  readonly match: Extract<Match, { is: Is }>;
  /** The words up to the next flag. */
  readonly values: readonly Item[];
  readonly state: State;
}

interface Item extends Placed {
  readonly match: Match;
}

interface State extends ReadArgsOptions {
  readonly texts: readonly string[];
  readonly spellings: Spellings;
  readonly items: readonly Item[];
  readonly settings: Map<string, ReadSetting>;
  readonly unknown: ReadSetting[];
  readonly problems: ArgProblem[];
  /** Words that no flag takes: the model, and what is too much. */
  readonly loose: Placed[];
}

/** Behind `--` all words are values. */
function toItems(plain: readonly Placed[], spellings: Spellings): readonly Item[] {
  const end = plain.findIndex(({ text }) => text === '--');
  const before = end < 0 ? plain : plain.slice(0, end);
  const after = end < 0 ? [] : plain.slice(end + 1);
  return [
    ...before.map((word) => ({ ...word, match: toMatch(word.text, spellings) })),
    ...after.map((word) => ({ ...word, match: { is: 'value' } as const })),
  ];
}

/** The index behind what was taken. */
function takeItem(index: number, state: State): number {
  const item = state.items[index];
  const match = item?.match;
  if (item === undefined || match === undefined) return index + 1;
  const { at, text } = item;
  if (match.is === 'value') {
    state.loose.push({ text, at });
    return index + 1;
  }
  if (match.is === 'ambiguous') {
    const names = match.words.slice(0, 6).join(', ');
    refuse(state, { at, message: say('import.ambiguous', { word: match.word, names }) });
    return index + 1;
  }
  const values = toValues(index, state.items);
  if (match.is === 'unknown') return takeUnknown(index, { match, values, state });
  if (match.short) sayAbbreviation(match, at, state);
  const flag = state.catalogue.flags[match.spelling.name];
  if (flag === undefined) return index + 1;
  if (flag.kind === 'boolean') return takeSwitch(index, { match, values, state });
  return takeValues(index, { flag, match, values, state });
}

/** Whether it takes a value nobody knows; the only word that is left is rather the model. */
function takeUnknown(index: number, { match, values, state }: Given<'unknown'>): number {
  const at = state.items[index]?.at ?? 0;
  const next = values[0];
  const isNamed = state.loose.length > 0 || state.settings.has('model') || state.form === 'module' || values.length > 1;
  const taken = match.value === undefined && next !== undefined && isNamed ? values : [];
  const guesses = (match.value === undefined ? taken.map(({ text }) => text) : [match.value]).map(toGuess);
  const value = guesses.length > 1 ? guesses : (guesses[0] ?? true);
  state.unknown.push({ name: match.word.replace(/^-+/, ''), value, at: [at, ...taken.map((item) => item.at)] });
  return index + 1 + taken.length;
}

/** Values up to the next flag. */
function toValues(index: number, items: readonly Item[]): readonly Item[] {
  const behind = items.slice(index + 1);
  const end = behind.findIndex(({ match }) => match.is !== 'value');
  return end < 0 ? behind : behind.slice(0, end);
}

function takeSwitch(index: number, { match, values, state }: Given<'flag'>): number {
  const { value, spelling } = match;
  const { name, off } = spelling;
  const at = state.items[index]?.at ?? 0;
  const next = values[0];
  const stray = value ?? (next && /^(true|false|yes|no|on|off|1|0)$/i.test(next.text) ? next.text : undefined);
  if (stray === undefined) put(state, { name, value: !off, at: [at] });
  else {
    const meant = /^(true|yes|on|1)$/i.test(stray) !== off;
    const message = say('import.switch', { name, value: stray });
    refuse(state, { at, message, hint: say('import.hint.switch', { name, value: String(meant) }), name, value: meant });
  }
  return index + (stray !== undefined && value === undefined ? 2 : 1);
}

function takeValues(index: number, { flag, match, values, state }: Given<'flag'> & { readonly flag: Flag }): number {
  const { name } = match.spelling;
  const at = state.items[index]?.at ?? 0;
  const several = flag.kind === 'list' && flag.separator === undefined && !flag.repeat;
  const taken = match.value !== undefined ? [] : several ? values : values.slice(0, 1);
  const texts = match.value === undefined ? taken.map(({ text }) => text) : [match.value];
  if (texts.length === 0 && !flag.bare) {
    const behind = state.items[index + 1];
    const dashed = behind && behind.text !== '--' ? say('import.hint.dashed', { word: match.word, next: behind.text }) : undefined;
    refuse(state, { at, name, message: say('import.no-value', { word: match.word }), ...(dashed ? { hint: dashed } : {}) });
    return index + 1;
  }
  const value = toSettingValue(texts, flag);
  put(state, { name, value, at: [at, ...taken.map((item) => item.at)] }, flag.repeat);
  return index + 1 + taken.length;
}

/** The last one wins; argparse says nothing. */
function put({ settings, problems }: State, setting: ReadSetting, repeats = false): void {
  const { name } = setting;
  const before = settings.get(name);
  if (before !== undefined && repeats) {
    const value = [before.value, setting.value].flat() as SettingValue;
    settings.set(name, { name, value, at: [...before.at, ...setting.at] });
    return;
  }
  if (before !== undefined && JSON.stringify(before.value) !== JSON.stringify(setting.value))
    problems.push(toOverridden(name, before.at[0] ?? 0));
  settings.set(name, setting);
}

function toOverridden(name: string, at: number): ArgProblem {
  return { code: 'profile/import-overridden', severity: 'warning', message: say('import.overridden', { name }), at, name };
}

/** All dotted words of one spelling are one value, which replaces a whole one and those of other spellings. */
function takeDotted(dotted: readonly Dotted[], state: State): void {
  for (const spelled of new Set(dotted.map(({ flag }) => flag))) {
    const group = dotted.filter(({ flag }) => flag === spelled);
    const first = group[0];
    if (first === undefined) continue;
    const at = first.at[0] ?? 0;
    const match = toMatch(spelled, state.spellings);
    if (match.is !== 'flag') {
      refuseDotted(first, spelled, state);
      continue;
    }
    if (match.short) sayAbbreviation(match, at, state);
    const { name } = match.spelling;
    for (const known of [...state.settings.keys()].filter((key) => key === name || key.startsWith(`${name}.`))) {
      state.problems.push(toOverridden(known, state.settings.get(known)?.at[0] ?? 0));
      state.settings.delete(known);
    }
    for (const one of group) takeField(name, one, state);
  }
}

function takeField(name: string, { flag, path, value, at }: Dotted, state: State): void {
  if (value === undefined) {
    refuse(state, { at: at[0] ?? 0, name, message: say('import.no-value', { word: `${flag}.${path}` }) });
    return;
  }
  const adds = path.endsWith('+');
  const key = `${name}.${path.replace(/\+$/, '')}`;
  const before = state.settings.get(key)?.value;
  const items = adds ? value.split(',') : toDottedValue(value);
  const joined = Array.isArray(items) && Array.isArray(before) ? [...before, ...items] : items;
  state.settings.set(key, { name: key, value: joined as SettingValue, at: [...(state.settings.get(key)?.at ?? []), ...at] });
}

/** `--watermark -0.5`: the number is taken for a dotted flag, and the word behind it for its value. */
function refuseDotted({ path, value, at }: Dotted, spelled: string, state: State): void {
  const word = `${spelled}.${path}`;
  const place = at[0] ?? 0;
  if (/^-\d*\.\d/.test(word)) {
    const before = state.texts[place - 1] ?? '--…';
    refuse(state, { at: place, message: say('import.negative-number', { word }), hint: say('import.hint.equals', { flag: before, word }) });
    // What came of the flag in front is no mistake of its own.
    state.problems.splice(0, state.problems.length, ...state.problems.filter((one) => one.at !== place - 1));
    for (const [name, { at: from }] of state.settings) if (from[0] === place - 1) state.settings.delete(name);
  } else {
    const guess = value === undefined ? true : toGuess(value);
    state.unknown.push({ name: word.replace(/^-+/, ''), value: guess, at });
  }
}

/** A word in its place before all flags, or `--model`; not both. */
function chooseModel(state: State): ReadArgs['model'] {
  const flagged = state.settings.get('model');
  const named = flagged && { value: String(flagged.value), at: flagged.at.at(-1) ?? 0 };
  const [first, ...rest] = state.loose;
  if (first !== undefined && (named !== undefined || state.form === 'module')) {
    const hint = named ? {} : { hint: say('import.hint.model', { model: first.text }) };
    refuse(state, { at: first.at, message: say('import.stray', { word: first.text }), ...hint });
  }
  for (const { text, at } of rest) refuse(state, { at, message: say('import.stray', { word: text }) });
  const model = named ?? (first && state.form !== 'module' ? { value: first.text, at: first.at } : undefined);
  const isLate = state.form === 'serve' && named === undefined && state.texts[0]?.startsWith('-') && !state.settings.has('config');
  const names = state.settings.get('served-model-name');
  if (isLate && names) refuse(state, { at: model?.at ?? names.at[0] ?? 0, message: say('import.model-first') });
  if (model === undefined) sayTaken(state);
  return model;
}

/** `--served-model-name a b MODEL`: a list takes every word up to the next flag. */
function sayTaken(state: State): void {
  for (const { name, value, at } of state.settings.values()) {
    const last = Array.isArray(value) && value.length > 1 ? String(value.at(-1)) : '';
    const message = say('import.taken', { name, word: last });
    if (/^[\w.-]+\/[\w.-]+$/.test(last)) refuse(state, { at: at.at(-1) ?? 0, message, hint: say('import.hint.first', { model: last }) });
  }
}

function sayAbbreviation({ word, spelling: { name } }: Extract<Match, { is: 'flag' }>, at: number, { problems }: State): void {
  const message = say('flag.abbreviation', { key: word, name });
  problems.push({ code: 'profile/flag-abbreviation', severity: 'warning', message, at, name });
}

function refuse({ problems }: State, problem: Omit<ArgProblem, 'code' | 'severity'>): void {
  problems.push({ code: 'profile/import-word', severity: 'error', ...problem });
}
