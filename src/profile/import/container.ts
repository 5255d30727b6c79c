/** A container, however it was described → what it launches. */
import { type MessageId, say } from '../../core/message.ts';
import { toBytesText, toGpuList, toGpus } from './amounts.ts';
import {
  drop,
  find,
  type Given,
  type Launch,
  type LaunchKind,
  type Mount,
  type Notes,
  type Publish,
  toNothing,
  type Variable,
  type Word,
} from './launch.ts';
import { toPlainLaunch, toServeLaunch } from './serve.ts';
import { toCpus, toVariable } from './unwrap.ts';

/** An option of `docker run` by its long name; a compose service is put into the same form. */
export interface Option {
  readonly name: string;
  readonly word: Word;
  readonly value?: Word;
}

export interface ContainerSpec {
  readonly image: Word;
  readonly options: readonly Option[];
  /** Behind the image. */
  readonly command: readonly Word[];
}

export function toContainerLaunch({ image, options, command }: ContainerSpec, notes: Notes, kind: LaunchKind): Launch | undefined {
  const into: Reading = { given: [], env: [], mounts: [], ports: [], networks: [], notes };
  for (const option of options) takeOption(option, into);
  const entry = options.findLast(({ name }) => name === 'entrypoint')?.value;
  const inner = toInner(entry === undefined || entry.text === '' ? command : [entry, ...command], image, notes);
  if (inner === undefined) {
    find(notes, image, toNothing(say('import.other-image', { image: image.text })));
    return undefined;
  }
  const hostNetwork = into.networks.includes('host');
  return {
    ...inner,
    kind,
    env: [...into.env, ...inner.env],
    given: [...into.given, ...inner.given],
    container: { image, mounts: into.mounts, ports: into.ports, hostNetwork },
  };
}

/** An image of vLLM takes the words of `vllm serve` right away; others are told the whole command. */
function toInner(words: readonly Word[], { text: image }: Word, notes: Notes): Launch | undefined {
  const launch = toServeLaunch(words, notes);
  if (launch) return launch;
  if (!/vllm/i.test(image)) return undefined;
  const [first, ...rest] = words;
  return toPlainLaunch('serve', first?.text === 'serve' ? rest : words);
}

interface Reading {
  readonly given: Given[];
  readonly env: Variable[];
  readonly mounts: Mount[];
  readonly ports: Publish[];
  readonly networks: string[];
  readonly notes: Notes;
}

function takeOption(option: Option, into: Reading): void {
  const { name, word, value } = option;
  const taker = Object.hasOwn(takers, name) ? takers[name] : undefined;
  if (taker && value && taker(value, into)) return;
  if (name === 'entrypoint') return;
  const id = Object.hasOwn(reasons, name) ? (reasons[name] ?? plainReason) : plainReason;
  drop(into.notes, toOptionText(word, value), { id, params: {} });
}

function toOptionText(word: Word, value: Word | undefined): string {
  return value === undefined || /=|: /.test(word.text) ? word.text : `${word.text} ${value.text}`;
}

/** Each says whether it could do something with the value. */
const takers: Readonly<Record<string, (value: Word, into: Reading) => boolean>> = {
  gpus: (word, { given }) => give(given, 'resources.gpus', { word, value: toGpus(word.text) }),
  'cpuset-cpus': (word, { given }) => give(given, 'resources.cpus', { word, value: toCpus(word.text) }),
  memory: (word, { given }) => give(given, 'resources.memory', { word, value: toBytesText(word.text) }),
  'shm-size': (word, { given }) => give(given, 'resources.shm', { word, value: toBytesText(word.text) }),
  'pids-limit': (word, { given }) => give(given, 'resources.pids', { word, value: toCount(word.text, 64) }),
  ulimit: (word, { given }) => give(given, 'resources.nofile', { word, value: toNofile(word.text) }),
  env: (word, { env }) => {
    env.push(toVariable(word) ?? { name: word.text });
    return true;
  },
  publish: takePort,
  device: ({ text, ...word }, { given }) => {
    const gpus = /^nvidia\.com\/gpu=(.+)$/.exec(text)?.[1];
    return gpus !== undefined && give(given, 'resources.gpus', { word: { ...word, text }, value: toGpuList(gpus) });
  },
  volume: takeVolume,
  mount: takeMount,
  network: takeNetwork,
  net: takeNetwork,
};

function give(given: Given[], path: string, { word, value }: Pick<Given, 'word' | 'value'>): boolean {
  if (word.open === undefined && value === undefined) return false;
  given.push({ path, value, word });
  return true;
}

function toCount(text: string, least: number): number | undefined {
  return /^\d+$/.test(text) && Number(text) >= least ? Number(text) : undefined;
}

/** `nofile=65536:65536`: the first is the soft limit. */
function toNofile(text: string): number | undefined {
  return toCount(/^nofile=(\d+)(:\d+)?$/.exec(text)?.[1] ?? '', 1024);
}

/** `8000:8000`, `127.0.0.1:8080:8000/tcp`. */
function takePort(word: Word, { ports }: Reading): boolean {
  const match = /^(?:(\[[\da-f:]+\]|[\d.]+):)?(\d+):(\d+)(?:\/tcp)?$/.exec(word.text);
  if (match === null) return word.open !== undefined && ports.push({ port: 0, inside: 0, word }) > 0;
  const [, host, port, inside] = match;
  ports.push({ port: Number(port), inside: Number(inside), word, ...(host === undefined ? {} : { host: host.replace(/[[\]]/g, '') }) });
  return true;
}

function takeVolume(word: Word, into: Reading): boolean {
  const [from = '', to] = word.text.split(':');
  return to !== undefined && addMount({ from, to }, into);
}

function takeMount(word: Word, into: Reading): boolean {
  const parts = new Map(word.text.split(',').map((part) => part.split('=', 2) as [string, string]));
  const from = parts.get('source') ?? parts.get('src');
  const to = parts.get('target') ?? parts.get('destination') ?? parts.get('dst');
  return from !== undefined && to !== undefined && addMount({ from, to }, into);
}

/** What it is for is seen later, when all paths are known. */
function addMount(mount: Mount, { mounts }: Reading): boolean {
  mounts.push({ from: mount.from, to: mount.to.replace(/(?<=.)\/+$/, '') });
  return true;
}

function takeNetwork(word: Word, { networks }: Reading): boolean {
  networks.push(word.text);
  return false;
}

const plainReason: MessageId = 'import.why.container';
const reasons: Readonly<Record<string, MessageId>> = {
  restart: 'import.why.restart',
  name: 'import.why.name',
  detach: 'import.why.background',
  interactive: 'import.why.background',
  tty: 'import.why.background',
  rm: 'import.why.background',
  init: 'import.why.background',
  ipc: 'import.why.ipc',
  runtime: 'import.why.runtime',
  privileged: 'import.why.runtime',
  device: 'import.why.runtime',
  network: 'import.why.network',
  net: 'import.why.network',
  publish: 'import.why.publish',
  cpus: 'import.why.cpus',
  'cpu-shares': 'import.why.cpus',
  'cpuset-cpus': 'import.why.cpus',
  'env-file': 'import.why.env-file',
  memory: 'import.why.amount',
  'shm-size': 'import.why.amount',
  'pids-limit': 'import.why.amount',
  ulimit: 'import.why.ulimit',
  volume: 'import.why.mount-unknown',
  mount: 'import.why.mount-unknown',
  healthcheck: 'import.why.health',
  'health-cmd': 'import.why.health',
  'health-interval': 'import.why.health',
  'health-timeout': 'import.why.health',
  'health-retries': 'import.why.health',
  'health-start-period': 'import.why.health',
};
