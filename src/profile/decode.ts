/** Bytes of a file → text in UTF-8, or where it is none. */
import { isUtf8 } from 'node:buffer';
import { type Message, say } from '../core/message.ts';
import type { Place } from './layer.ts';

export type Decoded = { readonly text: string } | ({ readonly problem: Message } & Place);

export function decodeText(bytes: Uint8Array): Decoded {
  if (isUtf16(bytes)) return { problem: say('yaml.utf16'), line: 1, column: 1 };
  return isUtf8(bytes) ? { text: toText(bytes) } : { problem: say('yaml.not-utf8'), ...findBroken(bytes) };
}

/** By its mark, or because every second byte of its first characters is zero. */
function isUtf16(bytes: Uint8Array): boolean {
  const [a, b, c, d] = bytes;
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) return true;
  return bytes.length >= 4 && ((a === 0 && c === 0 && b !== 0) || (b === 0 && d === 0 && a !== 0));
}

function findBroken(bytes: Uint8Array): Place {
  let line = 1;
  for (let start = 0; start < bytes.length; line += 1) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline < 0 ? bytes.length : newline;
    const part = bytes.subarray(start, end);
    if (!isUtf8(part)) return { line, column: toText(part).indexOf('\uFFFD') + 1 };
    start = end + 1;
  }
  return { line: 1, column: 1 };
}

/** Without a byte order mark. */
function toText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
