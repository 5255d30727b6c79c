import type { Command } from 'commander';
import { ExitStatus } from '../core/exit.ts';
import { say } from '../core/message.ts';
import type { Deployment } from '../supervisor/deployment.ts';
import { toText } from '../text/render.ts';
import { toDeploymentDocument, toDeploymentListDocument } from '../views/documents.ts';
import { renderDetail, renderStatusTable } from '../views/status.ts';
import { addExamples } from './examples.ts';
import type { Run, Session } from './session.ts';
import { watch } from './watch.ts';

export function configure(command: Command, run: Run): void {
  command
    .argument('[name]', toText(say('commands.argument.name')))
    .option('--watch', toText(say('commands.status.watch')))
    .action((name: string | undefined, options: { readonly watch?: true }) =>
      run((session) => {
        const look = () => (name === undefined ? lookAtAll(session) : lookAtOne(name, session));
        return options.watch ? watch(session, look) : showOnce(session, look);
      }),
    );
  addExamples(command, ['status', 'status chat', 'status --watch']);
}

/** What there is to see now, in both forms, and the exit status that goes with it. */
export interface Look {
  readonly document: object;
  readonly text: string;
  readonly status: number;
}

async function showOnce(session: Session, look: () => Promise<Look>): Promise<number> {
  const { document, text, status } = await look();
  if (text === '') session.tell(toText(say('views.no-deployments')));
  session.answer(document, () => text);
  return status;
}

async function lookAtAll({ context, screen: { palette, size } }: Session): Promise<Look> {
  const { readStatusList } = await import('../operate/status.ts');
  const list = await readStatusList(context);
  const text = list.deployments.length === 0 ? '' : renderStatusTable(list.deployments, palette, size()?.columns);
  return { document: toDeploymentListDocument(list), text, status: ExitStatus.done };
}

async function lookAtOne(name: string, { context, screen }: Session): Promise<Look> {
  const { readStatus } = await import('../operate/status.ts');
  const deployment: Deployment = await readStatus(name, context);
  const status = deployment.state === 'ready' ? ExitStatus.done : ExitStatus.engine;
  return { document: toDeploymentDocument(deployment), text: renderDetail(deployment, screen.palette), status };
}
