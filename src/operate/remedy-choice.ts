/** Which change may cure a failed start: what its diagnosis or its findings offer, tried on the plan first. */
import { DeployError } from '../core/error.ts';
import { toChanges } from '../plan/diff.ts';
import type { LaunchSpec } from '../plan/launch-spec.ts';
import { parseKeyPath } from '../profile/layer.ts';
import { isSecretPath, isSecretText } from '../profile/secrets.ts';
import type { Fix } from '../supervisor/state.ts';

type Settings = Fix['set'];

/** A change that might do. */
export interface Candidate {
  readonly set: Settings;
  /** Id of the cause, or code of the finding. */
  readonly cause: string;
}

/** What would come of a request. */
export interface Trial {
  /** Absent where not even a plan can be made. */
  readonly spec?: LaunchSpec;
  /** What `up` would refuse it for. */
  readonly problems: readonly string[];
  /** Those that stand in the way on this machine. */
  readonly blockers: readonly DeployError[];
}

export interface Choosing {
  /** Every change made so far, also those of earlier commands. */
  readonly fixes: readonly Fix[];
  /** Those of this command. */
  readonly tried: readonly Fix[];
  readonly try: (fixes: readonly Pick<Fix, 'set'>[]) => Promise<Trial>;
  readonly now: () => Date;
}

/** The first change that alters the launch, was not made before, and would not be refused itself. */
export async function chooseFix(error: DeployError, { fixes, tried, ...choosing }: Choosing): Promise<Fix | undefined> {
  const before = await choosing.try(fixes);
  const made = new Set([...fixes, ...tried].map(({ set }) => toKey(set)));
  const offered = toOrdered([...toOffers(error), ...toOwnOffers([error, ...before.blockers])], tried);
  for (const { set, cause } of offered) {
    if (made.has(toKey(set)) || !isPlain(set)) continue;
    const after = await choosing.try([...fixes, { set }]);
    if (after.spec === undefined || !isBetter(before, after)) continue;
    const changes = before.spec
      ? toChanges(before.spec, after.spec)
      : Object.entries(set).map(([path, to]) => ({ path, from: undefined, to }));
    if (changes.length > 0) return { set, cause, at: choosing.now().toISOString(), changes };
  }
  return undefined;
}

/** The remedies of a diagnosis, the best first; of findings all together before one by one. */
function toOffers({ diagnosis, findings }: DeployError): readonly Candidate[] {
  const remedies = (diagnosis?.remedies ?? []).flatMap(({ set }) => (set ? [{ set, cause: diagnosis?.cause ?? '' }] : []));
  const fixes = findings.flatMap(({ severity, code, fix }) => (severity === 'error' && fix ? [{ set: fix, cause: code }] : []));
  const [first] = fixes;
  const together = first && fixes.length > 1 ? [{ set: Object.assign({}, ...fixes.map(({ set }) => set)), cause: first.cause }] : [];
  return [...remedies, ...together, ...fixes];
}

/** What has not helped against a cause is not done again in other words, as long as there is something else to try. */
function toOrdered(offered: readonly Candidate[], tried: readonly Fix[]): readonly Candidate[] {
  const isRepeated = ({ set, cause }: Candidate) =>
    tried.some((fix) => fix.cause === cause && Object.keys(set).some((path) => path in fix.set));
  return [...offered.filter((one) => !isRepeated(one)), ...offered.filter(isRepeated)];
}

/** What our own refusals know: which port is free, which share of the GPU. */
function toOwnOffers(errors: readonly DeployError[]): readonly Candidate[] {
  return errors.flatMap(({ code, params }): readonly Candidate[] => {
    if (code === 'runtime/port-taken') return [{ set: { 'server.port': params.free }, cause: code }];
    if (code === 'host/gpu-share') return [{ set: { 'vllm.gpu-memory-utilization': params.fits }, cause: code }];
    return [];
  });
}

/** One of several refusals may be cured by it, and the next by another one. */
function isBetter(before: Trial, after: Trial): boolean {
  return after.problems.length === 0 || after.problems.length < before.problems.length;
}

/** Keys and places on a disk are a person's to name, and to run foreign code is a person's to allow. */
function isPlain(set: Settings): boolean {
  return Object.entries(set).every(([path, value]) => {
    const steps = parseKeyPath(path);
    if (value === null) return true;
    if (path === 'server.host') return value === '127.0.0.1';
    return !isSecretPath(steps) && !isOfPerson(path) && toLeaves(value).every((text) => !isSecretText(text) && !isPlace(text));
  });
}

function isOfPerson(path: string): boolean {
  return /^(model(\.(id|path|tokenizer))?|engine\.(executable|image|mounts)|server\.api-key|vllm\.trust-remote-code)$/.test(path);
}

/** Also what stands for something that only a person knows: `<PATH>`, `PATH…`. */
function isPlace(text: string): boolean {
  return /^(~?\/|\.{1,2}\/|env:|file:)|[<>…]/.test(text);
}

function toLeaves(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(toLeaves) : [];
}

function toKey(set: Settings): string {
  return JSON.stringify(Object.entries(set).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** What a plan that could not be made is refused for. */
export function toProblems(error: unknown): readonly string[] {
  if (!(error instanceof DeployError)) throw error;
  const errors = error.findings.filter(({ severity }) => severity === 'error');
  return errors.length === 0 ? [error.code] : errors.map(({ code, path = '' }) => `${code} ${path}`);
}
