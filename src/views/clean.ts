/** Text that others wrote, on its way to a terminal: what a model or an engine says must not move the cursor there. */
import { stripVTControlCharacters } from 'node:util';

/** Shows control characters instead of sending them: `␛`, `␇`. Works on any piece of a text. */
export function toVisible(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(/\p{Cc}/gu, (character) => pictures(character));
}

/** A whole line or text of a log: colors are left out, what remains of control characters is shown. */
export function toClean(text: string): string {
  return toVisible(stripVTControlCharacters(text));
}

/** Unicode has pictures of the first 32 and of DEL; the others have none. */
function pictures(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (character === '\n' || character === '\t') return character;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  return code === 0x7f ? '\u2421' : '\ufffd';
}
