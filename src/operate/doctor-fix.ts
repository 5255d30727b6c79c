/** `doctor --fix`: shows what it would change, asks, changes it, and looks again. */

import { DeployError } from '../core/error.ts';
import type { DeployEvent } from '../core/event.ts';
import { type Message, say } from '../core/message.ts';
import type { CheckResult, CheckStatus } from '../doctor/check.ts';
import { type Advice, applyChange, type Change, planFixes } from '../doctor/fix.ts';
import { undoProfileEdit } from '../doctor/profile-edit.ts';
import { checkProfile } from '../profile/load.ts';
import type { Context } from './context.ts';
import { type DoctorRequest, type Examined, examine } from './doctor.ts';

export interface AppliedFix {
  readonly change: Change;
  /** What was done, in a sentence. */
  readonly text: Message;
  readonly checks: readonly { readonly id: string; readonly before: CheckStatus; readonly after: CheckStatus }[];
}

export interface Fixed extends Examined {
  readonly applied: readonly AppliedFix[];
  /** What is left to the person. */
  readonly advice: readonly Advice[];
}

/** Throws `confirm/needed`, `confirm/declined` and `host/not-written`. */
export async function fixAndExamine(request: DoctorRequest, { yes }: { readonly yes: boolean }, context: Context): Promise<Fixed> {
  const first = await examine(request, context);
  const { checks, subject } = first.report;
  const place = { places: context.places, now: new Date(), ...(subject ? { profile: subject.profile } : {}) };
  const { changes, advice } = await planFixes(checks, place);
  for (const text of changes.flatMap(toPlannedText)) tell(context, 'info', text);
  for (const { id, text } of advice) tell(context, 'info', say('doctor.fix.left', { id, text }));
  if (changes.length === 0) {
    tell(context, 'info', say('doctor.fix.nothing'));
    return { ...first, applied: [], advice };
  }
  if (!yes && !(await context.confirm(say('doctor.fix.confirm', { count: changes.length }), '--yes')))
    throw DeployError.of('confirm/declined', { option: '--yes' });
  const done = await applyAll(changes, request, context);
  const next = await examine(request, context);
  return { ...next, applied: done.map((change) => toApplied(change, checks, next.report.checks)), advice };
}

function tell({ emit }: Context, level: Extract<DeployEvent, { type: 'said' }>['level'], text: Message): void {
  emit({ type: 'said', level, text });
}

/** Each setting of a profile by itself. */
function toPlannedText(change: Change): readonly Message[] {
  if (change.is !== 'profile') return [toDone(change)];
  const { file, backup, settings } = change;
  const lines = settings.map(({ path, from, to }) => say('doctor.fix.setting', { path, from: toWord(from), to: toWord(to) }));
  return [say('doctor.fix.profile', { file, backup }), ...lines];
}

function toDone(change: Change): Message {
  if (change.is === 'profile') return say('doctor.fix.profile', { file: change.file, backup: change.backup });
  const mode = change.mode.toString(8).padStart(4, '0');
  return change.is === 'directory'
    ? say('doctor.fix.directory', { path: change.path, mode })
    : say('doctor.fix.mode', { path: change.path, mode });
}

function toWord(value: unknown): string | Message {
  return value === undefined ? say('views.unset') : JSON.stringify(value);
}

/** A profile that would be unusable afterwards is put back. */
async function applyAll(changes: readonly Change[], { sets }: DoctorRequest, context: Context): Promise<readonly Change[]> {
  const { places, cwd } = context;
  const done: Change[] = [];
  for (const change of changes) {
    await applyChange(change);
    const broken = change.is === 'profile' && (await checkProfile(change.file, { places, cwd, sets })).profile === undefined;
    if (!broken) done.push(change);
    else {
      await undoProfileEdit(change);
      tell(context, 'warning', say('doctor.fix.undone', { file: change.file }));
    }
  }
  return done;
}

function toApplied(change: Change, before: readonly CheckResult[], after: readonly CheckResult[]): AppliedFix {
  const find = (results: readonly CheckResult[], id: string) => results.find((one) => one.id === id)?.status ?? 'skip';
  const checks = change.ids.map((id) => ({ id, before: find(before, id), after: find(after, id) }));
  return { change, text: toDone(change), checks };
}
