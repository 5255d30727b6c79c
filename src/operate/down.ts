import { listDeployments } from '../control/directory.ts';
import { systemClock, type Timer } from '../core/clock.ts';
import { DeployError } from '../core/error.ts';
import type { DeployEvent } from '../core/event.ts';
import { type Message, say } from '../core/message.ts';
import { toDurationText } from '../core/units.ts';
import { isOutOfSight } from '../runtime/sight.ts';
import type { Deployment } from '../supervisor/deployment.ts';
import { toProblem } from '../supervisor/launch/work.ts';
import type { Command } from '../supervisor/signal.ts';
import { type State, toDeployment } from '../supervisor/state.ts';
import type { Context } from './context.ts';
import { findDeployment, readReadableState, readRunning } from './find.ts';
import { createJudge, followUntil, type Outcome } from './follow.ts';
import { findMeant } from './members.ts';
import { commandSupervisor, type Ordered } from './reach.ts';
import { isUnseen, toUnseenError, watchSight } from './sight-watch.ts';
import { readStatus } from './status.ts';
import { endStrayContainer, findStrayContainers } from './strays.ts';

export interface DownRequest {
  readonly name?: string;
  readonly all: boolean;
  readonly graceMs?: number;
  readonly force: boolean;
  readonly timeoutMs?: number;
}

/** Returns when each is proven stopped. Of several, one that cannot be stopped does not keep the others up. */
export async function down(request: DownRequest, context: Context): Promise<readonly Deployment[]> {
  const meant = request.all ? undefined : await findMeant(request.name, context);
  if (meant?.is === 'one') return [await stopOne(meant.name, request, context).catch((error: unknown) => refuse(error, context))];
  const names = meant?.names ?? listDeployments(context.places);
  const outcomes = await Promise.allSettled(names.map((name) => stopOne(name, request, context)));
  if (request.all && request.force)
    await removeLeftContainers(
      names.filter((_, at) => outcomes[at]?.status === 'rejected'),
      context,
    );
  else if (request.all) await offerLeftContainers(names, context);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
  return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
}

/** For an offer alone: whoever did not ask for it does not wait for an engine that hangs. */
const offerMs = 1500;

/** Of a name that is not known, a container may be left all the same. */
async function refuse(error: unknown, context: Context): Promise<never> {
  if (!(error instanceof DeployError) || error.code !== 'deployment/unknown') throw error;
  const name = String(error.params.name);
  const found = await findStrayContainers(context, ({ deployment }) => deployment === name, offerMs);
  const [stray] = found.is === 'asked' ? found.strays : [];
  throw stray ? DeployError.of('deployment/left', { name, container: stray.container.name }, { cause: error }) : error;
}

/** Of names that nobody knows any more. */
async function offerLeftContainers(known: readonly string[], context: Context): Promise<void> {
  const found = await findStrayContainers(context, ({ deployment }) => !known.includes(deployment), offerMs);
  if (found.is === 'unasked') return;
  for (const { name: container, deployment: name } of found.strays.map((stray) => stray.container)) {
    context.emit({ type: 'said', level: 'warning', text: say('down.container-offered', { container, name }) });
  }
}

/** All of this home are down now: whatever is still in Docker was lost from its record. Not of those that could not be stopped. */
async function removeLeftContainers(stuck: readonly string[], context: Context): Promise<void> {
  const tell = (text: Message) => context.emit({ type: 'said', level: 'warning', text });
  const found = await findStrayContainers(context, ({ deployment }) => !stuck.includes(deployment));
  if (found.is === 'unasked') return tell(say('down.containers-unasked', { problem: toProblem(found.problem) }));
  for (const stray of found.strays) {
    const { name: container, deployment: name } = stray.container;
    try {
      await endStrayContainer(stray);
      tell(say('down.container-left', { container, name }));
    } catch (error) {
      // Nor would it answer for the next one.
      if (isOutOfSight(error)) return tell(say('down.containers-unasked', { problem: toProblem(error) }));
      tell(say('down.container-stays', { container, name, problem: toProblem(error) }));
    }
  }
}

async function stopOne(asked: string | undefined, request: DownRequest, context: Context): Promise<Deployment> {
  const { name, state } = await findStoppable(asked, context);
  if (state?.life === 'stopped') return toDeployment(state, { wallMs: Date.now() });
  const command = { type: 'down', force: request.force, ...(request.graceMs === undefined ? {} : { graceMs: request.graceMs }) } as const;
  const startedAt = performance.now();
  const outcome = await order(name, { command, timeoutMs: request.timeoutMs }, context);
  if (outcome.is === 'failed') throw outcome.error;
  if (outcome.is === 'timed-out') throw DeployError.of('down/timed-out', { name, waited: toDurationText(performance.now() - startedAt) });
  if (outcome.is === 'interrupted') {
    context.emit({ type: 'said', level: 'warning', text: say('down.interrupted', { name }) });
    return readStatus(name, context);
  }
  const written = (await readReadableState(name, context)) ?? state;
  if (written === undefined) throw DeployError.of('deployment/unknown', { name, nearest: '' });
  // Proven, whatever a disk that takes nothing any more says.
  const proven: Partial<State> = { life: 'stopped', desired: 'down', health: { ready: false, misses: 0 } };
  return toDeployment({ ...written, ...proven }, { wallMs: Date.now() });
}

/** A state file that cannot be read is no reason not to stop what its supervisor has in hand. */
async function findStoppable(asked: string | undefined, context: Context): Promise<{ readonly name: string; readonly state?: State }> {
  try {
    return await findDeployment(asked, 'down', context);
  } catch (error) {
    const unreadable = error instanceof DeployError && (error.code === 'state/corrupt' || error.code === 'state/newer');
    const name = unreadable ? String(error.params.name) : undefined;
    if (name === undefined || !(await readRunning(name, context))) throw error;
    return { name };
  }
}

interface Stop {
  readonly command: Extract<Command, { type: 'down' }>;
  readonly timeoutMs: number | undefined;
}

async function order(name: string, stop: Stop, context: Context): Promise<Outcome> {
  try {
    return await followStop(await commandSupervisor(name, { command: stop.command }, context), stop, context);
  } catch (error) {
    if (!(error instanceof DeployError) || error.code !== 'supervisor/no-start') throw error;
    return stopHere(name, stop, { context, problem: String(error.params.problem) });
  }
}

/** To its end, or until Docker could not be asked for too long: the supervisor goes on waiting for that. */
async function followStop({ address, reply }: Ordered, { timeoutMs }: Stop, context: Context): Promise<Outcome> {
  let { deployment } = reply;
  const sight = watchSight(async () => {
    deployment = (await readRunning(address.name, context).catch(() => undefined))?.document ?? deployment;
    return isUnseen(deployment);
  });
  if (deployment.state === 'unknown') sight.note();
  const emit = (event: DeployEvent) => {
    if (event.type === 'unknown') sight.note();
    context.emit(event);
  };
  const signal = AbortSignal.any([context.signal, sight.lost]);
  try {
    const outcome = await followUntil({ address, after: reply.after, timeoutMs, until: 'stopped' }, { ...context, emit, signal });
    return outcome.is === 'interrupted' && sight.lost.aborted ? { is: 'failed', error: toUnseenError(deployment) } : outcome;
  } finally {
    sight.end();
  }
}

/** No supervisor can be started (no room for its socket, no memory): the same loop in this process stops the engine. */
async function stopHere(
  name: string,
  { command, timeoutMs }: Stop,
  { context, problem }: { readonly context: Context; readonly problem: string },
): Promise<Outcome> {
  context.emit({ type: 'said', level: 'warning', text: say('down.here', { name, problem }) });
  const { startSupervisor } = await import('./supervise.ts');
  const { supervisor, journal, ended } = await startSupervisor(name, context, { first: async () => undefined, serve: false });
  const judge = createJudge('stopped', context);
  const given = new AbortController();
  let timer: Timer | undefined;
  const readDocument = () => toDeployment(supervisor.now, { wallMs: Date.now() });
  const sight = watchSight(async () => isUnseen(readDocument()));
  if (supervisor.now.life === 'unknown') sight.note();
  const outcome = new Promise<Outcome>((resolve) => {
    journal.follow(journal.last, (event) => {
      if (event.type === 'unknown') sight.note();
      const found = judge.take(event);
      if (found) resolve(found);
    });
    const giveUp = () => resolve({ is: 'failed', error: toUnseenError(readDocument()) });
    sight.lost.addEventListener('abort', giveUp, { once: true });
    // Nobody goes on in the background then.
    const error = DeployError.of('supervisor/gone', { name });
    context.signal.addEventListener('abort', () => resolve({ is: 'failed', error }), { once: true });
    if (timeoutMs !== undefined) timer = systemClock.after(timeoutMs, () => resolve({ is: 'failed', error }));
  });
  await supervisor.send(command);
  const found = await outcome;
  timer?.cancel();
  sight.end();
  // What is not stopped by now is left to the next command: its state says how far it came.
  given.abort();
  await ended(given.signal);
  return found;
}
