import { ExitStatus } from '../core/exit.ts';
import { type Planned, toPlanDocument } from '../views/documents.ts';
import { renderPlan } from '../views/plan.ts';
import type { Session } from './session.ts';

/** What was asked for is the plan, so a plan that cannot work is an answer too; its findings say so, and `up` refuses it. */
export function answerPlan(session: Session, planned: Planned): number {
  session.answer(
    () => toPlanDocument(planned),
    ({ palette, size }) => renderPlan(planned, palette, size()?.columns),
  );
  return ExitStatus.done;
}
