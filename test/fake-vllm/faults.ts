/** The switches of the stand-in: from the variable FAKE_VLLM at its start, and from POST /__fault while it runs. */
import { parseDurationMs } from '../../src/core/units.ts';

export interface Faults {
  readonly startDelayMs: number;
  /** Extra time before a phase's lines; `Infinity`: the phase never comes. */
  readonly phaseMs: Readonly<Record<string, number>>;
  /** New lines, or nothing but work of the processor, for so long before a phase's lines. */
  readonly dripMs: Readonly<Record<string, number>>;
  readonly spinMs: Readonly<Record<string, number>>;
  /** Before `loading` a model is fetched for so long; `stalls`: the first time it never ends. */
  readonly download: { readonly ms: number; readonly stalls: boolean } | undefined;
  readonly exitAt: { readonly phase: string; readonly code: number } | undefined;
  /** Printed on stderr before the exit of `exit`. */
  readonly stderr: string;
  /** Settings of the command line that it does not start with: `kind:value` of refusals.ts. */
  readonly refuse: readonly string[];
  readonly oomAt: string | undefined;
  readonly exitAfter: { readonly ms: number; readonly code: number } | undefined;
  readonly deathMs: number;
  readonly workerLingerMs: number;
  readonly hang: boolean;
  readonly frozenMetrics: boolean;
  readonly zeroGauges: boolean;
  readonly metrics: string | undefined;
  readonly healthDelayMs: number;
  readonly healthStatus: number | undefined;
  readonly inference: { readonly status: number; readonly times: number } | undefined;
  readonly chatStatus: number | undefined;
  readonly crashOn: string | undefined;
  readonly servedName: string | undefined;
  readonly ignoreSigterm: boolean;
  readonly swallowSigterm: boolean;
  readonly stopDelayMs: number;
  readonly hangOnClients: boolean;
  readonly orphan: boolean;
  readonly keepPort: boolean;
  readonly floodPerSecond: number;
  readonly printSecrets: boolean;
  readonly stuckOn: string | undefined;
  readonly asleep: boolean;
  /** What `/is_paused` says; undefined: there is no such route, as without vLLM's developer mode. */
  readonly suspended: string | undefined;
}

export type RawFaults = Readonly<Record<string, unknown>>;

/** JSON, or `name=value` pairs and bare names separated by commas or spaces. Throws for a name that is no switch. */
export function parseFaultText(text: string): RawFaults {
  if (text.trimStart().startsWith('{')) return checkNames(JSON.parse(text));
  const pairs = text.split(/[\s,]+/).filter((word) => word !== '');
  return checkNames(
    Object.fromEntries(
      pairs.map((word) => {
        const at = word.indexOf('=');
        return at < 0 ? [word, true] : [word.slice(0, at), word.slice(at + 1)];
      }),
    ),
  );
}

export function toFaults(raw: RawFaults): Faults {
  const text = (name: string) => (isOn(raw[name]) ? String(raw[name]) : undefined);
  const duration = (name: string, otherwise: number) => toMs(text(name)) ?? otherwise;
  const on = (name: string) => isOn(raw[name]) && raw[name] !== 'false';
  const status = (name: string) => (isOn(raw[name]) ? Number(raw[name]) : undefined);
  const exitAt = splitPair(text('exit'));
  const exitAfter = splitPair(text('exitAfter'));
  const inference = splitPair(text('inference'));
  const download = splitPair(text('download'));
  return {
    startDelayMs: duration('startDelay', 0),
    phaseMs: toPhases(raw['phase']),
    dripMs: toPhases(raw['drip']),
    spinMs: toPhases(raw['spin']),
    download: download && { ms: toMs(download[0]) ?? 0, stalls: download[1] === 'stalls' },
    exitAt: exitAt && { phase: exitAt[0], code: Number(exitAt[1] ?? 1) },
    stderr: text('stderr') ?? '',
    refuse: Array.isArray(raw['refuse']) ? raw['refuse'].map(String) : (text('refuse')?.split('+') ?? []),
    oomAt: raw['oom'] === true ? 'loading' : text('oom'),
    exitAfter: exitAfter && { ms: toMs(exitAfter[0]) ?? 0, code: Number(exitAfter[1] ?? 1) },
    deathMs: duration('deathTime', 300),
    workerLingerMs: duration('workerLinger', 300),
    hang: on('hang'),
    frozenMetrics: on('frozenMetrics'),
    zeroGauges: on('zeroGauges'),
    metrics: text('metrics'),
    healthDelayMs: duration('healthDelay', 0),
    healthStatus: status('healthStatus'),
    inference: inference && { status: Number(inference[0]), times: Number(inference[1] ?? Number.POSITIVE_INFINITY) },
    chatStatus: status('chat'),
    crashOn: text('crashOn'),
    servedName: text('servedName'),
    ignoreSigterm: on('ignoreSigterm'),
    swallowSigterm: on('swallowSigterm'),
    stopDelayMs: duration('stopDelay', 0),
    hangOnClients: on('hangOnClients'),
    orphan: on('orphan'),
    keepPort: on('keepPort'),
    floodPerSecond: Number(text('flood') ?? 0),
    printSecrets: on('printSecrets'),
    stuckOn: text('stuckOn'),
    asleep: on('asleep'),
    suspended: text('suspended'),
  };
}

const names: readonly string[] = [
  ...['startDelay', 'phase', 'exit', 'stderr', 'oom', 'exitAfter', 'deathTime', 'workerLinger', 'hang', 'frozenMetrics', 'zeroGauges'],
  ...['metrics', 'healthDelay', 'healthStatus', 'inference', 'chat', 'crashOn', 'servedName', 'ignoreSigterm', 'swallowSigterm'],
  ...['stopDelay', 'hangOnClients', 'orphan', 'keepPort', 'flood', 'printSecrets', 'stuckOn', 'asleep', 'suspended'],
  ...['drip', 'spin', 'download', 'refuse'],
  // Acts, only while it runs.
  ...['kill', 'exitNow', 'resetCounters', 'eat'],
];

/** A misspelt switch would be a test that cannot fail. */
function checkNames(value: unknown): RawFaults {
  if (typeof value !== 'object' || value === null) throw new Error(`not a set of switches: ${JSON.stringify(value)}`);
  const unknown = Object.keys(value).filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new Error(`unknown switch ${unknown.join(', ')}; there are ${names.join(', ')}`);
  return { ...value };
}

function isOn(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false;
}

/** `loading:5s` or `loading:silent` (or `forever`), or a list of them. */
function toPhases(value: unknown): Faults['phaseMs'] {
  const words = Array.isArray(value) ? value.map(String) : isOn(value) ? [String(value)] : [];
  return Object.fromEntries(
    words.map((word) => {
      const [phase, time] = splitPair(word) ?? [word, undefined];
      return [phase, time === 'silent' || time === 'forever' ? Number.POSITIVE_INFINITY : (toMs(time) ?? 0)];
    }),
  );
}

function splitPair(text: string | undefined): readonly [string, string | undefined] | undefined {
  if (text === undefined) return undefined;
  const [first = '', second] = text.split(':');
  return [first, second];
}

function toMs(text: string | undefined): number | undefined {
  return text === undefined ? undefined : (parseDurationMs(text) ?? Number(text));
}
