/** `up` is plan → diff → apply: the same spec running is a no-op, a changed one is shown and asked for. */

import { DeployError } from '../core/error.ts';
import { type Message, say } from '../core/message.ts';
import { toBecause } from '../core/pressure.ts';
import { ensurePrivateDirectory } from '../host/files.ts';
import { toChanges } from '../plan/diff.ts';
import type { Deployment, DeploymentList } from '../supervisor/deployment.ts';
import { isServing } from '../supervisor/deployment.ts';
import { toBase } from '../supervisor/reduce/ladder.ts';
import type { Deployable, State } from '../supervisor/state.ts';
import type { Context } from './context.ts';
import { upInForeground } from './foreground.ts';
import { isLive, type PlanUpRequest, toNames } from './plan-up.ts';
import { type PreparedMember, type PreparedUp, prepareUp } from './prepare-up.ts';
import { commandSupervisor } from './reach.ts';
import { readOwnSecrets } from './secrets.ts';
import { readDocument } from './status-list.ts';
import { waitForReady } from './up-wait.ts';

export interface UpRequest extends PlanUpRequest {
  readonly wait: boolean;
  readonly timeoutMs?: number;
  readonly yes: boolean;
  readonly rollback: boolean;
  readonly foreground: boolean;
}

/** One deployment, or all replicas of one that has several. */
export async function up(request: UpRequest, context: Context): Promise<Deployment | DeploymentList> {
  if (process.platform !== 'linux') throw DeployError.of('host/not-linux', { platform: process.platform });
  await ensurePrivateDirectory(context.places.state);
  await ensurePrivateDirectory(context.places.data);
  const prepared = await prepareUp(request, context);
  const { name, first, members, surplus } = prepared;
  if (request.foreground && members.length > 1) throw DeployError.of('usage/replicas-foreground', { name, count: members.length });
  const secrets = await readOwnSecrets(first.wanted, context);
  const standings = await Promise.all(members.map((member) => observeStanding(member, context)));
  await confirmAll(prepared, { standings, yes: request.yes }, context);
  for (const { name: gone } of surplus) await stopSurplus(gone, context);
  const one: UpOne = { ...request, secrets };
  if (members.length === 1) return upOne(standings[0] ?? { ...first, is: 'new' }, one, context);
  const { upReplicas } = await import('./up-replicas.ts');
  const starts = standings.map((standing) => ({
    name: standing.name,
    port: standing.wanted.spec.endpoint.port,
    up: (limits: Pick<UpOne, 'wait' | 'timeoutMs'>) => upOne(standing, { ...one, ...limits }, context),
  }));
  return upReplicas({ name, starts, sharesGpu: prepared.sharesGpu, wait: request.wait, timeoutMs: request.timeoutMs }, context);
}

interface UpOne {
  readonly rollback: boolean;
  readonly foreground: boolean;
  readonly wait: boolean;
  readonly timeoutMs?: number | undefined;
  readonly secrets: Readonly<Record<string, string>>;
}

/** Returns when it is ready, or at once where nobody waits. */
async function upOne(standing: Standing, { rollback, foreground, secrets, wait, timeoutMs }: UpOne, context: Context): Promise<Deployment> {
  const { name, wanted } = standing;
  if (standing.is === 'unchanged') {
    context.emit({ type: 'said', level: 'info', text: toUnchanged(standing.document) });
    return standing.document;
  }
  if (standing.is === 'starting') context.emit({ type: 'said', level: 'info', text: say('up.joined', { name }) });
  if (foreground) return upInForeground({ name, wanted, rollback, secrets }, context);
  const command = { type: 'up', wanted, rollback, by: 'up' } as const;
  const ordered = await commandSupervisor(name, { command, secrets, first: wanted }, context);
  return waitForReady({ ...ordered, wait, timeoutMs }, context);
}

/** Pressure does not end by being asked: what runs instead stays, and is named. */
function toUnchanged({ name, profile, adapted }: Deployment): Message {
  if (adapted === undefined) return say('up.unchanged', { name });
  return say('up.adapted', { name, profile, from: adapted.from, because: toBecause(adapted.because) });
}

/** How what is wanted stands to what runs. */
type Standing = PreparedMember &
  (
    | { readonly is: 'new' | 'starting' }
    | { readonly is: 'unchanged'; readonly document: Deployment }
    | { readonly is: 'changed'; readonly before: State }
  );

async function observeStanding(member: PreparedMember, context: Context): Promise<Standing> {
  const { name, wanted, running } = member;
  if (running === undefined || !isLive(running)) return { ...member, is: 'new' };
  const document = await readDocument(name, running, context);
  const asked = toBase(running.wanted);
  if (asked.spec.hash !== wanted.spec.hash) return { ...member, is: 'changed', before: running };
  // Whom to tell and how much to keep are no part of the launch: the supervisor takes them over, and nothing is restarted.
  const beside = ({ notify, logs, adapt, fallback, source }: Deployable) =>
    JSON.stringify([notify, logs, adapt, fallback, source.fixes, source.unchecked]);
  const same = beside(asked) === beside(wanted);
  const serving = document.supervised && isServing(document.state);
  if (serving && same) return { ...member, is: 'unchanged', document };
  return { ...member, is: document.supervised && isStarting(running) ? 'starting' : 'new' };
}

function isStarting({ life }: State): boolean {
  return life === 'preflight' || life === 'starting';
}

interface Confirming {
  readonly standings: readonly Standing[];
  readonly yes: boolean;
}

/** Everything that would be ended is shown first and asked for once. */
async function confirmAll({ name, members, surplus }: PreparedUp, { standings, yes }: Confirming, context: Context): Promise<void> {
  const changed = standings.flatMap((standing) => (standing.is === 'changed' ? [standing] : []));
  const changes = changed.flatMap(({ name: own, before, wanted }) => {
    const found = toChanges(before.wanted.spec, wanted.spec);
    return members.length === 1 ? found : found.map((change) => ({ ...change, path: `${own}: ${change.path}` }));
  });
  for (const { path, from, to } of changes) {
    const text = say('up.change', { path, from: String(from ?? '–'), to: String(to ?? '–') });
    context.emit({ type: 'said', level: 'info', text });
  }
  const gone = toNames(surplus).join(', ');
  if (gone !== '') context.emit({ type: 'said', level: 'info', text: say('up.surplus', { names: gone }) });
  if (yes || (changed.length === 0 && gone === '')) return;
  const question =
    gone === ''
      ? say('up.replace-question', { name, count: changes.length })
      : say('up.surplus-question', { name, names: gone, count: changes.length });
  if (!(await context.confirm(question, '--yes'))) throw DeployError.of('confirm/declined', { option: '--yes' });
}

async function stopSurplus(name: string, context: Context): Promise<void> {
  const { down } = await import('./down.ts');
  await down({ name, all: false, force: false }, context);
}
