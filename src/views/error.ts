/** A failed command, as text or as the Error document. */
import { inspect } from 'node:util';
import { toDiagnosisDocument } from '../core/diagnosis-document.ts';
import { DeployError } from '../core/error.ts';
import { ExitStatus } from '../core/exit.ts';
import { type Message, type Params, say } from '../core/message.ts';
import { toErrorText, toText } from '../text/render.ts';
import { toClean } from './clean.ts';
import { renderDiagnosis } from './diagnosis.ts';
import { toFindingDocument } from './documents.ts';
import { renderFindings } from './findings.ts';
import type { Palette, Screen } from './screen.ts';

/** An engine's traceback or a package manager's outburst may come as a parameter: it is cut, the log has the rest. */
const mostLines = 8;
const longestLine = 400;
const mostEvidence = 3;

export interface ErrorOptions {
  readonly debug: boolean;
  /** When something else than the error decides it (an interruption). */
  readonly exitStatus?: number;
  readonly version: string;
}

/** Shows the error where it belongs and returns the exit status of the command. */
export function writeError(error: unknown, screen: Screen, options: ErrorOptions): number {
  const status = options.exitStatus ?? (error instanceof DeployError ? error.exitStatus : ExitStatus.bug);
  if (screen.output.mode === 'json') screen.out(`${JSON.stringify(toErrorDocument(error, status))}\n`);
  else if (error instanceof DeployError) screen.err(renderError(error, screen));
  if (!(error instanceof DeployError)) screen.err(renderBug(error, options.version));
  else if (options.debug) screen.err(`${inspect(error)}\n`);
  return status;
}

function renderError(error: DeployError, { output, palette }: Screen): string {
  const { message, hint } = toErrorText(error);
  const lines = cut(toText(say('views.error', { message, code: error.code }))).split('\n');
  const sign = output.mode === 'tty' ? `${palette.bad('✖')} ` : `${toText(say('views.severity.error'))}: `;
  const first = lines.map((line, index) => `${index === 0 ? sign : '  '}${line}\n`).join('');
  return first + renderFindings(error.findings, palette) + renderCause(error, palette) + (hint === undefined ? '' : `  ${hint}\n`);
}

function renderCause({ diagnosis }: DeployError, palette: Palette): string {
  if (diagnosis === undefined) return '';
  return renderDiagnosis(diagnosis, palette, { mostEvidence }).replace(/^(?=.)/gm, '  ');
}

function renderBug(error: unknown, version: string): string {
  const stack = error instanceof Error ? inspect(error) : String(error);
  const words: readonly Message[] = [
    say('views.bug', { version, node: process.version, problem: toProblem(error) }),
    say('views.bug-hint'),
  ];
  return [stack, ...words.map(toText)].map((line) => `${line}\n`).join('');
}

function toErrorDocument(error: unknown, exitStatus: number): object {
  if (!(error instanceof DeployError)) return { kind: 'Error', version: 1, code: 'internal/bug', message: toProblem(error), exitStatus };
  const { message, hint } = toErrorText(error);
  return {
    kind: 'Error',
    version: 1,
    code: error.code,
    message,
    ...(hint === undefined ? {} : { hint }),
    exitStatus,
    params: toPlainParams(error.params),
    ...(error.findings.length > 0 ? { findings: error.findings.map(toFindingDocument) } : {}),
    ...(error.diagnosis === undefined ? {} : { diagnosis: toDiagnosisDocument(error.diagnosis, toText) }),
  };
}

/** Sentences inside a sentence become text here too. */
function toPlainParams(params: Params): Readonly<Record<string, string | number>> {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, typeof value === 'object' ? toText(value) : value]));
}

function toProblem(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function cut(text: string): string {
  const lines = toClean(text)
    .split('\n')
    .map((line) => (line.length > longestLine ? `${line.slice(0, longestLine)}…` : line));
  return lines.length <= mostLines ? lines.join('\n') : [...lines.slice(0, mostLines), '…'].join('\n');
}
