/** Words of a command line that a POSIX shell reads as they were meant. */

export function toShellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Where a reference (`env:NAME`, `file:PATH`) is read; a variable that is not set ends the line: an empty key is none. */
export function toSecretWord(reference: string): string {
  const target = reference.slice(reference.indexOf(':') + 1);
  return reference.startsWith('file:') ? `"$(cat ${toShellWord(target)})"` : `"\${${target}:?}"`;
}
