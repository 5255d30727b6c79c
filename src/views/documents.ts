/** JSON documents of the public interface: sentences become English text, the rest stays data. */
import { toDiagnosisDocument, toExitDocument } from '../core/diagnosis-document.ts';
import type { Finding } from '../core/finding.ts';
import { say } from '../core/message.ts';
import type { FlagExplanation } from '../operate/explain.ts';
import type { LogExplanation } from '../operate/explain-log.ts';
import type { LaunchSpec } from '../plan/launch-spec.ts';
import type { Memory, Plan } from '../plan/plan.ts';
import type { Deployment, DeploymentList } from '../supervisor/deployment.ts';
import { toText } from '../text/render.ts';
import type { EngineLog } from '../vllm/unwrap/engine-logs.ts';

export interface PlannedChange {
  readonly path: string;
  readonly from: unknown;
  readonly to: unknown;
}

export interface PlannedReplica {
  readonly name: string;
  readonly endpoint: LaunchSpec['endpoint'];
  /** Where not all see the same. */
  readonly gpus?: string;
  readonly changes?: readonly PlannedChange[];
}

export interface Planned {
  readonly plan: Plan;
  readonly spec: LaunchSpec;
  /** What a person would type to get the container; absent for what is none. */
  readonly containerLine?: string;
  readonly changes?: readonly PlannedChange[];
  /** Where there are several: each of them, the first one too. */
  readonly replicas?: readonly PlannedReplica[];
  /** Deployments that would be stopped. */
  readonly surplus?: readonly string[];
}

export function toFindingDocument(finding: Finding): object {
  const { message, hint, ...rest } = finding;
  return { ...rest, message: toText(message), ...(hint === undefined ? {} : { hint: toText(hint) }) };
}

/** The Diagnosis of the engine that failed first, with what else the log holds; without a `cause` where nothing failed. */
export function toLogDocument({ log, engines }: LogExplanation): object {
  const [first, ...others] = engines.flatMap(toFailureDocument);
  const { isVllm, ...facts } = log;
  const nothing = {
    kind: 'Diagnosis',
    version: 1,
    title: toText(isVllm ? say('explain-log.healthy') : say('explain-log.not-vllm')),
    permanent: false,
    evidence: [],
    remedies: [],
    launches: Math.max(...engines.map(({ launches }) => launches)),
  };
  const rest = { failed: first !== undefined, log: { ...facts, isVllm, engines: engines.length } };
  return { ...(first ?? nothing), ...rest, ...(others.length > 0 ? { others } : {}) };
}

function toFailureDocument({ source, launches, failed }: EngineLog): readonly object[] {
  if (failed === undefined) return [];
  return [
    { ...toDiagnosisDocument(failed.diagnosis, toText), ...(source === undefined ? {} : { source }), launch: failed.launch, launches },
  ];
}

export function toDeploymentDocument({ findings, lastExit, ...rest }: Deployment): object {
  const exit = lastExit === undefined ? {} : { lastExit: toExitDocument(lastExit, toText) };
  return { ...rest, ...exit, ...(findings === undefined ? {} : { findings: findings.map(toFindingDocument) }) };
}

export function toDeploymentListDocument(list: Pick<DeploymentList, 'deployments'>): object {
  return { kind: 'DeploymentList', version: 1, deployments: list.deployments.map(toDeploymentDocument) };
}

export function toPlanDocument({ plan, spec, changes, replicas, surplus }: Planned): object {
  const { decisions, findings, memory, ...rest } = plan;
  return {
    kind: 'Plan',
    version: 1,
    ...rest,
    endpoint: spec.endpoint,
    argv: [spec.program, ...spec.args],
    env: { ...spec.env, ...spec.secretEnv },
    resources: spec.resources,
    decisions: decisions.map(({ reason, ...decision }) => ({ ...decision, reason: toText(reason) })),
    ...(memory === undefined ? {} : { memory: toMemoryDocument(memory) }),
    findings: findings.map(toFindingDocument),
    ...(changes === undefined ? {} : { changes }),
    ...(replicas === undefined ? {} : { replicas }),
    ...(surplus === undefined ? {} : { surplus }),
  };
}

export function toMemoryDocument({ suggestion, ...rest }: Memory): object {
  return { ...rest, ...(suggestion === undefined ? {} : { suggestion: { ...suggestion, message: toText(suggestion.message) } }) };
}

export function toFlagDocument({ entry, advice, oldest: _, ...rest }: FlagExplanation): object {
  return { kind: 'Explanation', version: 1, ...rest, ...entry, ...(advice === undefined ? {} : { advice: toText(advice) }) };
}
