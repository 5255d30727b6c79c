/** Bad habits of a start: one that goes on and on, one that spins, one that fetches a model and does not get it. */
import { createWriteStream } from 'node:fs';
import { mkdir, rename, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { waitFor } from '../../src/core/clock.ts';
import type { Life } from './api-server.ts';

const dripMs = 100;
const partMs = 50;
const partBytes = 256 * 1024;

/** Before the lines of a phase. */
export async function delayPhase(life: Life, phase: string): Promise<void> {
  const { dripMs: drips, spinMs: spins, download } = life.box.faults;
  if (drips[phase] !== undefined) await drip(life, drips[phase]);
  if (spins[phase] !== undefined) await spin(spins[phase]);
  if (phase === 'loading' && download) await fetchModel(life.options.model, download);
}

/** A new line ten times a second. */
async function drip(life: Life, ms: number): Promise<void> {
  const end = performance.now() + ms;
  for (let part = 1; performance.now() < end; part += 1) {
    life.write(`Loading safetensors checkpoint shards: part ${part}\n`);
    await waitFor(dripMs);
  }
}

/** A whole core, in a thread of its own: signals are answered meanwhile. */
async function spin(ms: number): Promise<void> {
  const worker = new Worker('for (;;);', { eval: true });
  await (ms === Number.POSITIVE_INFINITY ? new Promise(() => undefined) : waitFor(ms));
  await worker.terminate();
}

/** As huggingface_hub does it: into `blobs/….incomplete`, from where an earlier one stopped; renamed when all is there. */
async function fetchModel(model: string, { ms, stalls }: NonNullable<Life['box']['faults']['download']>): Promise<void> {
  const cache = process.env['HF_HUB_CACHE'] ?? join(process.env['HF_HOME'] ?? join(homedir(), '.cache/huggingface'), 'hub');
  const blobs = join(cache, `models--${model.replaceAll('/', '--')}`, 'blobs');
  await mkdir(blobs, { recursive: true });
  const incomplete = join(blobs, 'f47ac10b.incomplete');
  const before = await stat(incomplete).then(
    ({ size }) => size,
    () => 0,
  );
  const file = createWriteStream(incomplete, { flags: 'a' });
  for (let part = 0; part < ms / partMs; part += 1) {
    await new Promise((done) => file.write(Buffer.alloc(partBytes, 1), done));
    await waitFor(partMs);
  }
  // The connection stands, and nothing comes any more; the next try gets the rest.
  if (stalls && before === 0) await new Promise(() => undefined);
  await new Promise<void>((done) => file.end(done));
  await rename(incomplete, join(blobs, 'f47ac10b'));
}
