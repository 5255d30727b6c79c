/** What `status` without a name shows. Loaded whole and alone by src/status-main.ts, so it imports no more than it needs. */
import { ExitStatus } from '../core/exit.ts';
import { say } from '../core/message.ts';
import { readStatusList } from '../operate/status-list.ts';
import { toText } from '../text/render.ts';
import { toDeploymentListDocument } from '../views/documents.ts';
import { renderStatusTable } from '../views/status.ts';
import { readGlobals } from './globals.ts';
import type { Host } from './host.ts';
import { runSession, type Session } from './session.ts';

/** What there is to see now, in both forms, and the exit status that goes with it. */
export interface Look {
  readonly document: object;
  readonly text: string;
  readonly status: number;
}

/** The same as the line `status`, without reading it. */
export function runStatus(host: Host): Promise<number> {
  return runSession(host, { globals: readGlobals([]), work: (session) => showOnce(session, () => lookAtAll(session)) });
}

export async function lookAtAll({ context, screen: { palette, size } }: Session): Promise<Look> {
  const list = await readStatusList(context);
  const text = list.deployments.length === 0 ? '' : renderStatusTable(list.deployments, palette, size()?.columns);
  return { document: toDeploymentListDocument(list), text, status: ExitStatus.done };
}

export async function showOnce(session: Session, look: () => Promise<Look>): Promise<number> {
  const { document, text, status } = await look();
  if (text === '') session.tell(toText(say('views.no-deployments')));
  session.answer(document, () => text);
  return status;
}
