/**
 * What an engine's log says of GPU memory while it starts. Wordings of 0.32 (v1/worker/gpu_worker.py,
 * gpu_model_runner.py), older ones beside them. Each of several GPUs prints its own. Pure.
 */
import { parseLogLine } from '../../vllm/log-line.ts';

/** Bytes, of one GPU: of several, weights of the fullest and cache of the one with the least room for it. */
export interface BootReport {
  readonly weightsBytes: number;
  readonly kvBytes: number;
  /** As CUDA saw it, and the share of it. */
  readonly totalBytes?: number;
  readonly budgetBytes?: number;
  /** Put aside for CUDA graphs; what they took where nothing was. */
  readonly graphBytes?: number;
  /** Without graphs. */
  readonly activationBytes?: number;
}

/** Undefined when it does not say what a plan needs: on a CPU, with an exact cache, or before it was measured. */
export function parseBootLog(lines: Iterable<string>): BootReport | undefined {
  const found: Found = { weights: [], kv: [], estimated: [], captured: [], usage: [] };
  for (const line of lines) readLine(parseLogLine(line).text, found);
  const { weights, kv, estimated, captured, usage } = found;
  if (weights.length === 0 || kv.length === 0) return undefined;
  const [graphs] = estimated.length > 0 ? estimated : captured.map((size) => Math.max(size, 0));
  const least = usage.toSorted((a, b) => a.budget - b.budget)[0];
  const peak = least && Math.max(...usage.map((one) => one.peak));
  // Since all that is consumed is counted in one, the peak holds the estimate for graphs as well.
  const activation = least && peak !== undefined ? Math.max(peak - (least.whole ? (estimated[0] ?? 0) : 0), 0) : undefined;
  return {
    weightsBytes: Math.max(...weights),
    kvBytes: Math.min(...kv),
    ...(least ? { totalBytes: least.total, budgetBytes: least.budget } : {}),
    ...(graphs === undefined ? {} : { graphBytes: graphs }),
    ...(activation === undefined ? {} : { activationBytes: activation }),
  };
}

interface Usage {
  readonly total: number;
  readonly budget: number;
  readonly peak: number;
  readonly whole: boolean;
}

interface Found {
  readonly weights: number[];
  readonly kv: number[];
  readonly estimated: number[];
  readonly captured: number[];
  readonly usage: Usage[];
}

const sizes = [
  { name: 'weights', pattern: /Model loading took ([\d.]+) GiB/ },
  { name: 'kv', pattern: /Available KV cache memory: (-?[\d.]+) GiB/ },
  { name: 'estimated', pattern: /Estimated CUDA graph memory: ([\d.]+) GiB total/ },
  { name: 'captured', pattern: /Graph capturing finished in [\d.]+ secs?, took (-?[\d.]+) GiB/ },
] as const;

const usagePattern =
  /Free memory on device \([\d.]+\/([\d.]+) GiB\) on startup\. Desired GPU memory utilization is \([\d.]+, ([\d.]+) GiB\)\. Actual usage is [\d.]+ GiB for ([^,]+), ([\d.]+) GiB for peak activation/;

function readLine(text: string, found: Found): void {
  for (const { name, pattern } of sizes) {
    const size = pattern.exec(text)?.[1];
    if (size !== undefined) found[name].push(toBytes(size));
  }
  const [, total, budget, what = '', peak] = usagePattern.exec(text) ?? [];
  if (total === undefined || budget === undefined || peak === undefined) return;
  found.usage.push({ total: toBytes(total), budget: toBytes(budget), peak: toBytes(peak), whole: what.startsWith('consumed') });
}

function toBytes(gibibytes: string): number {
  return Math.round(Number(gibibytes) * 2 ** 30);
}
