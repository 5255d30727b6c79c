/** The profiles that a deployment can run as: the one that was asked for, and lighter ones below it. */
import type { Pressure, PressureDirection } from '../../core/pressure.ts';
import type { AdaptSettings } from '../../profile/profile.ts';
import type { AdaptPast } from '../adapt/adapt.ts';
import { isServing } from '../deployment.ts';
import type { Deployable, State } from '../state.ts';

/** Beside the spec and its hash: to change it restarts nothing. */
export interface AdaptPlan {
  readonly settings: AdaptSettings;
  /** The first is what was asked for, the last the lightest. */
  readonly ladder: readonly Rung[];
}

export type Rung = Omit<Deployable, 'adapt'>;

/** What came of pressure so far. It outlives launches, so that a day has only so many steps. */
export interface Adapted {
  /** Times of the steps of the last 24 hours, ISO. */
  readonly steps: readonly string[];
  /** Of the last step. */
  readonly because: readonly Pressure[];
  /** The run that was to become the first on the new rung. */
  readonly run: number;
  /** The rung's hash. Absent from records of versions that did not note it. */
  readonly to?: string;
  /** Hashes of lighter ones that did not become ready: not tried again until somebody asks. */
  readonly unfit: readonly string[];
}

export interface AdaptedNow {
  /** The profile that was asked for. */
  readonly from: string;
  readonly since: string;
  readonly because: readonly Pressure[];
}

/** Where on the ladder; undefined when there is none, or what is wanted does not stand on it. */
export function toRungNumber({ adapt, spec }: Deployable): number | undefined {
  const at = adapt?.ladder.findIndex((rung) => rung.spec.hash === spec.hash) ?? -1;
  return at < 0 ? undefined : at;
}

/** What was asked for, whatever runs for now. */
export function toBase(wanted: Deployable): Deployable {
  const { adapt } = wanted;
  const base = adapt?.ladder[0];
  return adapt === undefined || base === undefined || toRungNumber(wanted) === undefined ? wanted : { ...base, adapt };
}

/** What runs for now, in place of what is asked for, where that is a step of it: pressure does not end by being asked. */
export function keepRung({ life, wanted: running }: State, asked: Deployable): Deployable {
  if (!isServing(life) && life !== 'starting' && life !== 'preflight') return asked;
  const { adapt } = asked;
  const rung = adapt?.ladder.find(({ spec }) => spec.hash === running.spec.hash);
  const isSameBase = toBase(running).spec.hash === asked.spec.hash;
  return adapt === undefined || rung === undefined || !isSameBase ? asked : { ...rung, adapt };
}

/** The rung that a step leads to; undefined when there is none. */
export function findNextRung({ wanted, adapted }: State, to: PressureDirection): Deployable | undefined {
  const at = toRungNumber(wanted);
  const { adapt } = wanted;
  if (at === undefined || adapt === undefined) return undefined;
  const rung = to === 'back' ? adapt.ladder[at - 1] : adapt.ladder.slice(at + 1).find(({ spec }) => !adapted?.unfit.includes(spec.hash));
  return rung && { ...rung, adapt };
}

export function toAdaptPast(state: State): AdaptPast {
  return {
    canGo: { lighter: findNextRung(state, 'lighter') !== undefined, back: findNextRung(state, 'back') !== undefined },
    steps: state.adapted?.steps ?? [],
  };
}

/** For `status`: only while something lighter runs. */
export function toAdaptedNow({ wanted, adapted }: State): AdaptedNow | undefined {
  const since = adapted?.steps.at(-1);
  if (adapted === undefined || since === undefined || (toRungNumber(wanted) ?? 0) === 0) return undefined;
  return { from: toBase(wanted).profile, since, because: adapted.because };
}

/** The first start on a new rung failed: it is left at once, and not tried again and again. */
export function isFailedStep({ adapted, run, readyAt, wanted }: State): boolean {
  // Something else may have been asked for while the last one ended: that start is nobody's step.
  return adapted?.run === run && readyAt === undefined && (adapted.to ?? wanted.spec.hash) === wanted.spec.hash;
}

/** What a step to something lighter leaves behind that did not become ready. */
export function noteUnfit({ adapted, wanted, lastGood }: State): { readonly adapted?: Adapted } {
  if (adapted === undefined) return {};
  const isLighter = lastGood !== undefined && (toRungNumber(wanted) ?? 0) > (toRungNumber(lastGood) ?? 0);
  return { adapted: isLighter ? { ...adapted, unfit: [...adapted.unfit, wanted.spec.hash] } : adapted };
}

/** Somebody asked for something: what did not start may do so now. */
export function forgiveUnfit({ adapted }: State): { readonly adapted?: Adapted } {
  return adapted === undefined ? {} : { adapted: { ...adapted, unfit: [] } };
}
