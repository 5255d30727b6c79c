/**
 * The line of `docker run` for the body of a request to Docker's API: the same container, made by hand. Each field has
 * its option in a table that the compiler keeps complete, so none is forgotten when the body gets another one.
 */
import { toSecretWord, toShellWord } from '../core/shell.ts';
import type { CreateBody, DeviceRequest, DockerMount, HostConfig } from '../host/docker/docker.ts';
import type { SecretRef } from '../profile/profile.ts';

export interface DockerRunOrder {
  readonly name: string;
  readonly body: CreateBody;
  /** Made before: Docker refuses to mount what is not there. */
  readonly directories: readonly string[];
  /** Variables whose values are read when the line runs. */
  readonly secrets: Readonly<Record<string, SecretRef>>;
  /** Variables that the container gets where the shell of the line has them. */
  readonly inherited: readonly string[];
}

/** One or more commands of a POSIX shell, each option on a line of its own. */
export function renderDockerRun({ name, body, directories, secrets, inherited }: DockerRunOrder): string {
  const { Entrypoint, Cmd, Image, HostConfig } = body;
  const values = Object.entries(secrets).map(([variable, reference]) => `${variable}=${toSecretWord(reference)} `);
  const [entry, ...before] = Entrypoint;
  const lines = [
    ['--detach'],
    ['--name', name],
    ...toOptions(body, bodyOptions),
    ...toOptions(HostConfig, hostOptions),
    // Of a name alone Docker takes the value from its own environment: it stands in no list of processes.
    ...Object.keys(secrets).map((variable) => ['--env', variable]),
    ...(entry === undefined ? [] : [['--entrypoint', entry]]),
    [Image],
    ...toArgumentLines([...before, ...Cmd]),
  ];
  const made = directories.map((directory) => `mkdir -p -m 700 ${toShellWord(directory)}\n`);
  // The name alone of one that is not set would take it away from the image.
  const given = inherited.map((variable) => `\${${variable}+--env=${variable}}`);
  const text = [`${values.join('')}docker run`, ...given, ...lines.map((words) => words.map(toShellWord).join(' '))];
  return `${made.join('')}${text.join(' \\\n  ')}\n`;
}

type Words = readonly string[];
/** Field → its options; an empty list where something else says it. */
type Options<T> = { readonly [K in keyof T]-?: (value: NonNullable<T[K]>) => readonly Words[] };

const nothing = (): readonly Words[] => [];
const option = (name: string) => (value: string | number) => [[name, String(value)]];
const options = (name: string) => (values: readonly string[]) => values.map((value) => [name, value]);
const flag = (name: string) => (isOn: boolean) => (isOn ? [[name]] : []);

const bodyOptions: Options<CreateBody> = {
  Image: nothing,
  Entrypoint: nothing,
  Cmd: nothing,
  HostConfig: nothing,
  // What is published is exposed.
  ExposedPorts: nothing,
  User: option('--user'),
  WorkingDir: option('--workdir'),
  StopTimeout: option('--stop-timeout'),
  Env: options('--env'),
  Labels: (labels) => Object.entries(labels).map(([name, value]) => ['--label', `${name}=${value}`]),
};

const hostOptions: Options<HostConfig> = {
  AutoRemove: nothing,
  Init: flag('--init'),
  RestartPolicy: ({ Name }) => [['--restart', Name]],
  NetworkMode: option('--network'),
  PortBindings: toPublished,
  DeviceRequests: (requests) => requests.flatMap(toDevices),
  CpusetCpus: option('--cpuset-cpus'),
  CpusetMems: option('--cpuset-mems'),
  Memory: option('--memory'),
  MemorySwap: option('--memory-swap'),
  PidsLimit: option('--pids-limit'),
  ShmSize: option('--shm-size'),
  IpcMode: option('--ipc'),
  Ulimits: (limits) => limits.map(({ Name, Soft, Hard }) => ['--ulimit', `${Name}=${Soft}:${Hard}`]),
  ReadonlyRootfs: flag('--read-only'),
  Tmpfs: (places) => Object.entries(places).map(([target, how]) => ['--tmpfs', `${target}:${how}`]),
  Mounts: (mounts) => mounts.map((mount) => ['--mount', toMountText(mount)]),
  CapDrop: options('--cap-drop'),
  CapAdd: options('--cap-add'),
  SecurityOpt: options('--security-opt'),
  LogConfig: ({ Type, Config }) => [
    ['--log-driver', Type],
    ...Object.entries(Config).map(([name, value]) => ['--log-opt', `${name}=${value}`]),
  ],
};

function toOptions<T extends object>(fields: T, table: Options<T>): readonly Words[] {
  const toOne = <K extends keyof T>(key: K): readonly Words[] => {
    const value = fields[key];
    return value === undefined || value === null ? [] : table[key](value);
  };
  // In the order of the table: the text does not depend on how the body was put together.
  return (Object.keys(table) as (keyof T)[]).flatMap(toOne);
}

function toPublished(bindings: NonNullable<HostConfig['PortBindings']>): readonly Words[] {
  return Object.entries(bindings).flatMap(([inside, hosts]) =>
    hosts.map(({ HostIp, HostPort }) => ['--publish', `${HostIp.includes(':') ? `[${HostIp}]` : HostIp}:${HostPort}:${inside}`]),
  );
}

/** Fields as in a CSV file: a list within one stands in quotes. `gpu` itself is added by Docker. */
function toDevices({ Driver, DeviceIDs = [], Count, Capabilities = [] }: DeviceRequest): readonly Words[] {
  if (Driver === 'cdi') return DeviceIDs.map((device) => ['--device', device]);
  const capabilities = Capabilities.flat().filter((one) => one !== 'gpu');
  const fields = [
    `driver=${Driver}`,
    ...(Count === undefined ? [] : [`count=${Count}`]),
    ...(DeviceIDs.length === 0 ? [] : [`device=${DeviceIDs.join(',')}`]),
    ...(capabilities.length === 0 ? [] : [`capabilities=${capabilities.join(',')}`]),
  ];
  return [['--gpus', fields.map(toCsvField).join(',')]];
}

function toMountText({ Type, Source, Target, ReadOnly }: DockerMount): string {
  const fields = [`type=${Type}`, `source=${Source}`, `target=${Target}`, ...(ReadOnly ? ['readonly'] : [])];
  return fields.map(toCsvField).join(',');
}

function toCsvField(text: string): string {
  return /[",\n\r]|^\s/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A setting and its value on one line. */
function toArgumentLines(words: Words): readonly Words[] {
  const lines: string[][] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last === undefined || word.startsWith('--')) lines.push([word]);
    else last.push(word);
  }
  return lines;
}
