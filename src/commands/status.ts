import type { Command } from 'commander';
import { ExitStatus } from '../core/exit.ts';
import { say } from '../core/message.ts';
import { readStatusOf } from '../operate/status.ts';
import type { Deployment } from '../supervisor/deployment.ts';
import { toText } from '../text/render.ts';
import { toDeploymentDocument, toDeploymentListDocument } from '../views/documents.ts';
import { renderDetail, renderStatusTable } from '../views/status.ts';
import { addExamples } from './examples.ts';
import type { Run, Session } from './session.ts';
import { type Look, lookAtAll, showOnce } from './status-all.ts';

export function configure(command: Command, run: Run): void {
  command
    .argument('[name]', toText(say('commands.argument.name')))
    .option('--watch', toText(say('commands.status.watch')))
    .action((name: string | undefined, options: { readonly watch?: true }) =>
      run((session) => {
        const look = () => (name === undefined ? lookAtAll(session) : lookAtOne(name, session));
        return options.watch ? watchOn(session, look) : showOnce(session, look);
      }),
    );
  addExamples(command, ['status', 'status chat', 'status --watch']);
}

async function watchOn(session: Session, look: () => Promise<Look>): Promise<number> {
  const { watch } = await import('./watch.ts');
  return watch(session, look);
}

async function lookAtOne(name: string, { context, screen }: Session): Promise<Look> {
  const meant = await readStatusOf(name, context);
  const deployments: readonly Deployment[] = meant.kind === 'Deployment' ? [meant] : meant.deployments;
  const status = deployments.every(({ state, health }) => state === 'ready' || (state === 'degraded' && health.ready))
    ? ExitStatus.done
    : ExitStatus.engine;
  if (meant.kind === 'Deployment') return { document: toDeploymentDocument(meant), text: renderDetail(meant, screen.palette), status };
  const text = renderStatusTable(deployments, screen.palette, screen.size()?.columns);
  return { document: toDeploymentListDocument(meant), text, status };
}
