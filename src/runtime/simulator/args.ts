/**
 * The command line of `vllm serve`, read tolerantly: the simulator takes whatever a profile gives to the real engine
 * and uses the few settings that change what can be seen from outside.
 */

export interface ServeArgs {
  readonly model: string;
  /** Long flag name without dashes → its words; `--flag` alone has none. The last one given wins, as in vLLM. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
}

export type ParsedArgs =
  | { readonly is: 'serve'; readonly args: ServeArgs }
  | { readonly is: 'version' }
  | { readonly is: 'usage'; readonly problem: string };

export function parseServeArgs(argv: readonly string[]): ParsedArgs {
  const [command, ...words] = argv;
  if (command === '--version' || command === '-v') return { is: 'version' };
  if (command !== 'serve') return { is: 'usage', problem: `invalid choice: '${command ?? ''}' (choose from 'serve')` };
  const flags = new Map<string, readonly string[]>();
  let model: string | undefined;
  for (let at = 0; at < words.length; ) {
    const word = words[at] ?? '';
    at += 1;
    if (!isFlag(word)) {
      if (model !== undefined) return { is: 'usage', problem: `unrecognized arguments: ${word}` };
      model = word;
      continue;
    }
    const [name = '', inline] = splitOnce(word.slice(2));
    const end = inline === undefined ? findNextFlag(words, at) : at;
    flags.set(name.replaceAll('_', '-'), inline === undefined ? words.slice(at, end) : [inline]);
    at = end;
  }
  return { is: 'serve', args: { model: model ?? flags.get('model')?.[0] ?? 'Qwen/Qwen3-0.6B', flags } };
}

/** vLLM's human integers: `8k` is 8000, `8K` is 8192. Undefined for `auto`, `-1` and what is not a number. */
export function parseHumanInteger(text: string | undefined): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([kKmMgGtT]?)$/.exec(text ?? '');
  if (match?.[1] === undefined) return undefined;
  const power = ['', 'k', 'm', 'g', 't'].indexOf((match[2] ?? '').toLowerCase());
  const base = match[2] === match[2]?.toUpperCase() ? 1024 : 1000;
  return Math.round(Number(match[1]) * base ** power);
}

function isFlag(word: string): boolean {
  return word.startsWith('--');
}

function findNextFlag(words: readonly string[], from: number): number {
  const next = words.findIndex((word, index) => index >= from && isFlag(word));
  return next < 0 ? words.length : next;
}

function splitOnce(text: string): readonly [string, string | undefined] {
  const at = text.indexOf('=');
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
