/** Images as files: what `docker save` writes and `docker load` reads. */
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { DeployError } from '../../core/error.ts';
import { errnoOf } from '../files.ts';
import type { ProgressOptions } from './docker.ts';
import type { Door } from './door.ts';
import { parseJson, toField, toText } from './fields.ts';
import { readLines } from './frames.ts';
import { toFamiliarName } from './podman.ts';
import { toPath } from './reference.ts';
import { type Room, withRoom } from './room.ts';

export interface LoadOptions extends ProgressOptions {
  readonly room: Room | undefined;
}

export async function loadImages(door: Door, path: string, { signal, onProgress, room }: LoadOptions): Promise<readonly string[]> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw DeployError.of('usage/unreadable-file', { file: path, problem: errnoOf(error) ?? String(error) }, { cause: error });
  });
  try {
    const totalBytes = (await file.stat()).size;
    const layers = new Set<string>();
    const upload = file.createReadStream({ autoClose: false });
    const tell = () => onProgress?.({ phase: 'loading', layersDone: 0, layers: layers.size, doneBytes: upload.bytesRead, totalBytes });
    if (onProgress) upload.on('data', tell).pause();
    const call = { method: 'POST', path: '/images/load', query: { quiet: 0 }, upload } as const;
    try {
      const opened = await door.open(call, { beginMs: door.limits.archiveMs, ...(signal ? { signal } : {}) });
      if ('problem' in opened) throw toArchiveError(path, opened.problem);
      const names = await readLoaded(opened.chunks(door.limits.archiveMs), { path, onLayer: (id) => void layers.add(id) });
      if (signal?.aborted) throw DeployError.of('command/interrupted', {});
      if (names.length === 0) throw toArchiveError(path, 'it holds no image');
      return names;
    } catch (error) {
      throw withRoom(error, room, { what: path, neededBytes: totalBytes });
    } finally {
      upload.destroy();
    }
  } finally {
    await file.close();
  }
}

interface Loading {
  readonly path: string;
  readonly onLayer: (id: string) => void;
}

async function readLoaded(chunks: AsyncIterable<Buffer>, { path, onLayer }: Loading): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const line of readLines(chunks)) {
    const message = parseJson(line.toString());
    const problem = toText(toField(message, 'errorDetail'), 'message') ?? toText(message, 'error');
    if (problem !== undefined) throw toArchiveError(path, problem);
    const id = toText(message, 'id');
    if (id !== undefined) onLayer(id);
    const [, name] = /^Loaded image(?: ID)?: (\S+)/.exec(toText(message, 'stream') ?? '') ?? [];
    if (name !== undefined) names.push(toFamiliarName(name));
  }
  return names;
}

function toArchiveError(path: string, problem: string): DeployError {
  if (/no space left on device|disk quota exceeded/i.test(problem)) return DeployError.of('docker/disk-full', { problem });
  return DeployError.of('docker/bad-archive', { path, problem });
}

export interface Saving extends ProgressOptions {
  readonly path: string;
}

export async function saveImage(door: Door, image: string, { path, signal, onProgress }: Saving): Promise<void> {
  const call = { path: `${toPath(image)}/get` };
  const opened = await door.open(call, { beginMs: door.limits.archiveMs, ...(signal ? { signal } : {}) });
  if ('problem' in opened) {
    throw opened.status === 404 ? DeployError.of('docker/no-image', { image }) : door.toFailure(opened);
  }
  const temporary = `${path}.tmp.${process.pid}.${process.hrtime.bigint().toString(36)}`;
  try {
    const file = await open(temporary, 'wx+', 0o600);
    try {
      let doneBytes = 0;
      for await (const chunk of opened.chunks(door.limits.archiveMs)) {
        await file.writeFile(chunk);
        doneBytes += chunk.length;
        onProgress?.({ phase: 'saving', layersDone: 0, layers: 0, doneBytes });
      }
      if (signal?.aborted) throw DeployError.of('command/interrupted', {});
      await checkEnd(door, file);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    opened.reply.stream.destroy();
    await rm(temporary, { force: true });
    const problem = error instanceof DeployError ? undefined : errnoOf(error);
    throw problem === undefined ? error : DeployError.of('host/not-written', { file: path, problem }, { cause: error });
  }
}

const endBytes = 1024;

/** An engine that fails half-way writes why into the archive and ends it as if it were whole. A whole one ends in zeros. */
async function checkEnd(door: Door, file: FileHandle): Promise<void> {
  const { size } = await file.stat();
  const { buffer, bytesRead } = await file.read(Buffer.alloc(endBytes), 0, endBytes, Math.max(0, size - endBytes));
  if (bytesRead === endBytes && buffer.every((byte) => byte === 0)) return;
  const words = buffer.subarray(0, bytesRead).toString().replaceAll('\0', '').slice(-300).trim();
  throw door.toFailure({ status: 200, value: undefined, problem: toText(parseJson(words), 'error') ?? 'the archive is cut off' });
}
