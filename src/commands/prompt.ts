/** Questions that a text answers, one after the other. */
import { DeployError } from '../core/error.ts';
import { type Message, say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import type { Session } from './session.ts';

/** Resolves to what was typed; to `otherwise`, if there is one, when that is nothing. Asks again until there is an answer. */
export type Ask = (question: Message, otherwise?: string) => Promise<string>;

export function isTerminal({ host }: Session): boolean {
  return Boolean(host.stdin.isTTY && host.stderr.isTTY);
}

/**
 * On stderr, so that stdout stays the answer's. Ctrl-C and the end of the input are answers too: nothing has been
 * touched yet (`confirm/declined`).
 */
export async function askAll<T>(session: Session, option: string, work: (ask: Ask) => Promise<T>): Promise<T> {
  const { host } = session;
  session.clear();
  const { createInterface } = await import('node:readline');
  // The terminal itself echoes and edits the line; only its end is of interest.
  const lines = createInterface({ input: host.stdin, terminal: false, signal: host.signal });
  const replies = lines[Symbol.asyncIterator]();
  try {
    return await work(async (question, otherwise) => {
      const text = toText(question);
      const prompt =
        otherwise === undefined ? say('profiles.init.ask', { question: text }) : say('profiles.init.ask-or', { question: text, otherwise });
      for (;;) {
        host.stderr.write(toText(prompt));
        const { value, done } = await replies.next();
        if (done) {
          host.stderr.write('\n');
          throw DeployError.of('confirm/declined', { option });
        }
        const answer = value.trim() || otherwise;
        if (answer) return answer;
      }
    });
  } finally {
    lines.close();
  }
}
