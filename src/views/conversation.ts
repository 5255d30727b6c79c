/** What is said on stderr while a command works. */
import type { DeployEvent, Emit } from '../core/event.ts';
import { say } from '../core/message.ts';
import { toText } from '../text/render.ts';
import { openLateLines } from './late-lines.ts';
import type { Screen } from './screen.ts';

export interface Conversation {
  readonly emit: Emit;
  /** Takes live lines off the screen, for a question or an answer that follows. */
  pause(): void;
  /** Ends it; nothing is shown afterwards. */
  close(): void;
}

/** `busy`: the command works for a while and is worth a spinner, where there is a terminal. */
export async function openConversation(screen: Screen, { busy }: { readonly busy: boolean }): Promise<Conversation> {
  if (busy && screen.output.live) {
    const { openSpinner } = await import('./spinner.ts');
    return guard(openSpinner(screen), screen);
  }
  if (!busy) return guard(openLateLines(screen), screen);
  const { openLines } = await import('./lines.ts');
  return guard(openLines(screen), screen);
}

/** A view that throws must not break the work that it shows: it is told once and then silent. */
function guard(conversation: Conversation, screen: Screen): Conversation {
  let silent = false;
  const attempt = (work: () => void) => {
    if (silent) return;
    try {
      work();
    } catch (error) {
      silent = true;
      screen.err(`${toText(say('views.display-failed', { problem: String(error) }))}\n`);
    }
  };
  return {
    emit: (event: DeployEvent) => attempt(() => conversation.emit(event)),
    pause: () => attempt(() => conversation.pause()),
    close: () => {
      attempt(() => conversation.close());
      silent = true;
    },
  };
}
