/** Why an engine failed, for people: the same lines below a failed command and after `explain --log`. */
import type { Diagnosis, Remedy } from '../core/finding.ts';
import { type Message, say } from '../core/message.ts';
import type { LogExplanation } from '../operate/explain-log.ts';
import { toText } from '../text/render.ts';
import type { EngineLog, FailedLaunch } from '../vllm/unwrap/engine-logs.ts';
import { toClean } from './clean.ts';
import { toRemedyWords } from './remedies.ts';
import type { Palette } from './screen.ts';

export interface DiagnosisOptions {
  readonly mostEvidence?: number;
}

export function renderDiagnosis(diagnosis: Diagnosis, palette: Palette, { mostEvidence = 8 }: DiagnosisOptions = {}): string {
  const { cause, title, evidence, remedies = [], alsoSeen = [] } = diagnosis;
  const isKnown = cause !== 'unknown';
  const proof = evidence.slice(0, mostEvidence).map(toEvidenceLine);
  const lines = [
    palette.strong(toShown(say('diagnosis.title', { title, cause }))),
    `  ${toFactsLine(diagnosis)}`,
    ...toBlock(isKnown ? say('diagnosis.proof') : say('diagnosis.best-lines'), proof.map(palette.dim), palette),
    ...toBlock(say('diagnosis.remedies'), remedies.flatMap(toRemedyLines), palette),
    ...(alsoSeen.length > 0 ? [`  ${toText(say('diagnosis.also', { causes: alsoSeen.join(', ') }))}`] : []),
    ...(isKnown ? [] : [`  ${toText(say('diagnosis.report'))}`]),
  ];
  return toLines(lines);
}

/** The answer of `explain --log`. */
export function renderLog({ log, engines }: LogExplanation, palette: Palette): string {
  const [first, ...others] = engines.flatMap((engine) => (engine.failed ? [{ ...engine, failed: engine.failed }] : []));
  const about = palette.dim(toAboutLine({ log, engines }, first));
  if (first === undefined) return toLines([toText(log.isVllm ? say('explain-log.healthy') : say('explain-log.not-vllm')), `  ${about}`]);
  const more = others.map((engine) => `  ${toOtherLine(engine)}`);
  return renderDiagnosis(first.failed.diagnosis, palette) + toLines([...more, `  ${about}`]);
}

/** What is longer says the rest in the log itself. */
const longestLine = 400;
const tailLength = 120;

function toFactsLine({ permanent, confidence, phase, engineVersion }: Diagnosis): string {
  const verdict = permanent ? say('diagnosis.permanent') : say('diagnosis.transient');
  const doubt = { sure: verdict, likely: say('diagnosis.likely', { verdict }), unsure: say('diagnosis.unsure', { verdict }) };
  const facts = [
    doubt[confidence],
    ...(phase === undefined ? [] : [say('diagnosis.phase', { phase })]),
    ...(engineVersion === undefined ? [] : [say('diagnosis.engine', { version: engineVersion })]),
  ];
  return facts.map(toShown).join(' · ');
}

/** Line 0 is none of the log: an exit code, the kernel, a GPU. */
function toEvidenceLine({ line, text }: Diagnosis['evidence'][number]): string {
  const shown = toCut(toClean(text).replaceAll('\n', ' '));
  return line === 0 ? shown : toText(say('views.evidence', { line, text: shown }));
}

function toCut(text: string): string {
  return text.length <= longestLine ? text : `${text.slice(0, longestLine - tailLength)} … ${text.slice(-tailLength)}`;
}

/** Numbered, the best first; what is to be copied stands on a line of its own. */
function toRemedyLines(remedy: Remedy, index: number): readonly string[] {
  return [`${index + 1}. ${toShown(remedy.text)}`, ...toRemedyWords(remedy).map((line) => `   ${line}`)];
}

function toBlock(title: Message, lines: readonly string[], palette: Palette): readonly string[] {
  return lines.length === 0 ? [] : [`  ${palette.strong(toText(title))}`, ...lines.map((line) => `    ${line}`)];
}

function toOtherLine({ source, failed }: EngineLog & { readonly failed: FailedLaunch }): string {
  const { title, cause } = failed.diagnosis;
  return toShown(
    source === undefined ? say('explain-log.other-here', { title, cause }) : say('explain-log.other', { source, title, cause }),
  );
}

/** `of pod/vllm · start 3 of 5, the last one that failed · 1234 lines · as written by kubectl` */
function toAboutLine({ log, engines }: LogExplanation, first: (EngineLog & { readonly failed: FailedLaunch }) | undefined): string {
  const launches = first?.launches ?? Math.max(...engines.map((engine) => engine.launches));
  const starts = first ? say('explain-log.launch', { launch: first.failed.launch, launches }) : say('explain-log.launches', { launches });
  const parts: readonly Message[] = [
    ...(first?.source === undefined ? [] : [say('explain-log.source', { source: first.source })]),
    ...(launches > 1 ? [starts] : []),
    ...(engines.length > 1 ? [say('explain-log.engines', { engines: engines.length })] : []),
    say('explain-log.lines', { lines: log.lines }),
    ...log.formats.map((id) => say('explain-log.format', { format: say(`explain-log.${id}`) })),
    ...(log.gzip ? [say('explain-log.gzip')] : []),
    ...(log.damage ? [say(`explain-log.${log.damage}`)] : []),
  ];
  return parts.map(toShown).join(' · ');
}

function toShown(message: Message): string {
  return toClean(toText(message)).replaceAll('\n', ' ');
}

function toLines(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}
