/** What people already have (a command line, a compose file, vLLM's configuration) → a profile. */
import type { Finding } from '../../core/finding.ts';
import { type Message, say } from '../../core/message.ts';
import { type FlagShelf, readCatalogue, readHistory } from '../flags.ts';
import { defaultEngineVersion } from '../resolve.ts';
import { checkImported } from './check.ts';
import { toComposeLaunch } from './compose.ts';
import { toSurroundings } from './environment.ts';
import { toImageFacts } from './image.ts';
import { type Dropped, find, type Given, type Launch, type LaunchKind, type Notes, toNothing } from './launch.ts';
import { toLineLaunch } from './line.ts';
import { toPaths } from './paths.ts';
import { type Placed, type Tree, toPlacedProfile } from './place.ts';
import { type Reader, readSettings, sayStandIn } from './settings.ts';
import { parseShell } from './shell.ts';
import { toConfigLaunch } from './vllm-config.ts';
import { renderProfileText } from './write.ts';
import { findEntry, parseForeignYaml } from './yaml.ts';

export interface ImportInput {
  /** One is the text of a shell, or of a file; several are the words of a command. */
  readonly texts: readonly string[];
  /** It stands in a file: what is found has a place there. */
  readonly isFile: boolean;
  /** Wins over what an image says. */
  readonly engineVersion?: string;
  /** Of a compose file. */
  readonly service?: string;
}

export interface Imported {
  readonly profile: Tree;
  /** The file's text; absent when there is an error. */
  readonly yaml?: string;
  readonly dropped: readonly Dropped[];
  readonly findings: readonly Finding[];
}

export interface ImportTools {
  readonly shelf: FlagShelf;
  /** For the comment on top of the file. */
  readonly toText: (message: Message) => string;
}

export async function importProfile(input: ImportInput, { shelf, toText }: ImportTools): Promise<Imported> {
  const notes: Notes = { dropped: [], findings: [] };
  const launch = toLaunch(input, notes);
  if (launch === undefined) return { profile: {}, ...notes };
  const version = input.engineVersion ?? toImageFacts(launch.container?.image.text ?? '').version ?? defaultEngineVersion;
  const { profile, words } = await toPlaced(launch, { version, shelf, notes });
  const yaml = renderProfileText(profile, toText(toComment(launch.kind, version)));
  const later = await checkImported(yaml, words, shelf);
  const findings = [...notes.findings, ...later.filter((one) => !notes.findings.some((known) => isSame(known, one)))];
  const isSound = findings.every(({ severity }) => severity !== 'error');
  return { profile, ...(isSound ? { yaml } : {}), dropped: notes.dropped, findings };
}

/** A setting is checked twice: as it was written, and as it stands in the profile; one error about it is enough. */
function isSame(a: Finding, b: Finding): boolean {
  return a.path === b.path && (a.code === b.code || (a.severity === 'error' && b.severity === 'error'));
}

function toLaunch({ texts, isFile, service }: ImportInput, notes: Notes): Launch | undefined {
  if (texts.some((text) => text.includes('\0'))) {
    find(notes, undefined, { code: 'profile/import-unreadable', severity: 'error', message: say('import.binary') });
    return undefined;
  }
  const [text = ''] = texts;
  if (texts.length > 1) return toLineLaunch([{ env: [], words: texts.map((one) => ({ text: one })), redirects: [] }], notes);
  if (!isYaml(text)) {
    const commands = parseShell(text, { notes, placed: isFile });
    return commands && toLineLaunch(commands, notes);
  }
  const compose = /^\s*["']?services["']?\s*:/m.test(text);
  const root = parseForeignYaml(text, compose ? '1.2' : '1.1', notes);
  if (root === undefined) return undefined;
  if (compose && findEntry(root, 'services')) return toComposeLaunch(root, service, notes);
  if (root.items) {
    find(notes, undefined, toNothing(say('import.no-engine')));
    return undefined;
  }
  return toConfigLaunch(root, notes);
}

/** A line of a shell never begins with a key and a colon. */
function isYaml(text: string): boolean {
  const first = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .find((line) => !/^\s*(#.*)?$/.test(line) && !/^\s*(```|~~~)/.test(line));
  return first !== undefined && /^(---|%YAML|\{|- \w|\s*["']?[\w.-]+["']?\s*:(\s|$))/.test(first);
}

interface Placing {
  readonly version: string;
  readonly shelf: FlagShelf;
  readonly notes: Notes;
}

async function toPlaced(launch: Launch, { version, shelf, notes }: Placing): Promise<Placed> {
  const chosen = await readCatalogue(version, shelf);
  const isStandIn = chosen.catalogue === undefined;
  const { catalogue } = chosen.catalogue ? chosen : await readCatalogue(chosen.oldest, shelf);
  if (catalogue === undefined) throw new Error('the package has no catalogue of flags');
  if (isStandIn) sayStandIn(version, catalogue.version, notes);
  const paths = toPaths(launch);
  const surroundings = toSurroundings(launch, { paths, catalogue, notes });
  const given = [...surroundings.given, ...launch.given];
  const reader: Reader = {
    catalogue,
    history: await readHistory(catalogue, shelf),
    version: isStandIn ? catalogue.version : version,
    variant: isCpu(launch, given) ? 'cpu' : 'gpu',
    isStandIn,
    notes,
  };
  const read = readSettings(launch, reader);
  const env = { ...surroundings.env, ...read.env };
  return toPlacedProfile({ ...read, launch, env, given: toJoinedGiven([...given, ...read.given], read.settings), version, paths, notes });
}

function isCpu({ container }: Launch, given: readonly Given[]): boolean {
  const byImage = container !== undefined && toImageFacts(container.image.text).variant === 'cpu';
  return byImage || given.some(({ path, value }) => value === 'cpu' || (path === 'resources.gpus' && value === 'none'));
}

/** A flag wins over the variable of the same meaning. */
function toJoinedGiven(given: readonly Given[], settings: readonly { readonly name: string }[]): readonly Given[] {
  const gpus = given.filter(({ path }) => path === 'resources.gpus');
  const joined = gpus.length === 2 ? toInnerGpus(gpus.map(({ value }) => value)) : undefined;
  const [first] = gpus;
  const rest = given.filter(({ path }) => !settings.some(({ name }) => path === `vllm.${name}`));
  return joined && first ? [...rest, { ...first, value: joined }] : rest;
}

/** Inside of a container its GPUs are numbered from 0: a variable chooses among them. */
function toInnerGpus([inside, outside]: readonly unknown[]): readonly unknown[] | undefined {
  if (!Array.isArray(inside) || !Array.isArray(outside)) return undefined;
  const chosen = inside.map((index) => (typeof index === 'number' ? outside[index] : undefined));
  return chosen.includes(undefined) ? undefined : chosen;
}

function toComment(kind: LaunchKind, version: string): Message {
  switch (kind) {
    case 'vllm':
      return say('import.from.vllm', { version });
    case 'docker':
      return say('import.from.docker', { version });
    case 'compose':
      return say('import.from.compose', { version });
    case 'config':
      return say('import.from.config', { version });
  }
}
