/** Answers that several commands give. */
import { ExitStatus } from '../core/exit.ts';
import { say } from '../core/message.ts';
import type { Deployment } from '../supervisor/deployment.ts';
import { toText } from '../text/render.ts';
import { type Planned, toDeploymentDocument, toPlanDocument } from '../views/documents.ts';
import { renderPlan } from '../views/plan.ts';
import { renderServed } from '../views/status.ts';
import type { Session } from './session.ts';

export async function answerDeployment(session: Session, deployment: Deployment): Promise<number> {
  const alone = session.screen.output.mode !== 'tty' || (await isAlone(session));
  session.answer(toDeploymentDocument(deployment), (screen) => renderServed(deployment, screen, { alone }));
  if (deployment.simulated) session.tell(toText(say('views.nothing-real', { name: deployment.name })));
  return deployment.state === 'failed' ? ExitStatus.engine : ExitStatus.done;
}

/** Where there are several, a command must name the one it means. */
async function isAlone({ context }: Session): Promise<boolean> {
  const { readStatusList } = await import('../operate/status.ts');
  return (await readStatusList(context)).deployments.length === 1;
}

/** A plan that cannot work is shown too; the exit status says so. */
export function answerPlan(session: Session, planned: Planned): number {
  session.answer(toPlanDocument(planned), ({ palette, size }) => renderPlan(planned, palette, size()?.columns));
  const wrong = planned.plan.findings.find(({ severity }) => severity === 'error');
  if (wrong === undefined) return ExitStatus.done;
  return wrong.code.startsWith('profile/') ? ExitStatus.invalidProfile : ExitStatus.machine;
}
