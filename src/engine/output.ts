/** What uv and pip print, as facts: how far they are, and why they stopped. Formats from captured runs. */
import { parseBytes } from '../core/units.ts';
import { hidePasswords } from './sources.ts';

export type ProgressLine =
  | { readonly is: 'resolved'; readonly count: number }
  /** `replaces`: pip downloads one after the other, so a new one means that the last is done. */
  | { readonly is: 'downloading'; readonly name: string; readonly bytes: number; readonly replaces: boolean }
  | { readonly is: 'downloaded'; readonly name: string }
  | { readonly is: 'unpacking'; readonly count: number };

export function parseProgressLine(line: string): ProgressLine | undefined {
  const resolved = /^Resolved (\d+) packages?\b/.exec(line);
  if (resolved) return { is: 'resolved', count: Number(resolved[1]) };
  const prepared = /^Prepared (\d+) packages?\b/.exec(line);
  if (prepared) return { is: 'unpacking', count: Number(prepared[1]) };
  const collected = /^Installing collected packages: (.*)$/.exec(line);
  if (collected) return { is: 'unpacking', count: (collected[1] ?? '').split(',').length };
  const downloading = /^\s*Downloading (\S+) \(([\d.]+ ?[kKMGT]?i?B)\)/.exec(line);
  if (downloading?.[1] && downloading[2]) {
    const file = /\.(whl|tar\.gz|zip)(\.metadata)?$/.test(downloading[1]);
    if (downloading[1].endsWith('.metadata')) return undefined;
    return { is: 'downloading', name: toPackageName(downloading[1], file), bytes: parseBytes(downloading[2]) ?? 0, replaces: file };
  }
  const downloaded = /^\s*Downloaded (\S+)$/.exec(line);
  return downloaded?.[1] ? { is: 'downloaded', name: downloaded[1] } : undefined;
}

function toPackageName(text: string, isFile: boolean): string {
  if (!isFile) return text;
  const file = text.slice(text.lastIndexOf('/') + 1);
  return file.split('-')[0] ?? file;
}

/** Sums of what is under way; uv downloads many at once and says only when each begins and ends. */
export interface Downloads {
  readonly sizes: ReadonlyMap<string, number>;
  readonly done: ReadonlySet<string>;
  readonly totalBytes: number;
  readonly doneBytes: number;
}

export const noDownloads: Downloads = { sizes: new Map(), done: new Set(), totalBytes: 0, doneBytes: 0 };

export function addDownload(before: Downloads, line: ProgressLine): Downloads {
  const sizes = new Map(before.sizes);
  const done = new Set(before.done);
  if (line.is === 'downloading') {
    if (line.replaces) for (const name of sizes.keys()) done.add(name);
    sizes.set(line.name, line.bytes);
  }
  if (line.is === 'downloaded') done.add(line.name);
  if (line.is === 'unpacking') for (const name of sizes.keys()) done.add(name);
  const sum = (wanted: (name: string) => boolean) => [...sizes].reduce((total, [name, bytes]) => total + (wanted(name) ? bytes : 0), 0);
  return { sizes, done, totalBytes: sum(() => true), doneBytes: sum((name) => done.has(name)) };
}

/** `missing`: the sources answered and do not have it. `network`: they did not answer. */
export type FailureKind = 'missing' | 'network' | 'disk' | 'interrupted' | 'other';

export function toFailureKind(output: string): FailureKind {
  if (/No space left on device|\bErrno 28\b|os error 28\b|Disk quota exceeded/.test(output)) return 'disk';
  if (/Operation cancelled by user|KeyboardInterrupt/.test(output)) return 'interrupted';
  if (networkTrouble.test(output)) return 'network';
  if (/No solution found when resolving|No matching distribution found|was not found in the/.test(output)) return 'missing';
  return 'other';
}

const networkTrouble =
  /dns error|error sending request|tcp connect error|NewConnectionError|ConnectTimeoutError|ReadTimeoutError|ProxyError|SSLError|CERTIFICATE_VERIFY_FAILED|invalid peer certificate|Failed to fetch|HTTP status (client|server) error|is not a trusted or secure host|network was disabled|Connection refused|operation timed out/i;

const longestLine = 300;

/** The line that says why, for one sentence: uv's error with its innermost cause, pip's ERROR, Python's exception. */
export function toTellingLine(output: string): string {
  const lines = output.split(/[\r\n]+/).filter((line) => line.trim() !== '');
  const text = toUvError(lines) ?? toPipError(lines) ?? toPythonError(lines) ?? lines.at(-1)?.trim() ?? '';
  const short = hidePasswords(text);
  return short.length > longestLine ? `${short.slice(0, longestLine - 1)}…` : short;
}

function toUvError(lines: readonly string[]): string | undefined {
  const at = lines.findLastIndex((line) => /^error: /.test(line));
  if (at < 0) return undefined;
  const error = (lines[at] ?? '').slice('error: '.length).trim();
  const causes = lines.slice(at + 1).map((line) => /^\s+(?:cause|Caused by): (.*)$/.exec(line)?.[1]?.trim());
  const innermost = causes.findLast((cause) => cause !== undefined);
  return innermost === undefined ? error : `${error}: ${innermost}`;
}

/** Why it could not connect stands only in pip's warnings; its errors then say that there is no such package. */
function toPipError(lines: readonly string[]): string | undefined {
  const error = lines
    .findLast((line) => /^ERROR: (?!Exception:)/.test(line))
    ?.slice('ERROR: '.length)
    .trim();
  const cause = lines
    .map((line) => /Failed to establish a new connection: ([^'")]+)/.exec(line)?.[1])
    .findLast((text) => text !== undefined);
  return error === undefined || cause === undefined ? error : `${error}: ${cause}`;
}

function toPythonError(lines: readonly string[]): string | undefined {
  return lines.findLast((line) => /^[A-Za-z_][\w.]*(Error|Exception|Interrupt|Exit)\b/.test(line))?.trim();
}
