/**
 * Many words in one pass: the automaton of Aho and Corasick, over texts without regard to case, where any run of
 * white space is one blank. Each character is one step, however many words there are.
 */
export interface WordSearch {
  /** State before the first character. */
  readonly start: number;
  /** Adds the owners of all words in the text to `found`, each once, and returns the state after its last character. */
  run(text: string, state: number, found: number[]): number;
}

/** `words` of each owner, by its number from 0 on. */
export function createWordSearch(owners: readonly (readonly string[])[]): WordSearch {
  const classes = toClasses(owners.flat());
  const width = Math.max(...classes) + 1;
  const trie = toTrie(owners, classes, width);
  const { next, told } = toAutomaton(trie, width);
  const seen = new Uint32Array(owners.length);
  let round = 0;
  return {
    start: 0,
    run: (text, state, found) => {
      round++;
      let at = state;
      let blank = false;
      for (let index = 0; index < text.length; index++) {
        const code = text.charCodeAt(index);
        const kind = code < 128 ? (classes[code] ?? 0) : 0;
        if (kind === blankClass && blank) continue;
        blank = kind === blankClass;
        at = next[at + kind] ?? 0;
        if (at >= 0) continue;
        at = -at;
        for (const owner of told[at / width] ?? []) {
          if (seen[owner] === round) continue;
          seen[owner] = round;
          found.push(owner);
        }
      }
      return at;
    },
  };
}

const blankClass = 1;

/** Code of a character → its column: 0 for those that no word has. */
function toClasses(words: readonly string[]): Uint8Array {
  const classes = new Uint8Array(128);
  for (const code of [9, 10, 11, 12, 13, 32]) classes[code] = blankClass;
  let count = blankClass;
  for (const char of new Set(words.join(''))) {
    const code = char.charCodeAt(0);
    if (code >= 128 || classes[code] !== 0) continue;
    classes[code] = ++count;
    classes[char.toUpperCase().charCodeAt(0)] = count;
  }
  return classes;
}

interface Trie {
  readonly children: Map<number, number>[];
  readonly told: (readonly number[] | undefined)[];
}

function toTrie(owners: readonly (readonly string[])[], classes: Uint8Array, width: number): Trie {
  const children: Map<number, number>[] = [new Map()];
  const told: (readonly number[] | undefined)[] = [undefined];
  for (const [owner, words] of owners.entries()) {
    for (const word of words) {
      let at = 0;
      for (const char of word) {
        const kind = (classes[char.charCodeAt(0)] ?? 0) % width;
        const known = children[at]?.get(kind);
        if (known === undefined) {
          children[at]?.set(kind, children.length);
          at = children.length;
          children.push(new Map());
          told.push(undefined);
        } else at = known;
      }
      told[at] = [...new Set([...(told[at] ?? []), owner])];
    }
  }
  return { children, told };
}

/** States are offsets of their rows, which saves a multiplication per character; negative where a word ends. */
function toAutomaton({ children, told }: Trie, width: number): { next: Int32Array; told: (readonly number[] | undefined)[] } {
  const next = new Int32Array(children.length * width);
  const fallback = new Int32Array(children.length);
  const all = [...told];
  const queue = [0];
  for (const state of queue) {
    const back = fallback[state] ?? 0;
    for (let kind = 0; kind < width; kind++) {
      const child = children[state]?.get(kind);
      const other = state === 0 ? 0 : (next[back * width + kind] ?? 0);
      next[state * width + kind] = child === undefined ? other : child * width;
      if (child === undefined) continue;
      fallback[child] = other / width;
      const inherited = all[other / width];
      if (inherited !== undefined) all[child] = [...new Set([...(all[child] ?? []), ...inherited])];
      queue.push(child);
    }
  }
  for (const [index, offset] of next.entries()) if (all[offset / width] !== undefined) next[index] = -offset;
  return { next, told: all };
}
