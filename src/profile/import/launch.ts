/** What a person pasted, taken apart: the words for vLLM, and all around them that a profile has a place for. */
import type { Finding } from '../../core/finding.ts';
import { type Message, say } from '../../core/message.ts';
import type { ArgsForm } from '../../vllm/read-args.ts';

/** A word as a shell, or YAML, would hand it to a program. */
export interface Word {
  readonly text: string;
  /** What only a shell could fill in, as it was written: `$PORT`, `$(nproc)`. */
  readonly open?: string;
  /** Count from 1; only of files. */
  readonly line?: number;
  readonly column?: number;
}

export interface Variable {
  readonly name: string;
  /** Absent: taken over from outside (`docker run -e NAME`). */
  readonly value?: Word;
}

/** A setting of a profile that stood outside of vLLM's own words. */
export interface Given {
  readonly path: string;
  readonly value: unknown;
  readonly word: Word;
}

/** A directory of this machine, and what it is called inside of the container; a named volume has no place here. */
export interface Mount {
  readonly from: string;
  readonly to: string;
}

export interface Publish {
  readonly host?: string;
  readonly port: number;
  readonly inside: number;
  readonly word: Word;
}

/** What a container gives its engine. */
export interface Container {
  readonly image: Word;
  readonly mounts: readonly Mount[];
  readonly ports: readonly Publish[];
  /** It has the machine's own network. */
  readonly hostNetwork: boolean;
}

export type LaunchKind = 'vllm' | 'docker' | 'compose' | 'config';

export interface Launch {
  readonly kind: LaunchKind;
  readonly form: ArgsForm;
  /** Behind `vllm serve`. */
  readonly args: readonly Word[];
  readonly env: readonly Variable[];
  readonly given: readonly Given[];
  readonly container?: Container;
}

export interface Dropped {
  /** As it was written; never a secret. */
  readonly text: string;
  readonly why: Message;
}

/** Collects what is said on the way. */
export interface Notes {
  readonly dropped: Dropped[];
  readonly findings: Finding[];
}

export function drop({ dropped }: Notes, text: string, why: Message): void {
  const safe = toSafeText(text);
  if (!dropped.some((one) => one.text === safe && one.why.id === why.id)) dropped.push({ text: safe, why });
}

export function find({ findings }: Notes, word: Word | undefined, finding: Omit<Finding, 'file' | 'line' | 'column' | 'evidence'>): void {
  findings.push({ ...finding, ...toPlace(word) });
}

/** There is no engine in it. */
export function toNothing(message: Message) {
  return { code: 'profile/import-nothing', severity: 'error', message, hint: say('import.hint.sources') } as const;
}

/** The place of a word in its file, and the word itself. */
export function toPlace(word: Word | undefined): Pick<Finding, 'line' | 'column' | 'evidence'> {
  if (word === undefined) return {};
  const { line, column, text } = word;
  return {
    ...(line === undefined ? {} : { line }),
    ...(column === undefined ? {} : { column }),
    ...(text === '' ? {} : { evidence: toSafeText(text) }),
  };
}

/** The same place under another name, for what must not be shown. */
export function toNamed({ text: _, open: __, ...place }: Word, text: string): Word {
  return { text, ...place };
}

const longestShown = 120;

/** Tokens and keys are not shown, wherever they stand. */
function toSafeText(text: string): string {
  const safe = text
    .replace(/\b(hf|sk|ghp|gho|xox[bp])([_-])[A-Za-z0-9_-]{6,}/g, '$1$2…')
    .replace(/\b(\w*(?:TOKEN|API_?KEY|SECRET|PASSW(?:OR)?D))([=:]\s*)(?!env:|file:|\$)[^\s,]+/gi, '$1$2…')
    .replace(/(--?[\w-]*(?:api[-_]?key|token|password|secret)[= ]+)\S+/gi, '$1…')
    .replace(/\s+/g, ' ');
  return safe.length > longestShown ? `${safe.slice(0, longestShown - 1)}…` : safe;
}
