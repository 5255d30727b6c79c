/** `explain --log FILE`: why the engine of a log failed. */
import { say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import { renderLog } from '../views/diagnosis.ts';
import { toLogDocument } from '../views/documents.ts';
import type { Session } from './session.ts';

export async function explainLog(file: string, session: Session): Promise<undefined> {
  const { explainLog: read } = await import('../operate/explain-log.ts');
  const { stdin } = session.host;
  if (file === '-' && stdin.isTTY) session.tell(toText(say('explain-log.paste')));
  const found = await read({ file, stdin }, session.context);
  session.answer(
    () => toLogDocument(found),
    ({ palette }) => renderLog(found, palette),
  );
}
