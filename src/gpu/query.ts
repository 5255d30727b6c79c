/**
 * Asks the machine for its NVIDIA GPUs. Three answers and never a fourth: they are there, there are none, or there
 * are signs of one that does not answer. A hanging or failing nvidia-smi is no proof that there is no GPU.
 */
import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { say } from '../core/message.ts';
import { type RunResult, runProgram } from '../host/exec.ts';
import type { GpuObservation } from './gpu.ts';
import { type ParsedGpus, parseCudaVersion, parseGpuCsv } from './parse.ts';

export interface ObserveGpusOptions {
  /** Where device files and /sys are looked for; `/` but for tests. */
  readonly root?: string;
  /** A GPU in a bad state makes nvidia-smi hang. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export async function observeGpus(env: NodeJS.ProcessEnv, options: ObserveGpusOptions = {}): Promise<GpuObservation> {
  const { root = '/', timeoutMs = 10_000, signal } = options;
  const run: RunSmi = (args) => runSmi(args, { root, env, timeoutMs, ...(signal ? { signal } : {}) });
  const [asked, plain, signs] = await Promise.all([query(run), run([]), readSigns(root)]);
  const { result, parsed } = asked;
  if (parsed.gpus.length > 0) {
    const driverVersion = parsed.gpus.find((gpu) => gpu.driverVersion !== undefined)?.driverVersion;
    const cudaVersion = parseCudaVersion(plain.stdout);
    return { is: 'present', gpus: parsed.gpus, ...(driverVersion ? { driverVersion } : {}), ...(cudaVersion ? { cudaVersion } : {}) };
  }
  if (result.problem === 'ENOENT') {
    const evidence = say('gpu.no-smi');
    return signs.length === 0 ? { is: 'absent', evidence } : { is: 'silent', signs, evidence };
  }
  const said = parsed.problem ?? result.stderr.split('\n')[0] ?? '';
  if (/^No devices were found/.test(said) && signs.length === 0) return { is: 'absent', evidence: say('gpu.smi-said', { said }) };
  return { is: 'silent', signs: ['nvidia-smi', ...signs], evidence: toEvidence(result, { said, timeoutMs }) };
}

type RunSmi = (args: readonly string[]) => Promise<RunResult>;

const fields = ['index', 'uuid', 'name', 'memory.total', 'memory.used', 'memory.free', 'driver_version'];

/** Drivers before 510 do not know `compute_cap` and then answer nothing at all, so they are asked again without. */
async function query(run: RunSmi): Promise<{ readonly result: RunResult; readonly parsed: ParsedGpus }> {
  const ask = async (asked: readonly string[]) => {
    const result = await run([`--query-gpu=${asked.join(',')}`, '--format=csv']);
    return { result, parsed: parseGpuCsv(result.stdout) };
  };
  const first = await ask([...fields, 'compute_cap']);
  return first.parsed.unknownField ? ask(fields) : first;
}

interface RunSmiOptions {
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** On Windows' Linux subsystem it lies beside PATH. */
async function runSmi(args: readonly string[], { root, ...options }: RunSmiOptions): Promise<RunResult> {
  const result = await runProgram('nvidia-smi', args, options);
  if (result.problem !== 'ENOENT') return result;
  const besides = join(root, 'usr/lib/wsl/lib/nvidia-smi');
  return (await exists(besides)) ? runProgram(besides, args, options) : result;
}

function toEvidence(result: RunResult, { said, timeoutMs }: { readonly said: string; readonly timeoutMs: number }) {
  if (result.problem === 'ETIMEDOUT') return say('gpu.smi-hangs', { seconds: Math.round(timeoutMs / 1000) });
  if (said !== '') return say('gpu.smi-said', { said });
  return say('gpu.smi-failed', { how: result.problem ?? result.signal ?? result.code ?? '?' });
}

/** What a GPU leaves on a machine besides a working nvidia-smi: device files, driver, PCI functions. */
async function readSigns(root: string): Promise<readonly string[]> {
  const devices = (await listNames(join(root, 'dev'))).filter((name) => /^nvidia(\d+|ctl)$/.test(name)).map((name) => `/dev/${name}`);
  const places = ['/proc/driver/nvidia', '/sys/module/nvidia'];
  const found = await Promise.all(places.map(async (path) => ((await exists(join(root, path))) ? [path] : [])));
  return [...devices, ...found.flat(), ...(await readPciSigns(root))];
}

/** Display devices (class 03) of NVIDIA (vendor 10de). */
async function readPciSigns(root: string): Promise<readonly string[]> {
  const directory = join(root, 'sys/bus/pci/devices');
  const signs = await Promise.all(
    (await listNames(directory)).map(async (slot) => {
      const [vendor, kind] = await Promise.all(
        ['vendor', 'class'].map((name) => readFile(join(directory, slot, name), 'utf8').catch(() => '')),
      );
      return vendor?.trim() === '0x10de' && kind?.startsWith('0x03') ? [`PCI ${slot}`] : [];
    }),
  );
  return signs.flat();
}

async function listNames(directory: string): Promise<readonly string[]> {
  // A directory that is not there, or not ours to read, shows no signs.
  return readdir(directory).catch(() => []);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
