/** What a step of `fallback` would start, planned by the supervisor itself: nobody is there to be asked. */
import { DeployError } from '../core/error.ts';
import { type Message, say } from '../core/message.ts';
import { toChanges } from '../plan/diff.ts';
import { estimated, lengthPath, toDifference } from '../profile/fallback-steps.ts';
import type { FallbackStep } from '../profile/profile.ts';
import { recallProfile } from '../profile/recall.ts';
import { findPlanned } from '../supervisor/reduce/fallback.ts';
import type { Deployable, Fix, State } from '../supervisor/state.ts';
import { toErrorText, toText } from '../text/render.ts';
import type { Context } from './context.ts';
import { toFixedSets } from './fix-words.ts';
import { type MadePlan, makePlanOf, toAskedAgain } from './plan.ts';
import { findBlockers } from './plan-up.ts';
import { toDeployable } from './prepare-up.ts';

export interface FallbackContext extends Context {
  readonly onNote: (note: Message) => void;
}

/** Undefined: this machine would refuse it, or it has nothing to say here; that is noted, and the next step's turn. */
export async function planFallback(state: State, context: FallbackContext): Promise<Deployable | undefined> {
  const step = findPlanned(state);
  if (step === undefined) return undefined;
  const refuse = (problem: string) => {
    context.onNote(say('life.fallback-refused', { step: step.name, problem }));
    return undefined;
  };
  try {
    const set = await toSet(step, state, context);
    if (Object.keys(set).length === 0) return refuse(toText(say('life.fallback-no-estimate')));
    const made = await planWith(set, state, context);
    const problem = made === undefined ? toText(say('life.fallback-gone')) : await findProblem(made, state);
    if (made === undefined || problem !== undefined) return refuse(problem ?? '');
    if (made.spec.hash === state.wanted.spec.hash) return refuse(toText(say('life.fallback-same')));
    return toFallen(made, { step, set }, state);
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    return refuse(toWords(error));
  }
}

function toWords(error: DeployError): string {
  const [first] = error.findings.filter(({ severity }) => severity === 'error');
  return first ? toText(first.message) : toErrorText(error).message;
}

type Settings = Fix['set'];

async function toSet(step: FallbackStep, state: State, { places, cwd }: Context): Promise<Settings> {
  const { source, spec } = state.wanted;
  const read = (ref: string, sets: readonly string[]) => recallProfile(ref, { places, cwd, sets, unchecked: source.unchecked ?? false });
  const set =
    'set' in step
      ? toFilled(step.set, state)
      : toDifference((await read(source.ref, source.sets)).profile, (await read(step.profile, [])).profile);
  const isOtherModel = Object.keys(set).some((path) => /^model(\.(id|path))?$/.test(path));
  // Names that follow from the model are the clients' by now.
  return isOtherModel ? { ...set, 'served-names': spec.servedNames } : set;
}

/** A length that the last log does not give is left out, and the rest of the step may do. */
function toFilled(set: Settings, { falling }: State): Settings {
  if (set[lengthPath] !== estimated) return set;
  const { [lengthPath]: _, ...rest } = set;
  const length = falling?.exit.diagnosis?.remedies?.map((remedy) => remedy.set?.[lengthPath]).find((one) => typeof one === 'number');
  // Blocks are of 16 tokens and more.
  return length === undefined ? rest : { ...rest, [lengthPath]: length >= 32 ? Math.floor(length / 16) * 16 : length };
}

function planWith(set: Settings, { name, wanted }: State, context: Context): Promise<MadePlan | undefined> {
  const { source, spec } = wanted;
  const { group = name, replica } = source.member ?? {};
  const asked = { ...toAskedAgain(source), sets: toFixedSets(source.sets, [{ set }]), name: group };
  // One that the step names itself is meant.
  const backend = Object.hasOwn(set, 'engine.backend') ? {} : { backend: spec.backend };
  return makePlanOf({ ...asked, ...backend, ...(replica === undefined ? {} : { replica }) }, context);
}

/** What would stop an `up` of it. Whether its port is free, its start finds out. */
async function findProblem(made: MadePlan, { wanted }: State): Promise<string | undefined> {
  const { source } = made.plan.engine;
  if (source.kind === 'managed' && !source.installed) return toText(say('life.fallback-engine', { version: made.plan.engine.version }));
  if (source.kind === 'image' && !source.present) return toText(say('life.fallback-image', { image: source.reference }));
  if (wanted.source.unchecked) return undefined;
  const [blocker] = await findBlockers({ name: made.name, profile: made.profile, first: made, all: [made] }, () => true);
  if (blocker) return toErrorText(blocker).message;
  const error = made.plan.findings.find(({ severity }) => severity === 'error');
  return error && toText(error.message);
}

interface Taken {
  readonly step: FallbackStep;
  readonly set: Settings;
}

/** Under the same name, and told of as before: the step is recorded like a change of `--fix`, and undone like one. */
function toFallen(made: MadePlan, { step, set }: Taken, { name, wanted, falling }: State): Deployable {
  const { source } = wanted;
  const changes = toChanges(wanted.spec, made.spec);
  const cause = falling?.cause ?? '';
  const fix: Fix = { set, cause, at: new Date().toISOString(), by: 'fallback', step: step.name, changes };
  const { member, asked = source.sets, fixes = [], ...rest } = source;
  const sets = toFixedSets(source.sets, [fix]);
  const next = toDeployable(made, { ...rest, sets, asked, fixes: [...fixes, fix] }, member?.group ?? name);
  // The list is that of the profile as it was asked for: a step may not bring steps of its own.
  return { ...next, profile: wanted.profile, ...(wanted.fallback ? { fallback: wanted.fallback } : {}) };
}
