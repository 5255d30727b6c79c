/** Answers that several commands give. */
import { ExitStatus } from '../core/exit.ts';
import { say } from '../core/message.ts';
import type { Deployment, DeploymentList } from '../supervisor/deployment.ts';
import { toText } from '../text/render.ts';
import { toDeploymentDocument, toDeploymentListDocument } from '../views/documents.ts';
import { renderServed } from '../views/status.ts';
import type { Session } from './session.ts';

/** One deployment, or the replicas of one. */
export async function answerDeployed(session: Session, deployed: Deployment | DeploymentList): Promise<number> {
  if (deployed.kind === 'Deployment') return answerDeployment(session, deployed);
  const { deployments } = deployed;
  session.answer(toDeploymentListDocument(deployed), (screen) =>
    deployments.map((deployment) => renderServed(deployment, screen, { alone: false })).join(''),
  );
  const [first] = deployments;
  if (first?.simulated) session.tell(toText(say('views.nothing-real-several', { names: deployments.map(({ name }) => name).join(', ') })));
  return deployments.some(({ state }) => state === 'failed') ? ExitStatus.engine : ExitStatus.done;
}

async function answerDeployment(session: Session, deployment: Deployment): Promise<number> {
  const alone = session.screen.output.mode !== 'tty' || (await isAlone(session));
  session.answer(toDeploymentDocument(deployment), (screen) => renderServed(deployment, screen, { alone }));
  if (deployment.simulated) session.tell(toText(say('views.nothing-real', { name: deployment.name })));
  return deployment.state === 'failed' ? ExitStatus.engine : ExitStatus.done;
}

/** Where there are several, a command must name the one it means. */
async function isAlone({ context }: Session): Promise<boolean> {
  const { readStatusList } = await import('../operate/status-list.ts');
  return (await readStatusList(context)).deployments.length === 1;
}
