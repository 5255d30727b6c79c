/**
 * Asks the machine for its NVIDIA GPUs. Three answers and never a fourth: they are there, there are none, or there
 * are signs of one that does not answer. A hanging or failing nvidia-smi is no proof that there is no GPU.
 *
 * What is asked, in this order, each alone because each may fail alone:
 * 1. CSV with the fields that every driver since 390 knows. One unknown field spoils a whole query, so
 * 2. `compute_cap` and `memory.reserved`, which came with 510, are asked apart.
 * 3. `plan`: the plain table, the only place of the CUDA version that old drivers have too; it shows slices and processes.
 *    `health`: `-q -x` instead of five more CSV queries. It has no field that could be unknown, its DTD is versioned
 *    while NVIDIA keeps no text output stable, and without persistence mode each call may take a second for each GPU.
 * 4. `-L` where a GPU is in slices: only there stand their UUIDs.
 */
import type { Finding } from '../core/finding.ts';
import { type Message, say } from '../core/message.ts';
import type { RunResult } from '../host/exec.ts';
import type { Gpu, GpuObservation } from './gpu.ts';
import { findSmi, runSmi } from './program.ts';
import { mergeGpus } from './smi/merge.ts';
import type { SmiGpu, SmiReading } from './smi/reading.ts';
import { parseSmi, toObservation } from './smi.ts';
import { listDriverGpus, observeGpuSigns } from './sysfs.ts';

export interface ObserveGpusOptions {
  /** Where device files, /sys and /proc are looked for; `/` but for tests. */
  readonly root?: string;
  /** For all questions together: a GPU in a bad state makes nvidia-smi hang. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** `plan`: what deciding a launch needs, in three calls. `health`: all there is. */
  readonly depth?: 'plan' | 'health';
}

export async function observeGpus(env: NodeJS.ProcessEnv, options: ObserveGpusOptions = {}): Promise<GpuObservation> {
  const { root = '/', timeoutMs = 10_000, signal, depth = 'plan' } = options;
  const deadline = performance.now() + timeoutMs;
  const [program, signs] = await Promise.all([findSmi(env, root), observeGpuSigns(root)]);
  if (program.is === 'none') {
    const evidence = say('gpu.no-smi');
    return signs.length === 0 ? { is: 'absent', evidence } : { is: 'silent', signs, evidence };
  }
  const { path } = program;
  if (program.is === 'not-executable')
    return { is: 'silent', signs: ['nvidia-smi', ...signs], evidence: say('gpu.smi-not-executable', { path }) };
  const ask: Ask = async (args) => {
    const result = await runSmi(path, args, { env, deadline, ...(signal ? { signal } : {}) });
    // The last line's end is taken off by whoever runs programs; one that was killed may have printed half a line.
    const text = result.code === undefined ? result.stdout : `${result.stdout}\n`;
    return { result, reading: await parseSmi(text, toParseOptions(args, result)) };
  };
  const told = program.problems.length > 0 ? { problems: program.problems } : {};
  const first = await askBasics(ask, root);
  if (first.gpus.length === 0) {
    const { result, reading } = first.answer;
    const evidence = toEvidence(result, reading, timeoutMs);
    if (reading.errorKind === 'no-devices' && signs.length === 0) return { is: 'absent', evidence, ...told };
    return { is: 'silent', signs: ['nvidia-smi', ...signs], evidence, ...told };
  }
  const all = await askRest(ask, first, depth);
  return toPresent(all, { timeoutMs, problems: [...program.problems, ...first.answer.reading.problems] });
}

/**
 * One question for all that a running deployment's GPUs have to say: memory, who holds it, clocks, what has to be done.
 * `none`: it says itself that there is no GPU, or no driver yet. `lost`: one does not answer its driver any more.
 */
export type GpuDetails =
  | { readonly is: 'read'; readonly gpus: readonly Gpu[]; readonly lost?: true }
  | { readonly is: 'none' | 'hangs' | 'unread'; readonly evidence: Message; readonly lost?: true };

export async function observeGpuDetails(env: NodeJS.ProcessEnv, options: Omit<ObserveGpusOptions, 'depth'> = {}): Promise<GpuDetails> {
  const { root = '/', timeoutMs = 10_000, signal } = options;
  const program = await findSmi(env, root);
  if (program.is === 'none') return { is: 'unread', evidence: say('gpu.no-smi') };
  if (program.is === 'not-executable') return { is: 'unread', evidence: say('gpu.smi-not-executable', { path: program.path }) };
  const args = ['-q', '-x'];
  const deadline = performance.now() + timeoutMs;
  const result = await runSmi(program.path, args, { env, deadline, ...(signal ? { signal } : {}) });
  const reading = await parseSmi(result.code === undefined ? result.stdout : `${result.stdout}\n`, toParseOptions(args, result));
  const observed = toObservation(reading);
  const lost = reading.errorKind === 'gpu-is-lost' ? ({ lost: true } as const) : {};
  if (result.problem === 'ETIMEDOUT') return { is: 'hangs', evidence: toEvidence(result, reading, timeoutMs) };
  if (observed.is === 'present') return { is: 'read', gpus: observed.gpus, ...lost };
  const isNone = reading.errorKind === 'no-devices' || reading.errorKind === 'driver-not-loaded';
  return { is: isNone ? 'none' : 'unread', evidence: toEvidence(result, reading, timeoutMs), ...lost };
}

interface Answer {
  readonly result: RunResult;
  readonly reading: SmiReading;
}

type Ask = (args: readonly string[]) => Promise<Answer>;

function toParseOptions(args: readonly string[], { code }: RunResult) {
  return { command: `nvidia-smi ${args.join(' ')}`, ...(code === undefined ? {} : { exitCode: code }) };
}

const basics = [
  ...['index', 'uuid', 'name', 'pci.bus_id', 'driver_version', 'memory.total', 'memory.used', 'memory.free', 'utilization.gpu'],
  ...['temperature.gpu', 'power.draw', 'power.limit', 'pstate', 'persistence_mode', 'compute_mode', 'display_active'],
  ...['ecc.mode.current', 'pcie.link.gen.current', 'pcie.link.width.current'],
];
/** For those that are older still, or that are nobody's idea of a graphics card. */
const least = ['index', 'uuid', 'name', 'memory.total', 'memory.used', 'memory.free', 'driver_version'];
const capability = ['index', 'uuid', 'compute_cap', 'memory.reserved'];

function toQuery(fields: readonly string[]): readonly string[] {
  return [`--query-gpu=${fields.join(',')}`, '--format=csv'];
}

interface Basics {
  readonly answer: Answer;
  readonly gpus: readonly SmiGpu[];
  /** One GPU that fails takes others with it in a joint question, so each is asked alone. */
  readonly apart: boolean;
}

async function askBasics(ask: Ask, root: string): Promise<Basics> {
  const full = await ask(toQuery(basics));
  const answer = full.reading.errorKind === 'field-invalid' ? await ask(toQuery(least)) : full;
  const { gpus, errorKind } = answer.reading;
  const apart = errorKind === 'device-handle-unknown-error' || errorKind === 'gpu-is-lost';
  const named = gpus.filter(({ name }) => name !== undefined);
  if (!apart) return { answer, gpus: named, apart };
  const listed = await ask(['-L']);
  const uuids = listed.reading.gpus.flatMap(({ uuid }) => uuid ?? []);
  const ids = uuids.length > 0 ? uuids : await listDriverGpus(root);
  const unread = ids.filter((id) => !named.some(({ uuid, busId }) => uuid === id || busId?.toLowerCase().endsWith(id.toLowerCase())));
  const more = await askEach(ask, unread, toQuery(basics));
  const found = more.flatMap(({ reading }) => reading.gpus).filter(({ name }) => name !== undefined);
  return { answer, gpus: [...named, ...found].toSorted((one, other) => one.index - other.index), apart };
}

/** One after the other: two nvidia-smi at a time slow each other down, or hang together. */
async function askEach(ask: Ask, ids: readonly string[], args: readonly string[]): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  for (const id of ids) answers.push(await ask([...args, '-i', id]));
  return answers;
}

interface Rest {
  readonly gpus: readonly SmiGpu[];
  readonly cudaVersion?: string;
  /** The first question after the basics that was not answered in time. */
  readonly stopped?: Answer;
}

async function askRest(ask: Ask, { gpus: named, apart }: Basics, depth: 'plan' | 'health'): Promise<Rest> {
  const ids = named.flatMap(({ uuid }) => uuid ?? []);
  const answers: Answer[] = [];
  let gpus = named;
  const add = async (args: readonly string[]) => {
    // Once it hangs, each further question would only wait for the same end.
    if (answers.some(isTimeout)) return;
    const given = apart && ids.length > 0 ? await askEach(ask, ids, args) : [await ask(args)];
    answers.push(...given);
    for (const { reading } of given) gpus = mergeGpus(gpus, reading.gpus, { indexed: reading.dialect !== 'xml' });
  };
  await add(toQuery(capability));
  if (depth === 'health') await add(['-q', '-x']);
  const detailed = answers.some(({ reading }) => reading.dialect === 'xml' && reading.gpus.length > 0);
  if (!detailed) await add([]);
  if (gpus.some(({ mig }) => mig?.enabled)) await add(['-L']);
  const cudaVersion = answers.find(({ reading }) => reading.cudaVersion !== undefined)?.reading.cudaVersion;
  const stopped = answers.find(isTimeout);
  return { gpus, ...(cudaVersion ? { cudaVersion } : {}), ...(stopped ? { stopped } : {}) };
}

function isTimeout({ result }: Answer): boolean {
  return result.problem === 'ETIMEDOUT';
}

interface PresentOptions {
  readonly timeoutMs: number;
  readonly problems: readonly Finding[];
}

function toPresent({ gpus, cudaVersion, stopped }: Rest, { timeoutMs, problems }: PresentOptions): GpuObservation {
  const why = stopped ? toEvidence(stopped.result, stopped.reading, timeoutMs) : undefined;
  const halted: readonly Finding[] = why
    ? [{ code: 'gpu/smi-stopped', severity: 'warning', message: say('gpu.smi-stopped', { why }) }]
    : [];
  const all = { dialect: 'csv', kind: 'ok', gpus, failedBusIds: [], problems: [...problems, ...halted] } as const;
  return toObservation({ ...all, ...(cudaVersion ? { cudaVersion } : {}) });
}

function toEvidence(result: RunResult, reading: SmiReading, timeoutMs: number): Message {
  if (result.problem === 'ETIMEDOUT') return say('gpu.smi-hangs', { seconds: Math.round(timeoutMs / 1000) });
  if (reading.errorKind === 'binary') return say('gpu.smi-binary');
  if (reading.errorKind === 'too-long') return say('gpu.smi-too-long', { most: reading.said ?? '' });
  const said = reading.said ?? result.stderr.split('\n')[0]?.trim() ?? '';
  return said === ''
    ? say('gpu.smi-failed', { how: result.problem ?? result.signal ?? result.code ?? '?' })
    : say('gpu.smi-said', { said });
}
