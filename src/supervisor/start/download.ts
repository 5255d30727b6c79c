/** Watches a model come from the hub: the bytes in its folder of the cache, whichever process fetches them. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readTextFile } from '../../host/files.ts';
import { inTurns } from '../../host/proc.ts';
import type { LaunchSpec } from '../../plan/launch-spec.ts';

export interface ModelFolder {
  /** What the cache holds of the model. */
  readonly doneBytes: number;
  /** A file is being fetched: one that is not complete has been written since the launch. */
  readonly fetching: boolean;
}

export interface DownloadNews {
  readonly doneBytes: number;
  readonly totalBytes?: number;
  readonly bytesPerSecond?: number;
}

/** How much more than the weights lies in the folder (tokenizer, configuration) before the weights' size is not believed. */
const besidesWeights = 1.05;
const fileBlockBytes = 512;

/**
 * Where the engine puts the model, by the environment that it really got; undefined where nothing is fetched: a model
 * that is a path, a simulator, a hub that may not be asked.
 */
export async function toModelDirectory(spec: LaunchSpec, env: Readonly<Record<string, string>>): Promise<string | undefined> {
  const isHubId = /^[\w.-]+\/[\w.-]+$/.test(spec.model) && !spec.model.startsWith('.');
  if (spec.simulated || !isHubId || env['HF_HUB_OFFLINE'] === '1' || Object.keys(env).length === 0) return undefined;
  const at = spec.args.indexOf('--download-dir');
  const { toHubCache } = await import('../../plan/facts.ts');
  return join((at < 0 ? undefined : spec.args[at + 1]) ?? toHubCache(env), `models--${spec.model.replaceAll('/', '--')}`);
}

/** Files are fetched under `blobs/*.incomplete`, which may be made at their full size before anything is in them. */
export async function observeModelFolder(directory: string, sinceMs: number): Promise<ModelFolder> {
  const blobs = join(directory, 'blobs');
  const names = await readdir(blobs).catch(() => []);
  const files = await inTurns(names, async (name) => {
    const facts = await stat(join(blobs, name)).catch(() => undefined);
    if (facts === undefined) return { bytes: 0, fetching: false };
    const complete = !name.endsWith('.incomplete');
    // Some file systems do not say what they have set aside.
    const written = facts.blocks > 0 ? Math.min(facts.size, facts.blocks * fileBlockBytes) : facts.size;
    return { bytes: complete ? facts.size : written, fetching: !complete && facts.mtimeMs >= sinceMs };
  });
  return { doneBytes: files.reduce((sum, { bytes }) => sum + bytes, 0), fetching: files.some(({ fetching }) => fetching) };
}

/** What a model of several files says of itself, once its index is here. */
export async function readIndexBytes(directory: string): Promise<number | undefined> {
  const snapshots = join(directory, 'snapshots');
  for (const name of await readdir(snapshots).catch(() => [])) {
    const text = await readTextFile(join(snapshots, name, 'model.safetensors.index.json')).catch(() => undefined);
    const total = Number(/"total_size"\s*:\s*(\d+)/.exec(text ?? '')?.[1]);
    if (total > 0) return total;
  }
  return undefined;
}

interface Sample {
  readonly atMs: number;
  readonly bytes: number;
}

const windowMs = 10_000;

/** Turns looks at the folder into news: only when bytes came, with the rate of the last ten seconds. */
export class DownloadMeter {
  private samples: readonly Sample[] = [];

  take(
    { doneBytes }: ModelFolder,
    { atMs, totalBytes }: { readonly atMs: number; readonly totalBytes: number | undefined },
  ): DownloadNews | undefined {
    const last = this.samples.at(-1);
    if (last !== undefined && doneBytes === last.bytes) return undefined;
    // Less: what was begun was thrown away.
    if (last !== undefined && doneBytes < last.bytes) this.samples = [];
    this.samples = [...this.samples.filter((sample) => atMs - sample.atMs <= windowMs), { atMs, bytes: doneBytes }];
    const [first] = this.samples.length > 1 ? this.samples : [last];
    // The first look finds what was there before.
    if (first === undefined || first.bytes > doneBytes) return undefined;
    const bytesPerSecond = Math.round(((doneBytes - first.bytes) * 1000) / Math.max(1, atMs - first.atMs));
    const believed = totalBytes !== undefined && doneBytes <= totalBytes * besidesWeights;
    return { doneBytes, ...(believed ? { totalBytes: Math.max(totalBytes, doneBytes) } : {}), bytesPerSecond };
  }
}
