/**
 * What containers, orchestrators and loggers put around a line of a log. Each format takes its own lines apart and
 * knows nothing of others; which one it is in a file, the majority of lines decides (unwrap.ts).
 */

export type FormatId =
  | 'docker-json'
  | 'journald-json'
  | 'qwen-deploy-json'
  | 'cri'
  | 'kubectl-prefix'
  | 'journald'
  | 'compose'
  | 'stamped'
  | 'grep';

export interface Peeled {
  readonly text: string;
  /** Whose line it is, where the format says so; absent where it belongs to all. */
  readonly source?: string;
  /** `stdout`, `stderr`: pieces of a line are put together within one of them. */
  readonly stream?: string;
  /** Whether the line goes on in a later one. */
  readonly ends: 'here' | 'later' | 'unsaid';
  /** Characters in front of the text; lines that go on in a journal are indented by as many. */
  readonly width?: number;
}

export interface Format {
  readonly id: FormatId;
  /** Undefined where the line is none of its own. */
  readonly peel: (line: string) => Peeled | undefined;
}

/** Of two that fit equally many lines, the first one is taken: it says more. */
export const formats: readonly Format[] = [
  { id: 'docker-json', peel: peelDockerJson },
  { id: 'journald-json', peel: peelJournalJson },
  { id: 'qwen-deploy-json', peel: peelOwnJson },
  { id: 'cri', peel: peelCri },
  { id: 'kubectl-prefix', peel: peelKubectl },
  { id: 'journald', peel: peelJournal },
  { id: 'compose', peel: peelCompose },
  { id: 'stamped', peel: peelStamp },
  { id: 'grep', peel: peelGrep },
];

/** Whether a line could be of one of the formats: cheap, for lines of a log that has none. */
export function looksWrapped(line: string): boolean {
  return sniff.test(line);
}

const months = '(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)';
const clock = String.raw`\d\d:\d\d:\d\d(?:[.,]\d{1,9})?`;
const zone = String.raw`(?:Z|[+-]\d\d:?\d\d)`;
const iso = String.raw`\d{4}-\d\d-\d\d[T ]${clock}`;

/** In front of what a terminal was to see. Written this way because a pattern may not hold the character itself. */
const color = String.raw`(?:\x1b\[[\d;]*m)`;
const colorsInFront = new RegExp(`^${color}+`);

const sniff = new RegExp(
  String.raw`^(?:\{\s*"(?:log|stream|time|attrs|kind|line|labels|[A-Z_]{3})|\[pod\/|\[ *\d+\.\d+\] |\d{4}-\d\d-\d\d[T ]|\d{1,10}[:-]\S|\d{10}\.\d|${months} [ \d]\d |[A-Z][a-z]{2} \d{4}-|${color}*[\w.-]+ +\|(?: |$))`,
);

const criPattern = new RegExp(String.raw`^\d{4}-\d\d-\d\dT${clock}${zone} (stdout|stderr) ([FP])(?:[:\w]*)(?: |$)`);
const kubectlPattern = /^\[pod\/([\w.-]+\/[\w.-]+)\] ?/;
const composePattern = /^([A-Za-z0-9][\w.-]*) +\|(?: |$)/;
const stampPattern = new RegExp(
  String.raw`^(?:${iso} ?${zone}? ?\| ?|\d{4}-\d\d-\d\dT${clock}${zone}(?: (?!std(?:out|err) [FP] )|$)|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? (?!- ))`,
);
/** Dates and times begin like it. */
const grepPattern = /^\d{1,10}[:-](?=\S)(?!\d\d[:-]\d\d)/;
/** Behind an ISO time only what has a pid: any stamped line may have a word with a colon behind it. */
const journalPattern = new RegExp(
  String.raw`^(?:(?:${months} [ \d]\d ${clock}|[A-Z][a-z]{2} \d{4}-\d\d-\d\d ${clock} [\w+:-]+|\d{10}\.\d+|\[ *\d+\.\d+\]) \S+ ([^\s:[\]]+)(?:\[\d+\])?|\d{4}-\d\d-\d\dT${clock}${zone} \S+ (?:([^\s:[\]]+)\[\d+\]|(kernel))): ?`,
);

/** Their lines are about all that runs on the machine. */
const ofTheMachine = /^(?:kernel|systemd|dockerd|containerd|kubelet|k3s|crio|nvidia|nv-|init$)/;

/** Docker's own files, and collectors that copy them: the text ends where its end of line stands. */
function peelDockerJson(line: string): Peeled | undefined {
  if (!line.startsWith('{')) return undefined;
  const record = parseRecord(line) ?? salvage(line);
  const text = record?.['log'] ?? record?.['line'];
  if (typeof text !== 'string') return undefined;
  const stream = record?.['stream'];
  const ends = text.endsWith('\n') ? 'here' : 'unsaid';
  return { text: text.replace(/\r?\n$/, ''), ends, ...(typeof stream === 'string' ? { stream } : {}) };
}

/** The last record of a file that was cut. */
function salvage(line: string): Readonly<Record<string, unknown>> | undefined {
  const cut = /^\{\s*"log":"([^"\\]*(?:\\.[^"\\]*)*)/.exec(line)?.[1];
  return cut === undefined ? undefined : parseRecord(`{"log":"${cut}"}`);
}

/** `journalctl -o json`. What is not UTF-8 stands there as a list of bytes. */
function peelJournalJson(line: string): Peeled | undefined {
  if (!line.startsWith('{') || !line.includes('"MESSAGE"')) return undefined;
  const record = parseRecord(line);
  if (record === undefined || !Object.hasOwn(record, 'MESSAGE')) return undefined;
  const message = record['MESSAGE'];
  const text = Array.isArray(message) ? Buffer.from(message.filter((byte) => typeof byte === 'number')).toString() : message;
  const name = [record['CONTAINER_NAME'], record['_SYSTEMD_UNIT'], record['SYSLOG_IDENTIFIER']].find((one) => typeof one === 'string');
  const isShared = record['_TRANSPORT'] === 'kernel' || isOfTheMachine(record['SYSLOG_IDENTIFIER']);
  const isPartial = record['CONTAINER_PARTIAL_MESSAGE'] === 'true';
  return {
    text: typeof text === 'string' ? text : '',
    ends: isPartial ? 'later' : 'here',
    ...(typeof name === 'string' && !isShared ? { source: name } : {}),
  };
}

/** `qwen-deploy logs -o json`. */
function peelOwnJson(line: string): Peeled | undefined {
  if (!line.startsWith('{') || !line.includes('"LogLine"')) return undefined;
  const record = parseRecord(line);
  const text = record?.['text'];
  return record?.['kind'] === 'LogLine' && typeof text === 'string' ? { text, ends: 'here' } : undefined;
}

function peelCri(line: string): Peeled | undefined {
  const [whole, stream, part] = criPattern.exec(line) ?? [];
  if (whole === undefined || stream === undefined) return undefined;
  return { text: line.slice(whole.length), stream, ends: part === 'P' ? 'later' : 'here' };
}

function peelKubectl(line: string): Peeled | undefined {
  const [whole, source] = kubectlPattern.exec(line) ?? [];
  return whole === undefined || source === undefined ? undefined : { text: line.slice(whole.length), source, ends: 'here' };
}

function peelCompose(line: string): Peeled | undefined {
  const plain = line.startsWith('\x1b') ? line.replace(colorsInFront, '') : line;
  const [whole, source] = composePattern.exec(plain) ?? [];
  if (whole === undefined || source === undefined) return undefined;
  return { text: plain.slice(whole.length).replace(colorsInFront, ''), source, ends: 'here' };
}

/** The text forms of `journalctl`, and syslog's. */
function peelJournal(line: string): Peeled | undefined {
  const [whole, ...names] = journalPattern.exec(line) ?? [];
  if (whole === undefined) return undefined;
  const name = names.find((one) => one !== undefined);
  const source = isOfTheMachine(name) || name === undefined ? {} : { source: name };
  return { text: line.slice(whole.length), ends: 'here', width: whole.length, ...source };
}

/** `docker logs -t`, `kubectl logs --timestamps`, and what CI systems write. */
function peelStamp(line: string): Peeled | undefined {
  const whole = stampPattern.exec(line)?.[0];
  return whole === undefined ? undefined : { text: line.slice(whole.length), ends: 'here' };
}

/** Lines that somebody picked with `grep -n`. */
function peelGrep(line: string): Peeled | undefined {
  const whole = grepPattern.exec(line)?.[0];
  return whole === undefined ? undefined : { text: line.slice(whole.length), ends: 'here' };
}

function isOfTheMachine(name: unknown): boolean {
  return typeof name === 'string' && ofTheMachine.test(name);
}

/** Undefined where it is not one JSON object. */
function parseRecord(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    // cut, or of somebody else
    return undefined;
  }
}
