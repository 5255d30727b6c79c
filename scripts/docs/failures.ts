// docs/failures.md: scripts/docs/failures.md with every cause, a line that shows it, and what would mend it.
import { readFile } from 'node:fs/promises';
import type { Diagnosis } from '../../src/core/finding.ts';
import type { MessageId } from '../../src/core/message.ts';
import { toPackagePath } from '../../src/host/package-files.ts';
import { toText } from '../../src/text/render.ts';
import { type CauseId, causes } from '../../src/vllm/failures/causes.ts';
import { diagnose } from '../../src/vllm/failures/diagnose.ts';
import { createLogScan, createSignatureSearch } from '../../src/vllm/failures/scan.ts';
import { code } from './profiles.ts';

interface Example {
  readonly log: string;
  readonly cause: string;
}

export async function renderFailuresPage(): Promise<string> {
  const template = await readFile(toPackagePath('scripts', 'docs', 'failures.md'), 'utf8');
  const found = await readExamples();
  const ids = Object.keys(causes) as CauseId[];
  return template.replace('{{causes}}', () => ids.map((id) => renderCause(id, found.get(id))).join('\n\n'));
}

/** Of each cause the first log that shows it. */
async function readExamples(): Promise<ReadonlyMap<string, Diagnosis>> {
  const fixtures = (...path: readonly string[]) => toPackagePath('test', 'fixtures', ...path);
  const readList = async (file: string): Promise<readonly Example[]> => JSON.parse(await readFile(fixtures('failures', file), 'utf8'));
  const cases = (await readList('cases.json')).map(({ log, cause }) => ({ cause, file: fixtures('failures', log) }));
  const captures = (await readList('captures.json')).map(({ log, cause }) => ({
    cause,
    file: fixtures('logs', 'vllm-0.32.0-cpu', `${log}.log`),
  }));
  const search = createSignatureSearch();
  const found = new Map<string, Diagnosis>();
  for (const { cause, file } of [...cases, ...captures]) {
    if (found.has(cause)) continue;
    const scan = createLogScan(search);
    for (const line of (await readFile(file, 'utf8')).split('\n')) scan.push(line);
    const diagnosis = diagnose({ log: scan.end() });
    if (diagnosis?.cause === cause) found.set(cause, diagnosis);
  }
  return found;
}

function renderCause(id: CauseId, example: Diagnosis | undefined): string {
  const say = (name: string) => toText({ id: name as MessageId, params: {} });
  const line = example?.evidence[0]?.text;
  return [
    `## ${say(`cause.${id}`)}`,
    `${code(id)}, ${causes[id].verdict}. ${say(`cause.${id}.meaning`)}`,
    ...(line === undefined ? [] : [`Looks like:\n\n\`\`\`text\n${toShort(line)}\n\`\`\``]),
    ...(example?.remedies === undefined ? [] : [`What to do:\n\n${example.remedies.map(renderRemedy).join('\n')}`]),
  ].join('\n\n');
}

const longest = 240;

function toShort(line: string): string {
  return line.length <= longest ? line : `${line.slice(0, longest)} …`;
}

function renderRemedy({ text, set, command }: NonNullable<Diagnosis['remedies']>[number]): string {
  const changes = Object.entries(set ?? {}).map(([key, value]) => code(`${key}: ${value === null ? 'null' : String(value)}`));
  const by = [...changes, ...(command === undefined ? [] : [code(command)])];
  return `- ${toText(text)}${by.length === 0 ? '' : ` ${by.join(', ')}`}`;
}
