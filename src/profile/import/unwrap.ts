/** What stands in front of an engine's command: variables, `sudo`, `nohup`, `taskset`, `uv run` … */
import { say } from '../../core/message.ts';
import { drop, type Given, type Notes, type Variable, type Word } from './launch.ts';
import type { ShellCommand } from './shell.ts';

export interface Unwrapped {
  readonly env: readonly Variable[];
  readonly given: readonly Given[];
  /** The first word is the program. */
  readonly words: readonly Word[];
}

export function toUnwrapped(command: Pick<ShellCommand, 'env' | 'words'>, notes: Notes): Unwrapped {
  let here: Unwrapped = { env: command.env, given: [], words: command.words };
  for (;;) {
    const next = toNext(here, notes);
    if (next === undefined) return here;
    here = next;
  }
}

/** A program that runs another one: how many of its words come first, and what they say. */
interface Wrapper {
  /** Options that take the next word. */
  readonly values?: readonly string[];
  /** Words before the command that are no options. */
  readonly skip?: number;
  readonly read?: (words: readonly Word[]) => readonly Given[];
}

const wrappers: Readonly<Record<string, Wrapper>> = {
  sudo: { values: ['-u', '-g', '-C', '-h', '-p', '-r', '-t', '-T', '-U', '-D', '-R'] },
  doas: { values: ['-u', '-C'] },
  env: { values: ['-u', '--unset', '-C', '--chdir'] },
  nohup: {},
  exec: { values: ['-a'] },
  time: { values: ['-f', '-o'] },
  command: {},
  setsid: {},
  stdbuf: { values: ['-i', '-o', '-e'] },
  unbuffer: {},
  ionice: { values: ['-c', '-n', '-p'] },
  chrt: { skip: 1 },
  timeout: { values: ['-s', '-k', '--signal', '--kill-after'], skip: 1 },
  nice: { values: ['-n', '--adjustment'], read: readNice },
  taskset: { skip: 1, read: readTaskset },
  numactl: { values: ['-C', '-N', '-m', '-p', '-i', '-P'], read: readNuma },
  poetry: { skip: 1 },
  pdm: { skip: 1 },
  pixi: { values: ['-e', '--environment', '--manifest-path'], skip: 1 },
  pipx: { values: ['--spec', '--python', '--pip-args'], skip: 1 },
  conda: { values: ['-n', '-p', '--name', '--prefix', '--cwd'], skip: 1 },
  mamba: { values: ['-n', '-p', '--name', '--prefix'], skip: 1 },
  micromamba: { values: ['-n', '-p', '--name', '--prefix'], skip: 1 },
  uv: {
    values: [
      '--with',
      '--python',
      '-p',
      '--project',
      '--directory',
      '--extra',
      '--group',
      '--index',
      '--index-url',
      '--env-file',
      '--from',
    ],
    skip: 1,
  },
  uvx: { values: ['--with', '--python', '-p', '--from', '--index', '--index-url'] },
  srun: { values: ['-n', '-N', '-p', '-c', '-t', '-J', '-w', '-A', '-G'] },
};

function toNext(here: Unwrapped, notes: Notes): Unwrapped | undefined {
  const [first, ...rest] = here.words;
  if (first === undefined) return undefined;
  // A prompt that was copied along.
  if (/^([$%#>❯➜]|\(.*\)|\S+@\S+[:$#]\S*)$/.test(first.text) && rest.length > 0) return { ...here, words: rest };
  const variable = toVariable(first);
  if (variable) return { ...here, env: [...here.env, variable], words: rest };
  const name = first.text.slice(first.text.lastIndexOf('/') + 1);
  const wrapper = Object.hasOwn(wrappers, name) ? wrappers[name] : undefined;
  if (wrapper === undefined) return undefined;
  const count = toOwnWords(rest, wrapper);
  const own = rest.slice(0, count);
  const given = wrapper.read?.(own) ?? [];
  const isSaid = given.length > 0;
  if (!isSaid && name !== 'env') drop(notes, [name, ...own.map(({ text }) => text)].join(' '), say('import.why.wrapper'));
  return { ...here, given: [...here.given, ...given], words: rest.slice(count) };
}

/** `NAME=value`. */
export function toVariable(word: Word): Variable | undefined {
  const name = /^([A-Za-z_]\w*)=/.exec(word.text)?.[1];
  return name === undefined ? undefined : { name, value: { ...word, text: word.text.slice(name.length + 1) } };
}

function toOwnWords(words: readonly Word[], { values = [], skip = 0 }: Wrapper): number {
  let index = 0;
  let left = skip;
  for (;;) {
    const text = words[index]?.text;
    if (text === undefined) return index;
    if (text === '--') return index + 1;
    if (text.startsWith('-')) index += values.includes(text) ? 2 : 1;
    else if (left > 0) {
      left -= 1;
      index += 1;
    } else return index;
  }
}

function readNice(words: readonly Word[]): readonly Given[] {
  const [first, second] = words;
  const text = /^-n$|^--adjustment$/.test(first?.text ?? '') ? second?.text : /^(?:-n?|--adjustment=)(-?\d+)$/.exec(first?.text ?? '')?.[1];
  const value = Number(text ?? 10);
  const word = second ?? first;
  return word && Number.isInteger(value) ? [{ path: 'resources.nice', value, word }] : [];
}

/** `-c 0-3`, or a mask in hexadecimal. */
function readTaskset(words: readonly Word[]): readonly Given[] {
  const list = words.at(-1);
  if (list === undefined) return [];
  const isList = words.some(({ text }) => /^-a?c$|^--cpu-list$/.test(text));
  const cpus = isList ? toCpus(list.text) : toMaskCpus(list.text);
  return cpus === undefined ? [] : [{ path: 'resources.cpus', value: cpus, word: list }];
}

function readNuma(words: readonly Word[]): readonly Given[] {
  const found = words.flatMap((word, index): readonly Given[] => {
    const text =
      /^--physcpubind=(.*)$/.exec(word.text)?.[1] ?? (/^(-C|--physcpubind)$/.test(word.text) ? words[index + 1]?.text : undefined);
    const cpus = text === undefined ? undefined : toCpus(text);
    return cpus === undefined ? [] : [{ path: 'resources.cpus', value: cpus, word }];
  });
  return found.slice(0, 1);
}

/** A list that a profile takes too. */
export function toCpus(text: string): string | undefined {
  return /^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(text) ? text : undefined;
}

function toMaskCpus(text: string): string | undefined {
  if (!/^(0x)?[0-9a-f]{1,16}$/i.test(text)) return undefined;
  const bits = [...BigInt(`0x${text.replace(/^0x/i, '')}`).toString(2)].reverse();
  const cpus = bits.flatMap((bit, index) => (bit === '1' ? [index] : []));
  return cpus.length === 0 ? undefined : cpus.join(',');
}
