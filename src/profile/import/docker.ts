/** The words of `docker run` → its options by their long names, the image, and the command inside. */
import { say } from '../../core/message.ts';
import type { ContainerSpec, Option } from './container.ts';
import { find, type Notes, toNothing, type Word } from './launch.ts';

const programs = ['docker', 'podman', 'nerdctl', 'nvidia-docker'];
const globalValues = ['-H', '--host', '-c', '--context', '--config', '-l', '--log-level'];

export function isDocker(words: readonly Word[]): boolean {
  const program = words[0]?.text ?? '';
  return programs.includes(program.slice(program.lastIndexOf('/') + 1)) && toRunIndex(words) !== undefined;
}

/** Index behind `run`. */
function toRunIndex(words: readonly Word[]): number | undefined {
  let index = 1;
  for (;;) {
    const text = words[index]?.text;
    if (text === 'run' || text === 'create') return index + 1;
    if (text === 'container') index += 1;
    else if (text?.startsWith('-')) index += globalValues.includes(text) ? 2 : 1;
    else return undefined;
  }
}

export function parseDockerRun(words: readonly Word[], notes: Notes): ContainerSpec | undefined {
  const options: Option[] = [];
  let index = toRunIndex(words) ?? words.length;
  for (;;) {
    const word = words[index];
    if (word === undefined || !word.text.startsWith('-') || word.text === '--') break;
    const { taken, option } = toOption(word, words[index + 1]);
    options.push(...option);
    index += taken;
  }
  if (words[index]?.text === '--') index += 1;
  const image = words[index];
  if (image === undefined) {
    find(notes, words[0], toNothing(say('import.no-image')));
    return undefined;
  }
  return { image, options, command: words.slice(index + 1) };
}

/** All other options take a value. */
const switches = [
  'detach',
  'disable-content-trust',
  'help',
  'init',
  'interactive',
  'no-healthcheck',
  'oom-kill-disable',
  'privileged',
  'publish-all',
  'quiet',
  'read-only',
  'rm',
  'sig-proxy',
  'tty',
  'use-api-socket',
];
const short: Readonly<Record<string, string>> = {
  a: 'attach',
  c: 'cpu-shares',
  d: 'detach',
  e: 'env',
  h: 'hostname',
  i: 'interactive',
  l: 'label',
  m: 'memory',
  P: 'publish-all',
  p: 'publish',
  q: 'quiet',
  t: 'tty',
  u: 'user',
  v: 'volume',
  w: 'workdir',
};

function toOption(word: Word, next: Word | undefined): { readonly taken: number; readonly option: readonly Option[] } {
  if (!word.text.startsWith('--')) return toShort(word, next);
  const cut = word.text.indexOf('=');
  const name = word.text.slice(2, cut < 0 ? undefined : cut);
  if (cut >= 0) return { taken: 1, option: [{ name, word, value: { ...word, text: word.text.slice(cut + 1) } }] };
  if (switches.includes(name) || next === undefined) return { taken: 1, option: [{ name, word }] };
  return { taken: 2, option: [{ name, word, value: next }] };
}

/** `-it`, `-p 80:80`, `-p80:80`, `-itp 80:80`. */
function toShort(word: Word, next: Word | undefined): ReturnType<typeof toOption> {
  const letters = [...word.text.slice(1)];
  const at = letters.findIndex((letter) => !switches.includes(short[letter] ?? ''));
  const plain = (at < 0 ? letters : letters.slice(0, at)).map((letter) => ({ name: short[letter] ?? letter, word }));
  if (at < 0) return { taken: 1, option: plain };
  const letter = letters[at] ?? '';
  const glued = letters
    .slice(at + 1)
    .join('')
    .replace(/^=/, '');
  const value = glued === '' ? next : { ...word, text: glued };
  const option = { name: short[letter] ?? letter, word, ...(value ? { value } : {}) };
  return { taken: glued === '' ? 2 : 1, option: [...plain, option] };
}
