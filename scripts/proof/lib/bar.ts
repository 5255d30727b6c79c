/** What a bar is: a promise with a number, and the proof that prints the figure. */
export interface Bar {
  readonly id: string;
  /** What must hold, in a line. */
  readonly bar: string;
  /** What stands for vLLM; undefined: the stand-in engine. */
  readonly on?: string;
  prove(asked: Asked): Promise<Verdict>;
}

export interface Asked {
  /** How many rounds to go: all of them, or ROUNDS where that is less. */
  readonly rounds: (full: number) => number;
  /** R3 without a real vLLM. */
  readonly standInOnly: boolean;
  /** This program in one file, for a bar that runs a part of itself elsewhere. */
  readonly bundle: string;
  /** What happens meanwhile. */
  readonly say: (line: string) => void;
}

export interface Verdict {
  readonly met: boolean;
  /** In a line, with units. */
  readonly figure: string;
  /** What it is made of, and what was not as it should be. */
  readonly lines: readonly string[];
}

/** The first of them in full, and how many more there are. */
export function shorten(problems: readonly string[], most = 8): readonly string[] {
  const more = problems.length - most;
  return more > 0 ? [...problems.slice(0, most), `… and ${more} more`] : problems;
}
