/** `--nvidia-smi FILE`: what nvidia-smi printed on another machine. */
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DeployError } from '../core/error.ts';
import { say } from '../core/message.ts';
import { toSizeText } from '../core/units.ts';
import type { GpuObservation } from '../gpu/gpu.ts';
import { parseSmi, toObservation } from '../gpu/smi.ts';
import { errnoOf } from '../host/files.ts';

export interface SavedSmi {
  /** The file as it was named; `-` for standard input. */
  readonly name: string;
  readonly text: string;
}

/** `-q` of sixteen GPUs is half a mebibyte. */
const mostBytes = 16 * 2 ** 20;

/** Throws `usage/unreadable-file` and `usage/too-large`. */
export async function readSavedSmi(
  name: string,
  { cwd, stdin }: { readonly cwd: string; readonly stdin: AsyncIterable<unknown> },
): Promise<SavedSmi> {
  try {
    const text = name === '-' ? await collect(stdin, name) : await collect(await openFile(resolve(cwd, name)), name);
    return { name, text };
  } catch (cause) {
    const problem = cause instanceof DeployError ? undefined : errnoOf(cause);
    throw problem === undefined ? cause : DeployError.of('usage/unreadable-file', { file: name, problem }, { cause });
  }
}

async function openFile(path: string): Promise<AsyncIterable<unknown>> {
  const handle = await open(path, 'r');
  return handle.createReadStream();
}

async function collect(stream: AsyncIterable<unknown>, name: string): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of stream) {
    const piece = Buffer.isBuffer(part) ? part : Buffer.from(String(part));
    bytes += piece.length;
    if (bytes > mostBytes) throw DeployError.of('usage/too-large', { file: name, most: toSizeText(mostBytes) });
    parts.push(piece);
  }
  return decode(Buffer.concat(parts));
}

/** A shell of Windows writes what it redirects as UTF-16. */
function decode(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.subarray(2).toString('utf16le');
  return bytes.toString('utf8').replace(/^\uFEFF/, '');
}

/** An error that the driver printed is an answer too. Throws `usage/not-smi` for what nvidia-smi did not print. */
export async function parseSavedSmi({ name, text }: SavedSmi): Promise<GpuObservation> {
  const reading = await parseSmi(text);
  const { gpus, errorKind } = reading;
  if (gpus.length > 0 || (errorKind !== undefined && !foreign.includes(errorKind))) return toObservation(reading);
  const [line] = text.split('\n', 1);
  const problem = line?.trim() ? say('doctor.smi.unrecognised', { line: toPrintable(line) }) : say('doctor.smi.empty');
  throw DeployError.of('usage/not-smi', { file: name, problem });
}

/** What the reading itself says, and not the driver. */
const foreign: readonly (string | undefined)[] = ['unreadable', 'binary', 'too-long', 'xml-refused'];

const longestLine = 60;

function toPrintable(line: string): string {
  const text = line.replace(/\p{Cc}|\uFFFD/gu, '?').trim();
  return text.length > longestLine ? `${text.slice(0, longestLine)}…` : text;
}
