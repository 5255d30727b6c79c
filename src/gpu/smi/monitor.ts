/** `dmon` and `pmon`: columns named by a line `# gpu …`, repeated from time to time; `-` is no value. */

export type SmiRow = Readonly<Record<string, string>>;

export function isMonitor(line: string): boolean {
  return /^#\s*gpu\s/.test(line);
}

export function parseMonitor(lines: readonly string[]): readonly SmiRow[] {
  let columns: readonly string[] = [];
  return lines.flatMap((line) => {
    if (isMonitor(line)) columns = line.slice(1).trim().split(/\s+/);
    if (line.startsWith('#')) return [];
    const cells = toCells(line, columns);
    return cells === undefined
      ? []
      : [Object.fromEntries(columns.flatMap((column, at) => (cells[at] === '-' ? [] : [[column, cells[at] ?? '']])))];
  });
}

/** Commands may hold blanks, and come last. */
function toCells(line: string, columns: readonly string[]): readonly string[] | undefined {
  const parts = line.trim().split(/\s+/);
  const free = columns.at(-1) === 'command' || columns.at(-1) === 'name';
  const cells =
    free && parts.length > columns.length ? [...parts.slice(0, columns.length - 1), parts.slice(columns.length - 1).join(' ')] : parts;
  const whole = columns.length > 1 && cells.length === columns.length && /^\d{1,4}$/.test(cells[0] ?? '');
  return whole && cells.slice(1, free ? -1 : undefined).every((cell) => /^(?:-|-?\d+|[CGM+]+)$/.test(cell)) ? cells : undefined;
}
