import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { say } from '../core/message.ts';
import { errnoOf, writeFileAtomic } from '../host/files.ts';
import { toMiniatureFiles } from '../model/miniature.ts';
import type { Context } from './context.ts';

/** Makes the miniature model where the plan says it is; what is there and complete stays. */
export async function ensureMiniature(directory: string, context: Context): Promise<void> {
  const files = toMiniatureFiles();
  const present = await listNames(directory);
  const missing = [...files].filter(([name]) => !present.has(name));
  await mkdir(directory, { recursive: true, mode: 0o700 });
  // config.json last: a directory without it is not a model, so an interrupted write is not taken for one.
  missing.sort(([a], [b]) => Number(a === 'config.json') - Number(b === 'config.json'));
  for (const [name, text] of missing) await writeFileAtomic(join(directory, name), text);
  context.emit({ type: 'step-done', step: 'model', text: say('up.model-made') });
}

async function listNames(directory: string): Promise<ReadonlySet<string>> {
  try {
    return new Set(await readdir(directory));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return new Set();
    throw error;
  }
}
