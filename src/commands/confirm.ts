import { DeployError } from '../core/error.ts';
import { say } from '../core/message.ts';
import type { Context } from '../operate/context.ts';
import { toText } from '../text/render.ts';
import type { Conversation } from '../views/conversation.ts';
import type { Host } from './host.ts';

/** Asks on stderr, so that stdout stays the answer's. Only `y` and `yes` are yes. */
export function createConfirm(host: Host, conversation: Conversation): Context['confirm'] {
  return async (question, option) => {
    const text = toText(question);
    if (!host.stdin.isTTY || !host.stderr.isTTY) throw DeployError.of('confirm/needed', { question: text, option });
    conversation.pause();
    const { createInterface } = await import('node:readline/promises');
    const lines = createInterface({ input: host.stdin, output: process.stderr });
    // In a terminal readline takes Ctrl-C; it is passed on as the signal it means.
    lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
    try {
      const reply = await lines.question(toText(say('commands.confirm', { question: text })), { signal: host.signal });
      return /^y(es)?$/i.test(reply.trim());
    } catch (error) {
      // Ctrl-C at the question is an answer too: nothing has been touched yet.
      if (host.signal.aborted) throw DeployError.of('confirm/declined', { option }, { cause: error });
      throw error;
    } finally {
      lines.close();
    }
  };
}
