/** `up --fix --write`: what had to be changed goes into the person's profile, once a start with it was ready. */

import { type Message, say } from '../core/message.ts';
import { applyChange } from '../doctor/fix.ts';
import { type ProfileEdit, planProfileEdit, undoProfileEdit } from '../doctor/profile-edit.ts';
import { toSetWords } from '../doctor/set-words.ts';
import { checkProfile } from '../profile/load.ts';
import { createRecall } from '../profile/recall.ts';
import type { Deployment, DeploymentList } from '../supervisor/deployment.ts';
import type { Context } from './context.ts';
import { planFor, readRecord } from './plan-up.ts';
import type { Mended } from './remedy.ts';
import { toWord } from './settle-up.ts';
import { up } from './up.ts';

/** What it runs as then; undefined: as before. Throws `host/not-written`. */
export async function writeFixes({ asked }: Mended, context: Context): Promise<Deployment | DeploymentList | undefined> {
  const { fixes, chosen } = asked;
  if (fixes.length === 0) return undefined;
  const set = Object.assign({}, ...fixes.map((fix) => fix.set));
  const { source } = await createRecall({ ...context, sets: [] })(chosen.ref);
  const profile = { name: chosen.ref, source };
  const planned = await planProfileEdit(set, { profile, now: new Date() });
  if (planned.is === 'refused') {
    const isShipped = source.startsWith('shipped:');
    tell(context, 'warning', isShipped ? say('remedy.shipped', { name: chosen.ref, sets: toSetWords(set) }) : planned.toAdvice(set));
    return undefined;
  }
  if (planned.is === 'same') tell(context, 'info', say('remedy.same-text', { file: source }));
  else if (!(await write(planned.edit, context))) return undefined;
  // Where the profile alone gives what runs now, nothing of it is the deployment's own any more.
  const plain = { ...asked, fixes: [] };
  const { first } = await planFor(chosen.ref, plain, context);
  const { state } = await readRecord(first.name, context);
  return state?.wanted.spec.hash === first.spec.hash ? up({ ...plain, wait: true }, context) : undefined;
}

/** A profile that would be unusable afterwards is put back. */
async function write(edit: ProfileEdit, context: Context): Promise<boolean> {
  for (const { path, from, to } of edit.settings) tell(context, 'info', say('remedy.change', { path, from: toWord(from), to: toWord(to) }));
  await applyChange({ is: 'profile', ids: [], ...edit });
  const { profile } = await checkProfile(edit.file, { ...context, sets: [] });
  if (profile === undefined) {
    await undoProfileEdit(edit);
    tell(context, 'warning', say('doctor.fix.undone', { file: edit.file }));
    return false;
  }
  tell(context, 'info', say('remedy.written', { file: edit.file, backup: edit.backup }));
  return true;
}

function tell({ emit }: Context, level: 'info' | 'warning', text: Message): void {
  emit({ type: 'said', level, text });
}
