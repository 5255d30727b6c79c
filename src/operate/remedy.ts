/**
 * `up` that helps itself: a start that failed is tried again with what its diagnosis, or our own refusal, says would
 * mend it. Each change is shown, belongs to the deployment and not to the profile, and is made at most once.
 */
import { DeployError } from '../core/error.ts';
import { type Message, say } from '../core/message.ts';
import { type Deployment, type DeploymentList, isServing } from '../supervisor/deployment.ts';
import type { Fix } from '../supervisor/state.ts';
import { toErrorText, toText } from '../text/render.ts';
import type { Context } from './context.ts';
import { findBlockers, planFor, readRecord } from './plan-up.ts';
import { chooseFix, type Trial, toProblems } from './remedy-choice.ts';
import { type SettledUp, settleUp, toDeployedName, toWord } from './settle-up.ts';
import { findErrors } from './skip-checks.ts';
import { type UpRequest, up } from './up.ts';

export interface MendRequest extends UpRequest {
  /** Without it a person is asked, where there is one. */
  readonly fix: boolean;
  /** Into the profile, once it is ready. */
  readonly write: boolean;
}

type Deployed = Deployment | DeploymentList;

/** Throws what `up` throws, and `engine/not-mended` when nothing helped. */
export async function upAndMend(request: MendRequest, context: Context): Promise<Deployed> {
  checkOptions(request);
  const asked = await settleUp(request, context);
  const mended = await mend(asked, { fix: request.fix, canMend: request.wait && !request.foreground, ...toDoors(context) }, context);
  if (!request.write || !isReady(mended.deployed)) return mended.deployed;
  const { writeFixes } = await import('./write-fixes.ts');
  return (await writeFixes(mended, context)) ?? mended.deployed;
}

/** Not where the wait was interrupted. */
function isReady(deployed: Deployed): boolean {
  return (deployed.kind === 'Deployment' ? [deployed] : deployed.deployments).every(({ state }) => isServing(state));
}

function checkOptions({ fix, write, wait, foreground }: MendRequest): void {
  if (write && !fix) throw DeployError.of('usage/write-without-fix', {});
  if (!fix || (wait && !foreground)) return;
  throw DeployError.of('usage/fix-needs-wait', { option: wait ? '--foreground' : '--no-wait' });
}

type Asked = SettledUp<UpRequest>;

export interface Doors {
  readonly start: (asked: Asked) => Promise<Deployed>;
  readonly try: (asked: Asked) => Promise<Trial>;
  /** How the very same launch failed last, where it would fail so again. */
  readonly recall: (asked: Asked) => Promise<DeployError | undefined>;
  readonly now: () => Date;
}

function toDoors(context: Context): Doors {
  return {
    start: (asked) => up(asked, context),
    try: (asked) => tryPlan(asked, context),
    recall: (asked) => recallFailure(asked, context),
    now: () => new Date(),
  };
}

export interface Mending extends Doors {
  readonly fix: boolean;
  /** Whether a failure is seen at all. */
  readonly canMend: boolean;
}

export interface Mended {
  readonly deployed: Deployed;
  readonly asked: Asked;
  /** Changes of this command. */
  readonly made: readonly Fix[];
}

/** Changes in one command. */
const most = 3;

export async function mend(first: Asked, mending: Mending, context: Pick<Context, 'emit' | 'confirm' | 'signal'>): Promise<Mended> {
  const made: Fix[] = [];
  const startedAt = mending.now().getTime();
  let asked = first;
  // Who comes for the cure need not wait for the same failure again.
  let known = mending.fix && mending.canMend ? await mending.recall(asked) : undefined;
  for (;;) {
    const outcome = known ?? (await attempt(asked, mending));
    if (!(outcome instanceof DeployError)) return { deployed: outcome, asked, made };
    const next = await findNext(outcome, { asked, made, mending, context });
    if (next !== undefined) {
      made.push(next);
      // Whoever agreed to the first replacement agreed to what comes of it; of a refusal nobody was asked yet.
      const agreed = asked.yes || (known === undefined && outcome.diagnosis !== undefined);
      const left = toTimeLeft(first, mending.now().getTime() - startedAt);
      asked = { ...asked, ...left, fixes: [...asked.fixes, next], yes: agreed };
    } else if (known === undefined) throw toFailure(outcome, { name: toDeployedName(asked, asked.chosen), made });
    known = undefined;
  }
}

/** It is one wait for whoever waits. */
function toTimeLeft({ timeoutMs }: Asked, spentMs: number): Pick<UpRequest, 'timeoutMs'> {
  return timeoutMs === undefined ? {} : { timeoutMs: Math.max(timeoutMs - spentMs, 1) };
}

async function attempt(asked: Asked, { start }: Mending): Promise<Deployed | DeployError> {
  try {
    return await start(asked);
  } catch (error) {
    if (error instanceof DeployError) return error;
    throw error;
  }
}

interface Failed {
  readonly asked: Asked;
  readonly made: readonly Fix[];
  readonly mending: Mending;
  readonly context: Pick<Context, 'emit' | 'confirm' | 'signal'>;
}

/** Undefined: there is none, or nobody wants it. */
async function findNext(error: DeployError, { asked, made, mending, context }: Failed): Promise<Fix | undefined> {
  const { fix: decided, canMend, now } = mending;
  // Of a refusal nothing is asked: its error says what to set, and nothing has been started.
  if (!canMend || context.signal.aborted || made.length >= most || !(decided ? isCurable(error) : error.diagnosis)) return undefined;
  const tryFixes = (fixes: readonly Pick<Fix, 'set'>[]) => mending.try({ ...asked, fixes: fixes.map(toTried) });
  const next = await chooseFix(error, { fixes: asked.fixes, tried: made, try: tryFixes, now });
  if (next === undefined) return undefined;
  const name = toDeployedName(asked, asked.chosen);
  show(next, { name, why: toWhy(error), decided }, context);
  return decided || (await agree(name, context)) ? next : undefined;
}

/** Something failed or was refused; not: was called off, ran out of time, was asked wrongly. */
function isCurable({ code, diagnosis, findings }: DeployError): boolean {
  return diagnosis !== undefined || findings.length > 0 || /^(host|runtime|plan)\//.test(code);
}

function toTried(fix: Pick<Fix, 'set'>): Fix {
  return { cause: '', at: '', changes: [], ...fix };
}

function toWhy(error: DeployError): Message {
  return error.diagnosis?.title ?? say('plan.sentence', { text: toErrorText(error).message });
}

interface Shown {
  readonly name: string;
  readonly why: Message;
  readonly decided: boolean;
}

function show({ changes }: Fix, { name, why, decided }: Shown, { emit }: Pick<Context, 'emit'>): void {
  emit({ type: 'said', level: 'warning', text: say('remedy.failed', { name, why }) });
  emit({ type: 'said', level: 'info', text: decided ? say('remedy.again') : say('remedy.proposal') });
  for (const { path, from, to } of changes)
    emit({ type: 'said', level: 'info', text: say('remedy.change', { path, from: toWord(from), to: toWord(to) }) });
}

/** Without a terminal nobody is asked, and the failure is the answer. */
async function agree(name: string, { confirm, emit }: Pick<Context, 'confirm' | 'emit'>): Promise<boolean> {
  try {
    return await confirm(say('remedy.question', { name }), '--fix');
  } catch (error) {
    if (!(error instanceof DeployError) || error.code !== 'confirm/needed') throw error;
    emit({ type: 'said', level: 'info', text: say('remedy.hint', { name }) });
    return false;
  }
}

function toFailure(error: DeployError, { name, made }: { readonly name: string; readonly made: readonly Fix[] }): DeployError {
  const tried = made.flatMap(({ changes, cause }) =>
    changes.map(({ path, to }) => say('remedy.was-tried', { path, to: toWord(to), because: cause })),
  );
  const [first, ...rest] = tried;
  // What stops a command otherwise keeps its own code and exit status.
  if (first === undefined || !isCurable(error)) return error;
  const list = rest.reduce<Message>((before, next) => say('remedy.list', { first: before, rest: next }), first);
  const { diagnosis, findings } = error;
  const about = { name, tried: toText(list), reason: toErrorText(error).message };
  return DeployError.of('engine/not-mended', about, { cause: error, findings, ...(diagnosis ? { diagnosis } : {}) });
}

/** Only of what would fail again: the rest may have passed by now. */
async function recallFailure(asked: Asked, context: Context): Promise<DeployError | undefined> {
  const name = toDeployedName(asked, asked.chosen);
  const { state } = await readRecord(name, context);
  const diagnosis = state?.life === 'failed' ? state.lastExit?.diagnosis : undefined;
  if (state === undefined || diagnosis === undefined || !diagnosis.permanent) return undefined;
  const { spec } = await tryPlan(asked, context);
  if (spec?.hash !== state.wanted.spec.hash) return undefined;
  return DeployError.of('engine/failed', { name, line: state.lastExit?.line ?? diagnosis.cause }, { diagnosis });
}

/** What `up` would make of it, without a start. */
async function tryPlan(asked: Asked, context: Context): Promise<Trial> {
  const { ref } = asked.chosen;
  try {
    const made = await planFor(ref, asked, context);
    const records = await Promise.all(made.all.map(({ name }) => readRecord(name, context)));
    const blockers = await findBlockers(made, (at) => records[at]?.holdsMachine === true);
    const problems = [...blockers.map(({ code }) => code), ...findErrors(made).map(({ code, path = '' }) => `${code} ${path}`)];
    return { spec: made.first.spec, blockers, problems: asked.unchecked ? [] : problems };
  } catch (error) {
    const problems = toProblems(error);
    if (asked.unchecked) return { problems, blockers: [] };
    // Only to say what a change would be a change of.
    const read = await tryPlan({ ...asked, unchecked: true }, context);
    return { ...read, problems, blockers: [] };
  }
}
