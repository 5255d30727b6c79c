/** Lines above a rendered text. A value that brings lines of its own does not leave the comment by that. */
export function renderComment(lines: readonly string[]): string {
  return lines
    .flatMap((line) => line.split(/[\n\r]+/))
    .map((line) => `# ${line}`.trimEnd().concat('\n'))
    .join('');
}
