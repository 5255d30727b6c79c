/** From vitest's reports to docs/faults.md: which tests show which row of the matrix, and how they ended. Pure. */
import type { FaultRow } from '../../test/faults/matrix.ts';

/** The part of vitest's JSON report that is read. */
export interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status?: string;
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[];
      readonly title: string;
      readonly status: string;
    }[];
  }[];
}

export interface Shown {
  readonly ids: readonly string[];
  readonly name: string;
  readonly file: string;
  readonly status: 'passed' | 'failed';
}

export interface RowResult {
  readonly row: FaultRow;
  readonly result: 'passed' | 'failed' | 'elsewhere' | 'not automated' | 'no test ran';
  readonly tests: readonly Shown[];
}

export interface Summary {
  readonly results: readonly RowResult[];
  /** Ids at the beginning of names that no row has. */
  readonly unknown: readonly string[];
  /** Rows with a test that passed, of those that count. */
  readonly share: number;
  readonly counted: number;
  readonly passed: number;
}

/** Below this the matrix is not shown. */
export const leastShare = 0.95;
/** Load at a front door counts once there is one. */
const notCounted = 'L';
const idsPattern = /^(?:[A-M]\d{1,2}(?:,? |$))+/;

/** The ids that a name begins with: `A6 A7 an engine that …` → A6, A7. */
export function toIds(name: string): readonly string[] {
  return idsPattern.exec(name)?.[0].match(/[A-M]\d+/g) ?? [];
}

/** Tests with ids; those that were left out by a filter are not there at all. */
export function toShown(reports: readonly Report[], root: string): readonly Shown[] {
  return reports.flatMap(({ testResults }) =>
    testResults.flatMap(({ name: file, assertionResults }) =>
      assertionResults.flatMap(({ ancestorTitles, title, status }) => {
        const ids = [...new Set([...ancestorTitles, title].flatMap(toIds))];
        if (ids.length === 0 || (status !== 'passed' && status !== 'failed')) return [];
        return [{ ids, name: [...ancestorTitles, title].join(' > '), file: file.replace(`${root}/`, ''), status }];
      }),
    ),
  );
}

/** Files that failed although none of their tests did. */
export function findBroken(reports: readonly Report[], root: string): readonly string[] {
  const files = reports.flatMap(({ testResults }) => testResults);
  const broken = files.filter((file) => file.status === 'failed' && file.assertionResults.every(({ status }) => status !== 'failed'));
  return broken.map(({ name }) => name.replace(`${root}/`, ''));
}

export function summarise(rows: readonly FaultRow[], shown: readonly Shown[]): Summary {
  const known = new Set(rows.map(({ id }) => id));
  const results = rows.map((row) => toRowResult(row, shown));
  const counted = results.filter(({ row }) => !row.id.startsWith(notCounted));
  const passed = counted.filter(({ result }) => result === 'passed').length;
  const unknown = [...new Set(shown.flatMap(({ ids }) => ids).filter((id) => !known.has(id)))];
  return { results, unknown, share: passed / counted.length, counted: counted.length, passed };
}

function toRowResult(row: FaultRow, shown: readonly Shown[]): RowResult {
  const tests = shown.filter(({ ids }) => ids.includes(row.id));
  return { row, tests, result: toResult(row, tests) };
}

function toResult(row: FaultRow, tests: readonly Shown[]): RowResult['result'] {
  if (tests.some(({ status }) => status === 'failed')) return 'failed';
  if (tests.length > 0) return 'passed';
  if (row.reason !== undefined) return 'not automated';
  return row.where === undefined ? 'no test ran' : 'elsewhere';
}

export interface Circumstances {
  /** Date, versions, machine: a line each. */
  readonly lines: readonly string[];
  readonly areas: Readonly<Record<string, string>>;
}

export function renderPage({ results, share, counted, passed }: Summary, { lines, areas }: Circumstances): string {
  const count = (wanted: RowResult['result']) => results.filter(({ result }) => result === wanted).length;
  const head = [
    '# The fault matrix',
    '',
    'Written by `npm run proof:faults`, from the results of the tests; the rows are data in `test/faults/matrix.ts`.',
    'A test shows a row by beginning its name with the row’s id. Faults of a Docker engine are in its own suite.',
    '',
    ...lines.map((line) => `- ${line}`),
    `- ${passed} of ${counted} rows shown by a test that passed (${(100 * share).toFixed(1)} %), the rows of L apart; ` +
      `${count('failed')} failed, ${count('no test ran')} without a test that ran, ${count('elsewhere')} shown by another command, ` +
      `${count('not automated')} not automated.`,
  ];
  const tables = Object.entries(areas).flatMap(([area, title]) => [
    '',
    `## ${area}. ${title}`,
    '',
    '| id | fault | expected | result | tests |',
    '| --- | --- | --- | --- | --- |',
    ...results.filter(({ row }) => row.id.startsWith(area)).map(renderRow),
  ]);
  return `${[...head, ...tables].join('\n')}\n`;
}

function renderRow({ row, result, tests }: RowResult): string {
  const names = tests.map(({ name, file }) => `${name} (\`${file}\`)`).join('<br>');
  const about = names === '' ? (row.where ?? row.reason ?? '') : names;
  return `| ${[row.id, row.fault, row.expected, result, about].map(toCell).join(' | ')} |`;
}

function toCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
