/** The steps of `fallback:` as they are checked: settings, or a profile, in place of what did not start. */
import type { Finding } from '../core/finding.ts';
import { type Message, say } from '../core/message.ts';
import { curesAnything } from '../vllm/failures/cures.ts';
import { toShown } from './check.ts';
import type { CheckedProfile } from './checked.ts';
import { estimated, toFallbackSteps } from './fallback-steps.ts';
import type { Source } from './layer.ts';
import { isMap } from './map.ts';
import type { Profile, WrittenStep } from './profile.ts';

export interface FallbackReading {
  /** The profile with a step on top, and every problem of it that the profile alone has not. */
  readonly readOn: (step: Readonly<Record<string, unknown>>) => Promise<CheckedProfile>;
  /** As `loadProfile` does. Undefined where there is no such profile, or it cannot be read. */
  readonly readAlone: (ref: string) => Promise<CheckedProfile | undefined>;
  readonly nearestOf: (ref: string) => Promise<Message | string>;
  /** Files with all that they say, parents first. */
  readonly sources: readonly Source[];
  /** Of the profile without steps. */
  readonly known: readonly Finding[];
}

/** Each is read like a profile of its own. */
const mostSteps = 32;

/** Each step checked as the profile with it on top would be; places are those of the step. */
export async function checkFallback(profile: Profile, reading: FallbackReading): Promise<readonly Finding[]> {
  const written = profile.fallback ?? [];
  if (written.length > mostSteps) {
    const message = say('profile.fallback-most', { most: mostSteps });
    return [{ code: 'profile/too-large', severity: 'error', message, ...locate([], { index: mostSteps, written, reading }) }];
  }
  const found = await Promise.all(written.map((step, index) => checkStep(profile, step, { index, written, reading })));
  return found.flat();
}

interface At {
  readonly index: number;
  readonly written: readonly WrittenStep[];
  readonly reading: FallbackReading;
}

type Told = Pick<Finding, 'code' | 'message'> & Partial<Pick<Finding, 'severity' | 'hint'>>;

async function checkStep(profile: Profile, step: WrittenStep, at: At): Promise<readonly Finding[]> {
  const { index, written, reading } = at;
  const tell = (told: Told, path: readonly string[] = []): Finding => ({ severity: 'error', ...told, ...locate(path, at) });
  const number = index + 1;
  const [resolved] = toFallbackSteps([step]);
  if (Object.keys(step).length === 0 || resolved === undefined)
    return [tell({ code: 'profile/fallback-idle', severity: 'warning', message: say('profile.fallback-same', { number }) })];
  const misplaced = Object.keys(step).filter((key) => foreign.includes(key) || (key !== 'profile' && 'profile' in step));
  if (misplaced.length > 0)
    return misplaced.map((key) => {
      const message = 'profile' in step ? say('profile.fallback-alone', { key }) : say('profile.fallback-foreign', { key });
      return tell({ code: 'profile/fallback-setting', message }, [key]);
    });
  if (written.slice(0, index).some((earlier) => JSON.stringify(earlier) === JSON.stringify(step)))
    return [tell({ code: 'profile/fallback-idle', severity: 'warning', message: say('profile.fallback-twice', { number }) })];
  const found = await ('profile' in step ? checkProfileStep(profile, step, { reading, tell }) : checkSettings(profile, step, { at, tell }));
  if (found.length > 0 || curesAnything(resolved)) return found;
  return [tell({ code: 'profile/fallback-idle', severity: 'warning', message: say('profile.fallback-cures-nothing', { number }) })];
}

/** What tells clients and people where and what it is, and what is no part of a launch. */
const foreign = ['extends', 'description', 'server', 'served-names', 'labels', 'replicas', 'notify', 'logs', 'adapt', 'fallback'];

type Tell = (told: Told, path?: readonly string[]) => Finding;

async function checkProfileStep(
  { source }: Profile,
  { profile: ref }: WrittenStep,
  { reading, tell }: { readonly reading: FallbackReading; readonly tell: Tell },
): Promise<readonly Finding[]> {
  if (typeof ref !== 'string' || ref === '')
    return [tell({ code: 'profile/fallback-setting', message: say('profile.fallback-no-name', { value: toShown(ref) }) }, ['profile'])];
  const checked = await reading.readAlone(ref);
  if (checked === undefined) {
    const message = say('profile.fallback-unknown', { step: ref, nearest: await reading.nearestOf(ref) });
    return [tell({ code: 'profile/fallback-unknown', message }, ['profile'])];
  }
  if (checked.source === source)
    return [tell({ code: 'profile/fallback-setting', message: say('profile.fallback-itself', { step: ref }) }, ['profile'])];
  if (checked.profile !== undefined) return [];
  const count = checked.findings.filter(({ severity }) => severity === 'error').length;
  const hint = say('profile.step-broken.hint', { step: ref });
  return [tell({ code: 'profile/fallback-unknown', message: say('profile.fallback-broken', { step: ref, count }), hint }, ['profile'])];
}

/** A length that nobody knows yet is as good as one that suits every model. */
const anyLength = 1024;

async function checkSettings(
  profile: Profile,
  step: WrittenStep,
  { at, tell }: { readonly at: At; readonly tell: Tell },
): Promise<readonly Finding[]> {
  const { index, reading } = at;
  const isEstimated = isMap(step.vllm) && step.vllm['max-model-len'] === estimated;
  const meant = isEstimated && isMap(step.vllm) ? { ...step, vllm: { ...step.vllm, 'max-model-len': anyLength } } : step;
  const { findings, profile: other } = await reading.readOn(meant);
  const known = new Set(reading.known.map(toKey));
  const errors = findings.filter((finding) => finding.severity === 'error' && !known.has(toKey(finding)));
  if (errors.length > 0)
    return errors.map(({ code, message, hint, path = '' }) => {
      const own = isIn(step, path);
      const said = own ? message : say('profile.fallback-clash', { number: index + 1, problem: message });
      return tell({ code, message: said, ...(hint ? { hint } : {}) }, own ? path.split('.') : []);
    });
  if (isEstimated || other === undefined || toSettings(other) !== toSettings(profile)) return [];
  const message = say('profile.fallback-same', { number: index + 1 });
  return [tell({ code: 'profile/fallback-idle', severity: 'warning', message })];
}

function toKey({ code, path, message }: Finding): string {
  return JSON.stringify([code, path, message]);
}

function toSettings({ origins: _, ...profile }: Profile): string {
  return JSON.stringify(profile);
}

/** Whether a finding is about what the step itself says. */
function isIn(step: WrittenStep, path: string): boolean {
  const [head = '', ...rest] = path.split('.');
  if (!Object.hasOwn(step, head)) return false;
  const below = step[head];
  return (
    !isMap(below) || rest.length === 0 || Object.keys(below).some((key) => rest.join('.') === key || rest.join('.').startsWith(`${key}.`))
  );
}

/** Of a list that was added to, nobody can tell which file has the step: the list itself is the place. */
function locate(path: readonly string[], { index, written, reading }: At): Pick<Finding, 'path' | 'file' | 'line' | 'column'> {
  const steps = ['fallback', String(index), ...path];
  const source = reading.sources.findLast(({ value }) => Array.isArray(value.fallback));
  const list = source?.value.fallback;
  const isWhole = Array.isArray(list) && list.length === written.length;
  return { path: steps.join('.'), ...source?.locate(isWhole ? steps : ['fallback'], isWhole ? 'value' : 'key') };
}
