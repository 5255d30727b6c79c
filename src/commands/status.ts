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
    .option('--history', toText(say('commands.status.history')))
    .option('--since <time>', toText(say('commands.status.since')))
    .action((name: string | undefined, { watch, history, since }: Options) =>
      run(async (session) => {
        const back = history || since !== undefined ? await import('./status-history.ts') : undefined;
        const now = () => (name === undefined ? lookAtAll(session) : lookAtOne(name, session));
        const look = back ? back.chooseLook({ name, since, command }, session) : now;
        return watch ? watchOn(session, look) : showOnce(session, look);
      }),
    );
  addExamples(command, ['status', 'status chat', 'status --watch', 'status chat --history --since 24h']);
}

interface Options {
  readonly watch?: true;
  readonly history?: true;
  readonly since?: string;
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
