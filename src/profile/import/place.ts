/** What was read of a launch → a profile, each setting in its one place. */
import { say } from '../../core/message.ts';
import type { ReadSetting } from '../../vllm/read-args.ts';
import { ourPlaces } from '../our-places.ts';
import type { SettingValue } from '../profile.ts';
import { toImageFacts } from './image.ts';
import { drop, find, type Given, type Launch, type Notes, type Word } from './launch.ts';
import { toLora } from './lora.ts';
import type { Paths } from './paths.ts';
import { toServer } from './server.ts';

export type Tree = Readonly<Record<string, unknown>>;

export interface Placed {
  /** In the order in which a profile reads; values as YAML writes them. */
  readonly profile: Tree;
  /** Key path → the words that it was read from. */
  readonly words: ReadonlyMap<string, Word>;
}

export interface PlaceOptions {
  readonly launch: Launch;
  readonly model: Word | undefined;
  readonly settings: readonly PlacedSetting[];
  readonly env: Readonly<Record<string, string>>;
  /** Later ones win. */
  readonly given: readonly Given[];
  readonly version: string;
  readonly paths: Paths;
  readonly notes: Notes;
}

/** A setting of vLLM with its words. */
export interface PlacedSetting extends Pick<ReadSetting, 'name' | 'value'> {
  readonly word: Word;
}

export function toPath(name: string): string {
  return Object.hasOwn(ourPlaces, name) ? (ourPlaces[name] ?? name) : `vllm.${name}`;
}

export function toPlacedProfile(options: PlaceOptions): Placed {
  const { launch, notes, paths } = options;
  const words = new Map<string, Word>();
  for (const { path, word } of options.given) words.set(path, word);
  for (const { name, word } of options.settings) words.set(toPath(name), word);
  if (options.model) words.set('model', options.model);
  const set = new Map(options.settings.filter(isSet).map((setting) => [setting.name, setting]));
  const given = new Map(options.given.filter(({ word }) => isKnown(word)).map(({ path, value }) => [path, value]));
  for (const { path, word } of options.given) if (!isKnown(word)) sayVariable(path, word, notes);
  const take = (name: string): SettingValue | undefined => {
    const value = set.get(name)?.value;
    set.delete(name);
    return value;
  };
  const model = toModel(options, take);
  const names = take('served-model-name');
  const profile = {
    model: model.value,
    'served-names': names === undefined ? model.servedNames : [names].flat(),
    quantization: take('quantization'),
    engine: toEngine(options, given),
    lora: toLora(set, { paths, notes }),
    resources: toBlock(given, 'resources'),
    server: toServer({ launch, host: take('host'), port: take('port'), key: take('api-key'), given, notes }),
    thinking: takeThinking(set),
    stop: toStop(take('shutdown-timeout')),
  };
  sayConfig(set.get('config'), notes);
  set.delete('config');
  const { model: first, 'served-names': served, quantization, engine, lora, ...rest } = profile;
  const vllm = {
    ...Object.fromEntries([...set.values()].map(({ name, value }) => [name, toOwnPath(name, value, options)])),
    ...toBlock(given, 'vllm'),
  };
  paths.tell(notes);
  return { profile: toPresent({ model: first, 'served-names': served, quantization, engine, vllm, lora, ...rest }), words };
}

/** `None` is vLLM's word for a setting that is not set. */
function isSet({ name, value }: PlacedSetting): boolean {
  return !(Object.hasOwn(ourPlaces, name) && (value === 'None' || value === ''));
}

function isKnown({ open }: Word): boolean {
  return open === undefined;
}

export function sayVariable(path: string, word: Word, notes: Notes): void {
  const message = say('import.variable', { name: path, variable: word.open ?? '' });
  find(notes, word, { code: 'profile/import-variable', severity: 'error', path, message, hint: say('import.hint.variable') });
}

function toModel({ model, paths, launch, notes }: PlaceOptions, take: (name: string) => SettingValue | undefined) {
  const revision = take('revision');
  const tokenizer = take('tokenizer');
  const text = model && isKnown(model) ? model.text : undefined;
  if (model && !isKnown(model)) sayVariable('model', model, notes);
  const here = text === undefined ? undefined : paths.toHere(text);
  if (text !== undefined && paths.isInside(text)) sayInside('model', model, notes);
  if (here !== undefined && /^\.{1,2}(\/|$)/.test(here) && launch.kind !== 'config')
    find(notes, model, {
      code: 'profile/import-relative',
      severity: 'info',
      path: 'model',
      message: say('import.relative', { path: here }),
    });
  if (typeof tokenizer === 'string' && isRelative(paths.toHere(tokenizer)))
    sayRelativeFile('model.tokenizer', { ...model, text: tokenizer }, notes);
  const isPath = here !== undefined && /^(\/|~\/|\.{1,2}\/)/.test(here);
  const more = toPresent({ revision, tokenizer: tokenizer === undefined ? undefined : paths.toHere(tokenizer) });
  const value = Object.keys(more).length === 0 ? here : here === undefined ? undefined : { [isPath ? 'path' : 'id']: here, ...more };
  // Without a name of its own vLLM serves a directory by its path, and that is what clients ask for.
  return { value, servedNames: isPath && text !== undefined ? [text] : undefined };
}

function sayInside(path: string, word: Word | undefined, notes: Notes): void {
  const message = say('import.inside', { path: word?.text ?? '' });
  find(notes, word, { code: 'profile/import-inside', severity: 'warning', path, message });
}

/** Settings that name a file which may lie in the image. */
const files = ['chat-template', 'tool-parser-plugin', 'reasoning-parser-plugin', 'ssl-keyfile', 'ssl-certfile', 'log-config-file'];

function toOwnPath(name: string, value: SettingValue, { paths, notes, settings }: PlaceOptions): SettingValue {
  const here = paths.toHere(value);
  if (typeof value !== 'string' || typeof here !== 'string') return here;
  const word = { ...settings.find((one) => one.name === name)?.word, text: value };
  if (files.includes(name) && paths.isInside(value)) sayInside(`vllm.${name}`, word, notes);
  if (isRelative(here)) sayRelativeFile(`vllm.${name}`, word, notes);
  return here;
}

function isRelative(path: string): boolean {
  return /^(~|\.{1,2})\//.test(path);
}

/** Only a shell knows what `~` is, and engines start in a directory of their own. */
function sayRelativeFile(path: string, word: Word, notes: Notes): void {
  const message = say('import.relative-file', { path: word.text });
  find(notes, word, { code: 'profile/import-relative', severity: 'warning', path, message });
}

function toEngine({ launch, version, env, notes }: PlaceOptions, given: ReadonlyMap<string, unknown>): Tree {
  const image = launch.container?.image;
  const facts = image && image.open === undefined ? toImageFacts(image.text) : undefined;
  if (image && facts?.foreign !== undefined) {
    const message = say('import.foreign-image', { image: image.text, kind: facts.foreign });
    find(notes, image, { code: 'profile/import-foreign', severity: 'error', path: 'engine.image', message });
  }
  if (image && facts && facts.version === undefined && image.text !== '')
    drop(notes, image.text, say('import.why.no-version', { version }));
  const variables = Object.keys(env).length > 0 ? env : undefined;
  return toPresent({
    version,
    variant: given.get('engine.variant') ?? facts?.variant,
    image: facts?.isOwn ? image?.text : undefined,
    env: variables,
  });
}

/** Given settings of one block. */
function toBlock(given: ReadonlyMap<string, unknown>, block: string): Tree | undefined {
  const entries = [...given].flatMap(([path, value]) =>
    path.startsWith(`${block}.`) ? [[path.slice(block.length + 1), value] as const] : [],
  );
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

const kwargs = 'default-chat-template-kwargs';

function takeThinking(set: Map<string, PlacedSetting>): 'on' | 'off' | undefined {
  const whole = set.get(kwargs);
  const dotted = set.get(`${kwargs}.enable_thinking`);
  if (typeof dotted?.value === 'boolean') {
    set.delete(dotted.name);
    return dotted.value ? 'on' : 'off';
  }
  if (whole === undefined || typeof whole.value !== 'object' || Array.isArray(whole.value)) return undefined;
  const { enable_thinking: thinks, ...rest } = whole.value as Readonly<Record<string, SettingValue>>;
  if (typeof thinks !== 'boolean') return undefined;
  if (Object.keys(rest).length === 0) set.delete(kwargs);
  else set.set(kwargs, { ...whole, value: rest });
  return thinks ? 'on' : 'off';
}

function toStop(seconds: SettingValue | undefined): Tree | undefined {
  return seconds === undefined ? undefined : { drain: typeof seconds === 'number' ? `${seconds}s` : seconds };
}

function sayConfig(config: PlacedSetting | undefined, notes: Notes): void {
  if (config === undefined) return;
  const { value, word } = config;
  const isRead = !word.text.includes('=');
  drop(notes, word.text, isRead ? say('import.why.config', { file: String(value) }) : say('import.why.config-equals'));
}

/** Without what is absent, and without blocks that hold nothing. */
function toPresent(tree: Readonly<Record<string, unknown>>): Tree {
  const isEmpty = (value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
  return Object.fromEntries(Object.entries(tree).filter(([, value]) => value !== undefined && value !== null && !isEmpty(value)));
}
