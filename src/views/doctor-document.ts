/** The DoctorReport document. */
import type { DeployError } from '../core/error.ts';
import type { Message } from '../core/message.ts';
import type { CheckResult } from '../doctor/check.ts';
import type { DoctorReport } from '../doctor/report.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { WrittenBundle } from '../operate/doctor-bundle.ts';
import type { Fixed } from '../operate/doctor-fix.ts';
import type { Memory } from '../plan/plan.ts';
import { toErrorText, toText } from '../text/render.ts';
import { toFindingDocument } from './documents.ts';

/** What was done beside looking. */
export interface DoctorDeeds {
  readonly fixed?: Pick<Fixed, 'applied' | 'advice'>;
  readonly bundle?: WrittenBundle;
}

export function toDoctorDocument(report: DoctorReport, { fixed, bundle }: DoctorDeeds = {}): object {
  const { verdict, summary, next, elsewhere, checks, host, gpus, backends, findings, profiles, memory } = report;
  return {
    kind: 'DoctorReport',
    version: 1,
    verdict,
    summary: toText(summary),
    ...(next === undefined ? {} : { next }),
    ...(elsewhere === undefined ? {} : { elsewhere }),
    ...toProfile(report),
    findings: findings.map(toFindingDocument),
    checks: checks.map(toCheck),
    host,
    gpus: gpus.map(toGpu),
    backends: Object.fromEntries(Object.entries(backends).map(([name, fact]) => [name, { ...fact, why: toText(fact.why) }])),
    profiles: profiles.map(({ why, ...rest }) => ({ ...rest, why: toText(why) })),
    ...(memory === undefined ? {} : { memory: toMemory(memory) }),
    ...(fixed === undefined ? {} : { fixes: fixed.applied.map(toFix), left: fixed.advice.map(withText) }),
    ...(bundle === undefined ? {} : { bundle }),
  };
}

function toProfile({ subject, chosen, problem }: DoctorReport): object {
  if (problem) return { profile: { name: problem.ref, problem: toProblem(problem.error) } };
  if (subject === undefined) return {};
  const { profile, plan, asked, running } = subject;
  const why = chosen === undefined ? {} : { why: toText(chosen) };
  return { profile: { name: profile.name, source: profile.source, deployment: plan.name, backend: plan.backend, asked, running, ...why } };
}

function toProblem(error: DeployError): object {
  return { code: error.code, ...toErrorText(error) };
}

function toCheck({ message, hint, ...rest }: CheckResult): object {
  return { ...rest, message: toText(message), ...(hint === undefined ? {} : { hint: toText(hint) }) };
}

/** `problems` and `memoryKind` are there for every GPU. */
function toGpu({ problems = [], ...gpu }: Gpu): object {
  return { memoryKind: 'unknown', ...gpu, problems: problems.map(toFindingDocument) };
}

function toMemory({ suggestion, ...memory }: Memory): object {
  return { ...memory, ...(suggestion === undefined ? {} : { suggestion: { ...suggestion, message: toText(suggestion.message) } }) };
}

function toFix({ change, text, checks }: Fixed['applied'][number]): object {
  const { ids: _, is, ...rest } = change;
  const what = 'text' in rest ? { file: rest.file, backup: rest.backup, settings: rest.settings } : rest;
  return { is, ...what, done: toText(text), checks };
}

function withText({ id, text }: { readonly id: string; readonly text: Message }): object {
  return { id, text: toText(text) };
}
