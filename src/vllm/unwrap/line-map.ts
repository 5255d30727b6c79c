/**
 * Which line of a file was the n-th of a part of it. Only where they stop going side by side is remembered; of what
 * is mixed line by line for millions of lines, the beginning is forgotten and guessed.
 */
export interface LineMap {
  /** The next line of the part. */
  push(fileLine: number): void;
  toFileLine(partLine: number): number;
}

/** Two numbers each. */
const mostTurns = 2 ** 18;

export function createLineMap(): LineMap {
  let turns = new Uint32Array(64);
  let count = 0;
  let lines = 0;
  let expected = -1;
  const add = (fileLine: number) => {
    if (count === mostTurns) {
      turns.copyWithin(0, mostTurns);
      count /= 2;
    }
    if (count * 2 === turns.length) {
      const larger = new Uint32Array(turns.length * 2);
      larger.set(turns);
      turns = larger;
    }
    turns[count * 2] = lines;
    turns[count * 2 + 1] = fileLine;
    count += 1;
  };
  return {
    push(fileLine) {
      lines += 1;
      if (fileLine !== expected) add(fileLine);
      expected = fileLine + 1;
    },
    toFileLine(partLine) {
      const turn = findTurn(turns, count, partLine);
      return Math.max(1, (turns[turn * 2 + 1] ?? 1) + partLine - (turns[turn * 2] ?? 1));
    },
  };
}

/** The last one at or before the line; the first one where all are later. */
function findTurn(turns: Uint32Array, count: number, partLine: number): number {
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((turns[middle * 2] ?? 0) <= partLine) low = middle;
    else high = middle - 1;
  }
  return low;
}
