/** A service of a compose file → what it launches, by way of the options of `docker run`. */
import { say } from '../../core/message.ts';
import { type Option, toContainerLaunch } from './container.ts';
import { drop, find, type Launch, type Notes, toNothing, type Word } from './launch.ts';
import { parseShell, toFilledIn } from './shell.ts';
import { findEntry, type YamlEntry, type YamlValue } from './yaml.ts';

/** Undefined when there is no service to choose, with a finding that says so. */
export function toComposeLaunch(root: YamlValue, service: string | undefined, notes: Notes): Launch | undefined {
  const services = findEntry(root, 'services')?.entries ?? [];
  const chosen = chooseService(services, service, notes);
  if (chosen === undefined) return undefined;
  for (const { key } of services) if (key !== chosen.key) drop(notes, `services.${key.text}`, say('import.why.service'));
  const { value } = chosen;
  const image = findEntry(value, 'image');
  const word = image ? toFilled(image.word) : { ...chosen.key, text: '' };
  if (word.open !== undefined && image) sayOpen(word, notes);
  const options = (value.entries ?? []).flatMap((entry) => toOptions(entry, notes));
  const command = toCommand(findEntry(value, 'command'), notes);
  const entry = toCommand(findEntry(value, 'entrypoint'), notes);
  return toContainerLaunch({ image: word, options, command: [...entry, ...command] }, notes, 'compose');
}

function sayOpen(word: Word, notes: Notes): void {
  const message = say('import.variable', { name: 'engine.version', variable: word.open ?? '' });
  find(notes, word, {
    code: 'profile/import-variable',
    severity: 'error',
    path: 'engine.version',
    message,
    hint: say('import.hint.variable'),
  });
}

function chooseService(services: readonly YamlEntry[], wanted: string | undefined, notes: Notes): YamlEntry | undefined {
  const names = (list: readonly YamlEntry[]) => list.map(({ key }) => key.text).join(', ');
  if (wanted !== undefined) {
    const found = services.find(({ key }) => key.text === wanted);
    if (found === undefined)
      find(notes, undefined, toNothing(say('import.no-service', { service: wanted, services: names(services) || '-' })));
    return found;
  }
  const engines = services.filter(({ value }) => isEngine(value));
  const [first, second] = engines;
  if (first === undefined) {
    find(notes, undefined, toNothing(say('import.no-engine-service', { services: names(services) || '-' })));
    return undefined;
  }
  if (second === undefined) return first;
  const message = say('import.several-services', { services: names(engines) });
  const hint = say('import.hint.service', { service: first.key.text });
  find(notes, second.key, { code: 'profile/import-several', severity: 'error', message, hint });
  return undefined;
}

function isEngine(service: YamlValue): boolean {
  const told = JSON.stringify([findEntry(service, 'command')?.plain, findEntry(service, 'entrypoint')?.plain]);
  const image = findEntry(service, 'image')?.word.text ?? '';
  return /vllm/i.test(image) || /vllm[", ]+serve|vllm\.entrypoints/.test(told);
}

/** Compose splits the text of a command as a shell does, and expands nothing but its own variables. */
function toCommand(command: YamlValue | undefined, notes: Notes): readonly Word[] {
  if (command?.items) return command.items.map(({ word }) => toFilled(word));
  if (typeof command?.plain !== 'string') return [];
  const { text, ...place } = command.word;
  // A folded text has no line ends left; one that kept them means spaces by them.
  const parsed = parseShell(text.replaceAll('$$', '\\$').replace(/\\?\n/g, ' '), { notes, placed: false }) ?? [];
  return parsed.flatMap(({ env, words }) => [
    ...env.map(({ name, value }) => ({ ...value, text: `${name}=${value?.text ?? ''}`, ...place })),
    ...words.map((word) => ({ ...word, ...place })),
  ]);
}

/** `${NAME:-default}` and `$NAME` are filled in by compose, `$$` is a dollar sign. */
function toFilled(word: Word): Word {
  let open: string | undefined;
  const text = word.text.replace(/\$\$|\$\{[^}]*\}|\$\w+/g, (variable) => {
    if (variable === '$$') return '$';
    const filled = toFilledIn(variable);
    open ??= filled.open;
    return filled.text;
  });
  return { ...word, text, ...(open === undefined ? {} : { open }) };
}

const handled = ['image', 'command', 'entrypoint'];
/** Keys of a service whose values are as those of the option of another name. */
const same: Readonly<Record<string, string>> = {
  cpuset: 'cpuset-cpus',
  mem_limit: 'memory',
  shm_size: 'shm-size',
  pids_limit: 'pids-limit',
  ipc: 'ipc',
  network_mode: 'network',
  restart: 'restart',
  container_name: 'name',
  runtime: 'runtime',
  cpus: 'cpus',
  gpus: 'gpus',
};

function toOptions({ key, value }: YamlEntry, notes: Notes): readonly Option[] {
  const name = key.text;
  if (handled.includes(name)) return [];
  if (name === 'deploy') return toDeploy(value, notes);
  if (name === 'environment') return toVariables(value);
  if (name === 'ports') return (value.items ?? []).map((item) => toOption('publish', item, { key: 'ports', text: toPortText(item) }));
  if (name === 'volumes') return (value.items ?? []).map((item) => toOption('volume', item, { key: 'volumes', text: toVolumeText(item) }));
  if (name === 'ulimits') return toUlimits(value);
  const option = Object.hasOwn(same, name) ? same[name] : undefined;
  if (option !== undefined && value.items === undefined && value.entries === undefined) return [toOption(option, value, { key: name })];
  return [{ name: Object.hasOwn(reasoned, name) ? (reasoned[name] ?? name) : name, word: { ...key, text: `${name}: …` } }];
}

/** Dropped for a reason of their own. */
const reasoned: Readonly<Record<string, string>> = { healthcheck: 'healthcheck', env_file: 'env-file', networks: 'network' };

interface Labelled {
  /** The key in the file. */
  readonly key?: string;
  /** The value as docker run would have it. */
  readonly text?: string;
}

function toOption(name: string, { word }: YamlValue, { key = name, text = word.text }: Labelled = {}): Option {
  return { name, word: { ...word, text: `${key}: ${text}` }, value: toFilled({ ...word, text }) };
}

function toVariables(value: YamlValue): readonly Option[] {
  if (value.items) return value.items.map((item) => toOption('env', item));
  return (value.entries ?? []).map(({ key, value: inner }) =>
    toOption('env', inner, { text: inner.plain === null ? key.text : `${key.text}=${inner.word.text}` }),
  );
}

function toPortText(item: YamlValue): string {
  const part = (name: string) => findEntry(item, name)?.word.text;
  if (item.entries === undefined) return item.word.text;
  return [part('host_ip'), part('published'), part('target')].filter((one) => one !== undefined).join(':');
}

function toVolumeText(item: YamlValue): string {
  const part = (name: string) => findEntry(item, name)?.word.text;
  return item.entries === undefined ? item.word.text : `${part('source') ?? ''}:${part('target') ?? ''}`;
}

function toUlimits(value: YamlValue): readonly Option[] {
  return (value.entries ?? []).map(({ key, value: inner }) =>
    toOption('ulimit', inner, { key: 'ulimits', text: `${key.text}=${(findEntry(inner, 'soft') ?? inner).word.text}` }),
  );
}

/** Limits, and devices reserved; replicas are deployments of their own. */
function toDeploy(value: YamlValue, notes: Notes): readonly Option[] {
  const limits = findEntry(value, 'resources', 'limits');
  const devices = findEntry(value, 'resources', 'reservations', 'devices')?.items ?? [];
  const known: readonly (readonly [string, string])[] = [
    ['memory', 'memory'],
    ['pids', 'pids-limit'],
    ['cpus', 'cpus'],
  ];
  for (const { key } of value.entries ?? []) {
    if (key.text !== 'resources') drop(notes, `deploy.${key.text}`, say('import.why.container'));
  }
  return [
    ...known.flatMap(([field, option]) => {
      const limit = findEntry(limits, field);
      return limit ? [toOption(option, limit, { key: `deploy.resources.limits.${field}` })] : [];
    }),
    ...devices.map((device) => toOption('gpus', device, { text: toGpuText(device) })),
  ];
}

function toGpuText(device: YamlValue): string {
  const ids = findEntry(device, 'device_ids')?.items?.map(({ word }) => word.text);
  return ids ? `device=${ids.join(',')}` : (findEntry(device, 'count')?.word.text ?? 'all');
}
