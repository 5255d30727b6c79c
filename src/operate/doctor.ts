/** `doctor`: everything that can be known of a machine, and of a profile on it, without starting or changing anything. */
import { ExitStatus } from '../core/exit.ts';
import type { CheckResult, DoctorContext, DoctorSubject } from '../doctor/check.ts';
import { checks } from '../doctor/checks/index.ts';
import { readHostFacts } from '../doctor/host-facts.ts';
import type { DoctorReport } from '../doctor/report.ts';
import { runChecks } from '../doctor/run-checks.ts';
import { type Findings, toConclusion } from '../doctor/verdict.ts';
import type { GpuObservation } from '../gpu/gpu.ts';
import { rankForMachine } from './choose.ts';
import type { Context } from './context.ts';
import { readBackends } from './doctor-backends.ts';
import { type ChosenSubject, chooseSubject, type SubjectRequest, toElsewhereText } from './doctor-subject.ts';
import { openWorld, type World, type WorldRequest } from './doctor-world.ts';
import type { MadePlans } from './plan.ts';

export interface DoctorRequest extends SubjectRequest, WorldRequest {}

export interface Examined {
  readonly report: DoctorReport;
  /** Of the subject. */
  readonly made?: MadePlans;
}

/** Throws only for a question that makes no sense (`usage/…`, `profile/unknown`, `deployment/unknown`); bad news are answers. */
export async function examine(request: DoctorRequest, context: Context): Promise<Examined> {
  const world = await openWorld(request, context);
  const chosen = await chooseSubject(request, world, context);
  const { subject, made, chosen: why, problem } = chosen;
  const looking = { world, context, ...(subject ? { subject } : {}) };
  const [results, gpus, profiles, backends] = await Promise.all([
    answer(looking),
    world.seen(),
    world.gpus().then((seen) => rankForMachine(context, { gpus: seen, elsewhere: world.elsewhere !== undefined })),
    readBackends(world, context),
  ]);
  const found: Findings = {
    checks: results,
    host: readHostFacts('/'),
    ...(world.elsewhere === undefined ? {} : { elsewhere: world.elsewhere }),
    gpus: gpus.is === 'present' ? gpus.gpus.map((gpu) => withVersions(gpu, gpus)) : [],
    ...(gpus.is === 'present' ? {} : { noGpus: gpus.evidence }),
    backends,
    ...(subject ? { subject } : {}),
    ...(why ? { chosen: why } : {}),
    ...(problem ? { problem } : {}),
    findings: toFindings(chosen, results),
    profiles,
    ...(subject?.plan.memory ? { memory: subject.plan.memory } : {}),
  };
  return { report: { ...found, ...toConclusion(found) }, ...(made ? { made } : {}) };
}

/** 3: the profile is invalid; 4: it cannot work here; 10: `strict`, and something is worth a look. */
export function toDoctorStatus({ verdict, problem }: DoctorReport, { strict }: { readonly strict: boolean }): number {
  if (problem) return problem.error.exitStatus;
  if (verdict === 'error') return ExitStatus.machine;
  return strict && verdict === 'warn' ? ExitStatus.gate : ExitStatus.done;
}

interface Looking {
  readonly world: World;
  readonly context: Context;
  readonly subject?: DoctorSubject;
}

/** Of another machine only its GPUs are known. */
async function answer({ world, context, subject }: Looking): Promise<readonly CheckResult[]> {
  const { elsewhere } = world;
  const here = checks.filter(({ group }) => elsewhere === undefined || group === 'gpu');
  const toContext = (signal: AbortSignal): DoctorContext => world.toContext(subject, signal);
  const results = await runChecks(here, { signal: context.signal, toContext });
  if (elsewhere === undefined) return results;
  const message = toElsewhereText(elsewhere);
  const others = checks.filter((check) => !here.includes(check)).map(({ id, group }) => ({ id, group, needed: false, message }));
  return [...results, ...others.map((other) => ({ ...other, status: 'skip' as const }))];
}

/** The driver's versions belong to each GPU in the document. */
function withVersions<T extends { readonly driverVersion?: string; readonly cudaVersion?: string }>(
  gpu: T,
  { driverVersion, cudaVersion }: Extract<GpuObservation, { readonly is: 'present' }>,
): T {
  return { ...(driverVersion === undefined ? {} : { driverVersion }), ...(cudaVersion === undefined ? {} : { cudaVersion }), ...gpu };
}

/** A check that failed has said better what is in the way. */
function toFindings({ findings, blockers }: ChosenSubject, results: readonly CheckResult[]): DoctorReport['findings'] {
  const isSaid = results.some(({ needed }) => needed) || findings.some(({ severity }) => severity === 'error');
  const ranks = ['error', 'warning', 'info'];
  const all = isSaid ? findings : [...blockers, ...findings];
  return all.toSorted((a, b) => ranks.indexOf(a.severity) - ranks.indexOf(b.severity));
}
