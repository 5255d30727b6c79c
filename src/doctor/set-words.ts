/** As words of a command line. */
export function toSetWords(set: Readonly<Record<string, unknown>>): string {
  const toWord = (text: string) => (/^[\w./:=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
  return Object.entries(set)
    .map(([path, value]) => `--set ${toWord(`${path}=${typeof value === 'string' ? value : JSON.stringify(value)}`)}`)
    .join(' ');
}
