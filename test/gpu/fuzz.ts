/**
 * Damages captures of nvidia-smi and looks for two things that must never come of it: a crash, and a value that the
 * damaged text does not have. Always the same for the same seed.
 */
import { stripVTControlCharacters } from 'node:util';
import type { SmiGpu, SmiReading } from '../../src/gpu/smi/reading.ts';
import { parseSmi, toObservation } from '../../src/gpu/smi.ts';
import { createRandom, type Random } from '../profile/mutate.ts';

export interface FuzzInput {
  readonly id: string;
  readonly text: string;
  readonly command: string;
}

export interface FuzzResult {
  readonly runs: number;
  /** Numbers that were compared with the texts that they came from. */
  readonly numbers: number;
  /** Runs in which at least one GPU was still found. */
  readonly withGpu: number;
  readonly failures: readonly { readonly input: string; readonly run: number; readonly why: string }[];
}

export interface FuzzOptions {
  readonly runs: number;
  readonly seed: number;
}

export async function fuzzSmi(inputs: readonly FuzzInput[], { runs, seed }: FuzzOptions): Promise<FuzzResult> {
  const random = createRandom(seed);
  const failures: { input: string; run: number; why: string }[] = [];
  let numbers = 0;
  let withGpu = 0;
  for (let run = 0; run < runs; run += 1) {
    const input = inputs[run % inputs.length] as FuzzInput;
    const text = damage(input.text, { others: inputs, random });
    try {
      const reading = await parseSmi(text, { command: input.command });
      toObservation(reading);
      const wrong = findInvented(reading, text);
      numbers += wrong.checked;
      if (reading.gpus.length > 0) withGpu += 1;
      failures.push(...wrong.found.map((why) => ({ input: input.id, run, why })));
    } catch (error) {
      failures.push({ input: input.id, run, why: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  }
  return { runs, numbers, withGpu, failures };
}

/** What an output that ends too early says of a GPU must be what the whole one says of it. */
export async function findCutDifferences({ text, command }: FuzzInput, length: number): Promise<readonly string[]> {
  const [whole, cut] = await Promise.all([parseSmi(text, { command }), parseSmi(text.slice(0, length), { command })]);
  return cut.gpus.flatMap((gpu) => {
    const same = whole.gpus.find(({ index }) => index === gpu.index);
    return Object.entries(toComparable(gpu)).flatMap(([key, value]) => {
      const full = toComparable(same ?? { index: -1 })[key];
      return contains(full, value) ? [] : [`${length}: gpus[${gpu.index}].${key} is ${JSON.stringify(value)} of ${JSON.stringify(full)}`];
    });
  });
}

/** Names at the end of a line may be cut, and nothing shows it; the power is an average where the other figure is lost. */
const uncertain = ['problems', 'missing', 'name', 'nameCut', 'memoryKind', 'powerW'];

function toComparable(gpu: SmiGpu): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(gpu).filter(([key]) => !uncertain.includes(key)));
}

/** Lists may be shorter, and parts may be absent. */
function contains(full: unknown, part: unknown): boolean {
  if (Array.isArray(part)) return Array.isArray(full) && part.every((one, at) => contains(full[at], one));
  if (typeof part !== 'object' || part === null) return full === part;
  return (
    typeof full === 'object' &&
    full !== null &&
    Object.entries(part).every(([key, one]) => contains((full as Record<string, unknown>)[key], one))
  );
}

interface DamageOptions {
  readonly others: readonly FuzzInput[];
  readonly random: Random;
}

function damage(text: string, options: DamageOptions): string {
  let changed = text;
  for (let count = 1 + Math.floor(options.random() * 3); count > 0; count -= 1) changed = pick(damages, options.random)(changed, options);
  return changed;
}

function pick<T>(list: readonly T[], random: Random): T {
  return list[Math.floor(random() * list.length)] as T;
}

function place(text: string, random: Random): number {
  return Math.floor(random() * (text.length + 1));
}

const odd = [
  ...'0123456789-.,:|/[]<>&%!=+ \t"\'',
  '\n',
  '\0',
  '\u001b[31m',
  '\uFFFD',
  'é',
  '\u0663',
  '\uFF11',
  'N/A',
  'ERR!',
  '1e9',
  '0x1F',
  '&lt;',
  ']]>',
];

const damages: readonly ((text: string, options: DamageOptions) => string)[] = [
  // cut at either end
  (text, { random }) => text.slice(0, place(text, random)),
  (text, { random }) => text.slice(place(text, random)),
  // lines that are lost, double, or in another order
  (text, { random }) =>
    text
      .split('\n')
      .filter(() => random() > 0.1)
      .join('\n'),
  (text, { random }) =>
    text
      .split('\n')
      .filter(() => random() > 0.01)
      .join('\n'),
  (text, { random }) =>
    text
      .split('\n')
      .flatMap((line) => (random() < 0.05 ? [line, line] : [line]))
      .join('\n'),
  (text, { random }) =>
    text
      .split('\n')
      .toSorted(() => random() - 0.5)
      .join('\n'),
  // two outputs in one
  (text, { others, random }) => {
    const at = place(text, random);
    return text.slice(0, at) + pick(others, random).text + text.slice(at);
  },
  (text, { others, random }) => {
    const other = pick(others, random).text.split('\n');
    return text
      .split('\n')
      .flatMap((line) => (random() < 0.2 ? [line, pick(other, random)] : [line]))
      .join('\n');
  },
  (text, { others, random }) => text.slice(0, place(text, random)) + pick(others, random).text.slice(place(text, random)),
  // characters that are lost, put in, or others
  ...[1, 5, 40].map((most) => (text: string, { random }: DamageOptions) => {
    let changed = text;
    for (let count = 1 + Math.floor(random() * most); count > 0; count -= 1) {
      const at = place(changed, random);
      changed = changed.slice(0, at) + (random() < 0.8 ? pick(odd, random) : '') + changed.slice(at + (random() < 0.7 ? 1 : 0));
    }
    return changed;
  }),
  (text, { random }) => text.replace(/\d/g, (digit) => (random() < 0.02 ? pick([...'0123456789 .x'], random) : digit)),
];

/** Keys whose words are ours. */
const ours = ['dialect', 'kind', 'errorKind', 'memoryKind', 'throttleReasons', 'problems', 'computeMode', 'missing', 'said'];
const entities = new Map([
  ['&lt;', '<'],
  ['&gt;', '>'],
  ['&amp;', '&'],
  ['&quot;', '"'],
  ['&apos;', "'"],
]);

interface Invented {
  readonly checked: number;
  readonly found: readonly string[];
}

function findInvented(reading: SmiReading, text: string): Invented {
  const plain = stripVTControlCharacters(text.replaceAll('\r\n', '\n'));
  const decoded = plain.replace(/&(?:lt|gt|amp|quot|apos);/g, (entity) => entities.get(entity) ?? entity);
  const printed = new Set((plain.match(/\d+(?:\.\d+)*/g) ?? []).flatMap((token) => [Number(token)]));
  const found: string[] = [];
  let checked = 0;
  const visit = (value: unknown, path: readonly string[]) => {
    const key = path.at(-1) ?? '';
    if (ours.includes(key)) return;
    if (typeof value === 'number') {
      checked += 1;
      if (!isPrinted(value, path)) found.push(`${path.join('.')} is ${value}`);
    } else if (typeof value === 'string') {
      if (!isText(value)) found.push(`${path.join('.')} is "${value}"`);
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, one] of Object.entries(value)) visit(one, [...path, name]);
    }
  };
  const isPrinted = (value: number, path: readonly string[]) => {
    const key = path.at(-1) ?? '';
    if (key.endsWith('Bytes')) return printed.has(value / 2 ** 20);
    if (key === 'uncorrectedVolatile') return printed.has(value) || toSums(plain).has(value);
    // The place in the list, where no index was printed.
    if (path[0] === 'gpus' && path.length === 3 && key === 'index') return printed.has(value) || reading.gpus.length > 0;
    if (path[0] === 'processes' && key === 'gpu') return printed.has(value) || reading.gpus.some(({ index }) => index === value);
    return printed.has(Math.abs(value));
  };
  // Names are put together again where they held what parts cells: commas in CSV, blanks in pmon.
  const isText = (value: string) => [plain, decoded].some((one) => one.includes(value) || one.replace(/\s+/g, ' ').includes(value));
  visit(reading, []);
  return { checked, found };
}

/** Of what newer drivers print in parts. */
function toSums(text: string): ReadonlySet<number> {
  const parts = text.split('\n').flatMap((line) => (/uncorrectable/i.test(line) ? (line.match(/\d+/g) ?? []).map(Number) : []));
  let sums = new Set([0]);
  for (const part of parts.slice(0, 12)) sums = new Set([...sums, ...[...sums].map((sum) => sum + part)]);
  return sums;
}
