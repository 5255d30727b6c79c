import { waitFor } from '../core/clock.ts';
import { say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import { toFitting } from '../views/fit.ts';
import type { Session } from './session.ts';
import type { Look } from './status-all.ts';

const everyMs = 1000;

/** Until the signal: redrawn on a terminal, a line of JSON each time, elsewhere the text whenever it has changed. */
export async function watch({ context, screen }: Session, look: () => Promise<Look>): Promise<number> {
  const { mode, live } = screen.output;
  let shown = '';
  let status = 0;
  while (!context.signal.aborted) {
    const seen = await look();
    status = seen.status;
    const whole = seen.text || `${toText(say('views.no-deployments'))}\n`;
    const size = screen.size();
    const text = live && size ? toFitting(whole, size) : whole;
    if (mode === 'json') screen.out(`${JSON.stringify(seen.document)}\n`);
    else if (live) screen.out(`${toErasing(shown)}${text}`);
    else if (text !== shown) screen.out(text);
    shown = text;
    await waitFor(everyMs, context.signal);
  }
  return status;
}

/** Moves to where the last text began and clears from there. */
function toErasing(shown: string): string {
  const lines = shown.split('\n').length - 1;
  return lines === 0 ? '' : `\u001b[${lines}A\u001b[J`;
}
