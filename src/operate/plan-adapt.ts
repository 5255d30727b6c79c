/** The lighter profiles of `adapt`, planned like any other before anything starts: under pressure nobody is there to ask. */
import type { Finding } from '../core/finding.ts';
import { say } from '../core/message.ts';
import { checkReturn } from '../plan/adapt.ts';
import { placeHit } from '../profile/rules/place.ts';
import type { RuleHit } from '../profile/rules/rule.ts';
import { toErrorText } from '../text/render.ts';
import type { Context } from './context.ts';
import { type MadePlan, makeStepPlan } from './plan.ts';
import { findBlockers, type PlanUpRequest } from './plan-up.ts';

export interface PlannedSteps {
  /** The lightest last. */
  readonly steps: readonly MadePlan[];
  /** What stands in the way of one of them is an error: a step that cannot start is worse than none. */
  readonly findings: readonly Finding[];
}

export async function planSteps(base: MadePlan, { backend }: Pick<PlanUpRequest, 'backend'>, context: Context): Promise<PlannedSteps> {
  const { adapt } = base.profile;
  const steps: MadePlan[] = [];
  for (const step of adapt?.steps ?? []) {
    steps.push(await makeStepPlan(step, { base, ...(backend === undefined ? {} : { backend }) }, context));
  }
  const found = await Promise.all(steps.map((step, index) => checkStep(step, [base, ...steps.slice(0, index)])));
  return { steps, findings: [...found.flat(), ...checkReturn(base.profile, steps)] };
}

async function checkStep(made: MadePlan, earlier: readonly MadePlan[]): Promise<readonly Finding[]> {
  const [base = made] = earlier;
  const step = made.profile.name;
  const toFinding = (code: string, hit: Omit<RuleHit, 'path'>): Finding => ({
    code,
    severity: 'error',
    ...placeHit({ path: 'adapt.steps', ...hit }, base.profile),
  });
  const same = earlier.find(({ spec }) => spec.hash === made.spec.hash);
  if (same) return [toFinding('plan/step-same', { message: say('plan.step-same', { step, other: same.profile.name }) })];
  if (isUninstalled(made, base)) {
    const about = { step, version: made.plan.engine.version };
    const hint = say('plan.step-engine.hint', { version: about.version });
    return [toFinding('plan/step-engine', { message: say('plan.step-engine', about), hint })];
  }
  const blockers = await findBlockers({ name: made.name, profile: made.profile, first: made, all: [made] }, () => true);
  const whys = [
    ...blockers.map((error) => say('plan.sentence', { text: toErrorText(error).message })),
    ...made.plan.findings.filter(({ severity }) => severity === 'error').map(({ message }) => message),
  ];
  return whys.map((why) => toFinding('plan/step-useless', { message: say('plan.step-useless', { step, why }) }));
}

/** Another engine than that of the base, which `up` installs. */
function isUninstalled({ plan }: MadePlan, base: MadePlan): boolean {
  const { source } = plan.engine;
  const own = base.plan.engine.source;
  return source.kind === 'managed' && !source.installed && (own.kind !== 'managed' || own.program !== source.program);
}
