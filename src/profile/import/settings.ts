/** vLLM's words of a launch → its settings, and what the catalogue of the version says about them. */
import type { Finding } from '../../core/finding.ts';
import { say } from '../../core/message.ts';
import { checkSettings, type FlagCatalogue, type FlagHistory, type SettingProblem, type Settings } from '../../vllm/flags.ts';
import { type ArgProblem, parseServeArgs, type ReadSetting } from '../../vllm/read-args.ts';
import { drop, find, type Given, type Launch, type Notes, toNamed, toPlace, type Word } from './launch.ts';
import { type PlacedSetting, sayVariable, toPath } from './place.ts';

export interface Reader {
  readonly catalogue: FlagCatalogue;
  readonly history: FlagHistory;
  readonly version: string;
  readonly variant: 'cpu' | 'gpu';
  /** The catalogue is of another line of versions: what it does not know is no mistake. */
  readonly isStandIn: boolean;
  readonly notes: Notes;
}

export interface ReadLaunch {
  readonly model: Word | undefined;
  readonly settings: readonly PlacedSetting[];
  /** What settings became that are no settings of vLLM in a profile. */
  readonly given: readonly Given[];
  readonly env: Readonly<Record<string, string>>;
}

export function readSettings({ args, form }: Pick<Launch, 'args' | 'form'>, reader: Reader): ReadLaunch {
  const { catalogue, notes } = reader;
  const read = parseServeArgs(
    args.map(({ text }) => text),
    { catalogue, form },
  );
  for (const problem of read.problems) sayProblem(problem, args, notes);
  const all = read.settings.map((setting) => toPlacedSetting(setting, args));
  const secret = takeSecrets(all, notes);
  const known = secret.rest.filter(({ name, word }) => {
    if (word.open !== undefined) sayVariable(toPath(name), word, notes);
    return word.open === undefined;
  });
  checkKnown(known, reader);
  const unknown = read.unknown.map((setting) => toPlacedSetting(setting, args)).filter((setting) => isKept(setting, reader));
  const model = read.model && args[read.model.at];
  const isOpen =
    form === 'file' || all.some(({ name }) => name === 'config') || notes.findings.some(({ severity }) => severity === 'error');
  return {
    model: model && read.model ? { ...model, text: read.model.value } : isOpen ? undefined : toDefaultModel(reader),
    settings: [...known, ...unknown.map(toSwitched)],
    given: secret.given,
    env: secret.env,
  };
}

function toPlacedSetting({ name, value, at }: ReadSetting, args: readonly Word[]): PlacedSetting {
  const words = at.flatMap((index) => args[index] ?? []);
  const open = words.find((word) => word.open !== undefined)?.open;
  const { line, column } = words[0] ?? {};
  const text = words.map((word) => word.text).join(' ');
  const place = { ...(line === undefined ? {} : { line }), ...(column === undefined ? {} : { column }) };
  return { name, value, word: { text, ...place, ...(open === undefined ? {} : { open }) } };
}

/** A word that only a shell could fill in is no mistake of the line. */
function sayProblem({ at, name, value, ...problem }: ArgProblem, args: readonly Word[], { findings }: Notes): void {
  const word = args[at];
  if (problem.severity === 'error' && word?.open !== undefined) {
    sayVariable(name === undefined ? 'vllm' : toPath(name), word, { findings, dropped: [] });
    return;
  }
  const path = name === undefined ? {} : { path: toPath(name) };
  const fix = name === undefined || value === undefined ? {} : { fix: { [toPath(name)]: value } };
  findings.push({ ...problem, ...path, ...fix, ...toPlace(word) });
}

/** A file of settings may name another one. */
function toDefaultModel({ catalogue, notes }: Reader): Word | undefined {
  const model = catalogue.flags.model?.default;
  if (typeof model !== 'string') return undefined;
  find(notes, undefined, {
    code: 'profile/import-model',
    severity: 'warning',
    path: 'model',
    message: say('import.default-model', { model }),
  });
  return { text: model };
}

interface Secrets {
  readonly rest: readonly PlacedSetting[];
  readonly given: readonly Given[];
  readonly env: Readonly<Record<string, string>>;
}

/** Keys leave the line here, and nothing behind sees them: a profile names where they are kept. */
function takeSecrets(settings: readonly PlacedSetting[], notes: Notes): Secrets {
  const key = settings.find(({ name }) => name === 'api-key');
  const token = settings.find(({ name, value }) => name === 'hf-token' && typeof value === 'string');
  const rest = settings.filter((setting) => setting !== key && setting !== token);
  const keys = key === undefined ? [] : [key.value].flat();
  if (keys.length > 1) drop(notes, '--api-key …', say('import.why.keys', { count: keys.length }));
  return {
    rest,
    given: key ? [{ path: 'server.api-key', value: toReference(key, 'VLLM_API_KEY', notes), word: toNamed(key.word, '--api-key …') }] : [],
    env: token ? { HF_TOKEN: toReference(token, 'HF_TOKEN', notes) } : {},
  };
}

function toReference({ name, word }: PlacedSetting, variable: string, notes: Notes): string {
  const own = /^\$\{?(\w+)\}?$/.exec(word.open ?? '')?.[1];
  if (own === undefined) drop(notes, `--${name} …`, say('import.why.secret', { name: variable }));
  return `env:${own ?? variable}`;
}

function checkKnown(settings: readonly PlacedSetting[], { catalogue, version, variant, history, notes }: Reader): void {
  const written: Settings = Object.fromEntries(settings.map(({ name, value }) => [name, value]));
  for (const problem of checkSettings(written, catalogue, { version, variant, history })) {
    const found = settings.find(({ name }) => name === problem.path[0]);
    notes.findings.push({ ...toFinding(problem), ...toPlace(found?.word) });
  }
}

/** What the version does not have stays out of the profile, unless nobody can know whether it has it. */
function isKept(setting: PlacedSetting, reader: Reader): boolean {
  if (reader.isStandIn) return true;
  const { catalogue, version, variant, history, notes } = reader;
  const { name, value, word } = setting;
  const problems = checkSettings({ [name]: value }, catalogue, { version, variant, history });
  for (const problem of problems) {
    const { fix, ...finding } = toFinding(problem);
    // It is not in the profile, so nothing has to be taken out of it.
    const cure = Object.entries(fix ?? {}).filter(([, one]) => one !== null);
    notes.findings.push({ ...finding, ...(cure.length === 0 ? {} : { fix: Object.fromEntries(cure) }), ...toPlace(word) });
  }
  return problems.every(({ severity }) => severity !== 'error');
}

/** Without a catalogue, `no-x` is x switched off. */
function toSwitched(setting: PlacedSetting): PlacedSetting {
  const { name, value } = setting;
  const plain = name.replaceAll('_', '-');
  return value === true && plain.startsWith('no-') ? { ...setting, name: plain.slice(3), value: false } : { ...setting, name: plain };
}

function toFinding({ by: _, at: __, path, ...problem }: SettingProblem): Finding {
  const [name = '', ...rest] = path;
  return { ...problem, path: [toPath(name), ...rest].join('.') };
}

export function sayStandIn(version: string, used: string, notes: Notes): void {
  find(notes, undefined, {
    code: 'profile/no-catalogue',
    severity: 'info',
    path: 'engine.version',
    message: say('import.stand-in', { version, used }),
  });
}
