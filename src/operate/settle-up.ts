/** What an `up` is about before anything is planned: whose profile, and which changes of an earlier `--fix` it keeps. */
import { DeployError } from '../core/error.ts';
import { type Message, say } from '../core/message.ts';
import { toChanges } from '../plan/diff.ts';
import { createRecall } from '../profile/recall.ts';
import type { Deployable, Fix } from '../supervisor/state.ts';
import type { Context } from './context.ts';
import { isAt } from './fix-words.ts';
import { toLastingRef } from './plan.ts';
import { type ChosenRef, chooseRef, type PlanUpRequest, planFor, readRecord, toProfileName } from './plan-up.ts';

export type SettledUp<R extends PlanUpRequest = PlanUpRequest> = R & { readonly chosen: ChosenRef; readonly fixes: readonly Fix[] };

/** Fixes are kept for the same profile, as long as nobody sets something else in their place. */
export async function settleUp<R extends PlanUpRequest>(request: R, context: Context): Promise<SettledUp<R>> {
  const meant = request.again && request.name !== undefined ? await readAgain(request, request.name, context) : request;
  const chosen = meant.chosen ?? (await chooseRef(meant, context));
  if (meant.fixes) return { ...meant, chosen, fixes: meant.fixes };
  const name = toDeployedName(meant, chosen);
  const wanted = await readWanted(name, context);
  if (wanted?.source.fixes === undefined) return { ...meant, chosen, fixes: [] };
  const kept = await keepFixes({ ...meant, chosen }, wanted, context);
  for (const fix of wanted.source.fixes) for (const text of toTexts(fix, name, kept.includes(fix))) tell(context, text);
  return { ...meant, chosen, fixes: kept };
}

export function toDeployedName({ name }: Pick<PlanUpRequest, 'name'>, { ref }: Pick<ChosenRef, 'ref'>): string {
  return name ?? toProfileName(ref);
}

/** As it was asked for last; what is set now comes on top. */
async function readAgain<R extends PlanUpRequest>(request: R, name: string, context: Context): Promise<R> {
  const wanted = await readWanted(name, context);
  if (wanted === undefined) return request;
  const { ref, sets, asked = sets } = wanted.source;
  const { backend = wanted.spec.backend } = request;
  return { ...request, profile: ref, chosen: { ref, auto: false }, sets: [...asked, ...request.sets], backend };
}

/** Of replicas all have the same. */
async function readWanted(name: string, context: Context): Promise<Deployable | undefined> {
  for (const one of [name, `${name}-1`]) {
    const { state } = await readRecord(one, context);
    if (state && (one === name || state.wanted.source.member?.group === name)) return state.wanted;
  }
  return undefined;
}

async function keepFixes(request: PlanUpRequest & { readonly chosen: ChosenRef }, wanted: Deployable, context: Context) {
  const { source } = wanted;
  if (!(await isSameProfile(request.chosen.ref, source, context))) return [];
  const fixes = (source.fixes ?? []).filter((fix) => !isOverruled(fix, request, source));
  const stale = await findStale(request, { ...wanted, source: { ...source, fixes } }, context);
  return fixes.filter(({ changes }) => !changes.some(({ path }) => stale.includes(path)));
}

/** Settings that the profile has otherwise by now than when they were changed: somebody has thought about them. */
async function findStale(
  request: PlanUpRequest & { readonly chosen: ChosenRef },
  { source, spec }: Deployable,
  context: Context,
): Promise<readonly string[]> {
  try {
    const { all, first } = await planFor(request.chosen.ref, { ...request, fixes: [], unchecked: true }, context);
    if (all.length > 1) return [];
    const now = new Map(toChanges(first.spec, spec).map(({ path, from }) => [path, from]));
    const was = new Map((source.fixes ?? []).flatMap(({ changes }) => changes.map(({ path, from }) => [path, from] as const)).toReversed());
    return [...was].flatMap(([path, from]) => (now.has(path) && isSame(now.get(path), from) ? [] : [path]));
  } catch (error) {
    // What cannot be planned without them needs them.
    if (error instanceof DeployError) return [];
    throw error;
  }
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
}

async function isSameProfile(ref: string, source: Deployable['source'], { places, cwd }: Context): Promise<boolean> {
  if (ref === source.ref) return true;
  const read = await createRecall({ places, cwd, sets: [] })(ref);
  return toLastingRef(ref, read) === source.ref;
}

/** What somebody sets now, and had not set when it was fixed, is meant. */
function isOverruled({ set }: Fix, { sets }: PlanUpRequest, { asked = [] }: Deployable['source']): boolean {
  return sets.some((text) => !asked.includes(text) && Object.keys(set).some((path) => isAt(text, path)));
}

function toTexts({ changes, cause }: Fix, name: string, kept: boolean): readonly Message[] {
  return changes.map(({ path, from, to }) => {
    const about = { name, path, from: toWord(from), to: toWord(to), because: cause };
    return kept ? say('remedy.kept', about) : say('remedy.dropped', about);
  });
}

export function toWord(value: unknown): string {
  if (value === undefined || value === null) return '–';
  return Array.isArray(value) ? value.join(' ') : String(value);
}

function tell({ emit }: Context, text: Message): void {
  emit({ type: 'said', level: 'info', text });
}
