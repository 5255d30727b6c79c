/** `up` is plan → diff → apply: the same spec running is a no-op, a changed one is shown and asked for. */

import { DeployError } from '../core/error.ts';
import { say } from '../core/message.ts';
import { ensurePrivateDirectory } from '../host/files.ts';
import { toChanges } from '../plan/diff.ts';
import { checkPlan } from '../plan/preflight.ts';
import type { Profile } from '../profile/profile.ts';
import type { Deployment } from '../supervisor/deployment.ts';
import type { Deployable, State } from '../supervisor/state.ts';
import type { Context } from './context.ts';
import { ensureEngine, isUninstallable } from './ensure-engine.ts';
import { ensureMiniature } from './ensure-miniature.ts';
import { upInForeground } from './foreground.ts';
import type { MadePlan } from './plan.ts';
import { chooseRef, isLive, type PlanUpRequest, planFor, readRecord, toSets } from './plan-up.ts';
import { commandSupervisor } from './reach.ts';
import { readOwnSecrets } from './secrets.ts';
import { readDocument } from './status.ts';
import { waitForReady } from './up-wait.ts';

export interface UpRequest extends PlanUpRequest {
  readonly wait: boolean;
  readonly timeoutMs?: number;
  readonly yes: boolean;
  readonly rollback: boolean;
  readonly foreground: boolean;
}

export async function up(request: UpRequest, context: Context): Promise<Deployment> {
  if (process.platform !== 'linux') throw DeployError.of('host/not-linux', { platform: process.platform });
  await ensurePrivateDirectory(context.places.state);
  await ensurePrivateDirectory(context.places.data);
  const prepared = await prepare(request, context);
  const { name, wanted, running } = prepared;
  const secrets = await readOwnSecrets(wanted.spec, context);
  if (running && isLive(running)) {
    const document = await readDocument(name, running, context);
    const same = running.wanted.spec.hash === wanted.spec.hash;
    if (same && document.supervised && document.state === 'ready') return sayUnchanged(name, document, context);
    if (same && document.supervised && isStarting(running)) context.emit({ type: 'said', level: 'info', text: say('up.joined', { name }) });
    if (!same) await confirmChanges({ name, running, wanted, yes: request.yes }, context);
  }
  if (request.foreground) return upInForeground({ name, wanted, rollback: request.rollback, secrets }, context);
  const command = { type: 'up', wanted, rollback: request.rollback, by: 'up' } as const;
  const ordered = await commandSupervisor(name, { command, secrets, first: wanted }, context);
  return waitForReady({ ...ordered, wait: request.wait, timeoutMs: request.timeoutMs }, context);
}

interface Prepared {
  readonly name: string;
  readonly wanted: Deployable;
  readonly running: State | undefined;
}

async function prepare(request: UpRequest, context: Context): Promise<Prepared> {
  const { ref, auto } = await chooseRef(request, context);
  try {
    return await prepareProfile(ref, request, context);
  } catch (error) {
    // Only a choice of ours may become another one; a named profile never does.
    if (!auto || !isUninstallable(error)) throw error;
    const { toWhy } = await import('./choose.ts');
    context.emit({ type: 'said', level: 'warning', text: say('auto.demo', { why: toWhy(error) }) });
    return prepareProfile('demo', request, context);
  }
}

async function prepareProfile(ref: string, request: UpRequest, context: Context): Promise<Prepared> {
  let made = await planFor(ref, request, context);
  const name = made.plan.name;
  const { state: running, holdsMachine } = await readRecord(name, context);
  const blocker = checkPlan(made.profile, made.facts, { running: holdsMachine });
  if (blocker) throw blocker;
  if (made.plan.engine.source.kind === 'managed' && !made.plan.engine.source.installed) {
    await ensureEngine(made.profile, { install: request.install }, context);
    made = await planFor(ref, request, context);
    // An installation takes a minute or more: the port may be somebody else's by now.
    const late = checkPlan(made.profile, made.facts, { running: holdsMachine });
    if (late) throw late;
  }
  announce(made, context);
  if (made.profile.model.source === 'miniature' && !made.plan.simulated) await ensureMiniature(made.spec.model, context);
  const sets = toSets(request);
  return { name, wanted: { profile: made.profile.name, spec: made.spec, source: { ref: toLastingRef(ref, made.profile), sets } }, running };
}

/** `status` reads the profile again from wherever it is called: what was found relative to here needs its full path. */
function toLastingRef(ref: string, { source }: Profile): string {
  return source.startsWith('shipped:') ? ref : source;
}

function isStarting({ life }: State): boolean {
  return life === 'preflight' || life === 'starting';
}

function announce({ plan, spec }: MadePlan, context: Context): void {
  const source = plan.engine.source;
  const engine = source.kind === 'simulator' ? 'simulated' : `vLLM ${plan.engine.version}`;
  const text = say('up.planned', { name: plan.name, engine, backend: plan.backend, host: spec.endpoint.host, port: spec.endpoint.port });
  context.emit({ type: 'step-done', step: 'plan', text });
  for (const { severity, message } of plan.findings) {
    if (severity === 'warning') context.emit({ type: 'said', level: 'warning', text: message });
  }
  if (source.kind === 'managed') context.emit({ type: 'step-done', step: 'engine', text: say('up.engine-ready', { engine }) });
  if (source.kind === 'executable') {
    context.emit({
      type: 'step-done',
      step: 'engine',
      text: say('up.engine-external', { program: source.program, version: plan.engine.version }),
    });
  }
  if (source.kind === 'simulator') context.emit({ type: 'step-done', step: 'engine', text: say('up.simulator') });
}

function sayUnchanged(name: string, document: Deployment, context: Context): Deployment {
  context.emit({ type: 'said', level: 'info', text: say('up.unchanged', { name }) });
  return document;
}

interface Confirming {
  readonly name: string;
  readonly running: State;
  readonly wanted: Deployable;
  readonly yes: boolean;
}

async function confirmChanges({ name, running, wanted, yes }: Confirming, context: Context): Promise<void> {
  const changes = toChanges(running.wanted.spec, wanted.spec);
  for (const { path, from, to } of changes) {
    const text = say('up.change', { path, from: String(from ?? '–'), to: String(to ?? '–') });
    context.emit({ type: 'said', level: 'info', text });
  }
  if (yes) return;
  const agreed = await context.confirm(say('up.replace-question', { name, count: changes.length }), '--yes');
  if (!agreed) throw DeployError.of('confirm/declined', { option: '--yes' });
}
