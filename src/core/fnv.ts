/** FNV-1a, 32 bits, as 8 hexadecimal digits: tells texts apart, and is no protection against anybody. Loads nothing. */
export function toFnv1a(text: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}
