/** One command at work: its context, its views, and how it ends. */
import { DeployError } from '../core/error.ts';
import { say } from '../core/message.ts';
import { type Context, createContext } from '../operate/context.ts';
import { toText } from '../text/render.ts';
import { chooseOutput } from '../views/choose.ts';
import { type Conversation, openConversation } from '../views/conversation.ts';
import { openScreen, type Screen } from '../views/screen.ts';
import { createConfirm } from './confirm.ts';
import type { Globals } from './globals.ts';
import type { Host } from './host.ts';
import { version } from './version.ts';

export interface Session {
  readonly context: Context;
  readonly screen: Screen;
  readonly host: Host;
  /** The one answer of a command: its document (a large one may be made when it is asked for), or its text for people. */
  answer(document: object | (() => object), toAnswerText: (screen: Screen) => string): void;
  /** Says something beside the answer. */
  tell(text: string): void;
  /** Takes live lines off the screen before the command writes by itself. */
  clear(): void;
}

/** Resolves to the exit status; nothing means 0. */
export type Work = (session: Session) => Promise<number | undefined>;

export interface WorkOptions {
  /** Starts or stops something and takes a while: worth a spinner, and worth a word when it is interrupted. */
  readonly busy?: boolean;
  /** A signal is its ordinary end, not an interruption. */
  readonly endsBySignal?: boolean;
}

/** Commands hand their work to this. */
export type Run = (work: Work, options?: WorkOptions) => Promise<void>;

export interface SessionRequest extends WorkOptions {
  readonly globals: Globals;
  readonly work: Work;
}

export async function runSession(host: Host, request: SessionRequest): Promise<number> {
  const screen = toScreen(host, request.globals);
  const conversation = await openConversation(screen, { busy: request.busy ?? false });
  if (request.globals.lang !== 'en') sayLanguage(conversation, request.globals.lang);
  try {
    const status = await request.work(openSession(host, screen, conversation));
    conversation.close();
    endLook({ host, screen, request });
    return toStatus(status ?? 0, host, request);
  } catch (error) {
    conversation.close();
    return endBadly(error, { host, screen, request });
  }
}

export function reportError(error: unknown, host: Host, globals: Globals): Promise<number> {
  return show(error, toScreen(host, globals), { debug: globals.debug });
}

function toScreen(host: Host, globals: Globals): Screen {
  const { env, stdout, stderr } = host;
  const streams = { stdoutIsTerminal: stdout.isTTY ?? false, stderrIsTerminal: stderr.isTTY ?? false };
  const width = stderr.columns === undefined ? {} : { columns: stderr.columns };
  return openScreen(chooseOutput(globals.output, { env, ...streams, ...width }), { stdout, stderr });
}

function openSession(host: Host, screen: Screen, conversation: Conversation): Session {
  const { mode } = screen.output;
  const context = createContext({
    env: host.env,
    cwd: host.cwd,
    emit: conversation.emit,
    signal: host.signal,
    force: host.force,
    programs: host.programs,
    confirm: createConfirm(host, conversation),
  });
  return {
    context,
    screen,
    host,
    answer(document, toAnswerText) {
      conversation.close();
      const toDocument = () => (typeof document === 'function' ? document() : document);
      screen.out(mode === 'json' ? `${JSON.stringify(toDocument())}\n` : toAnswerText(screen));
    },
    tell: (text) => mode !== 'quiet' && screen.err(`${text}\n`),
    clear: () => conversation.pause(),
  };
}

function sayLanguage(conversation: Conversation, lang: string): void {
  if (lang !== 'zh-CN') throw DeployError.of('usage/bad-line', { problem: toText(say('commands.bad-language', { lang })) });
  conversation.emit({ type: 'said', level: 'info', text: say('commands.no-chinese') });
}

function toStatus(status: number, host: Host, { endsBySignal }: WorkOptions): number {
  return endsBySignal ? status : (host.interruptStatus() ?? status);
}

interface Ending {
  readonly host: Host;
  readonly screen: Screen;
  readonly request: SessionRequest;
}

/** After a signal, what a use case throws is only its way out, unless it says more than that it was aborted. */
function endBadly(error: unknown, { host, screen, request }: Ending): Promise<number> | number {
  const { debug } = request.globals;
  const interrupted = host.interruptStatus();
  if (interrupted === undefined) return show(error, screen, { debug });
  if (error instanceof DeployError) return show(error, screen, { debug, exitStatus: interrupted });
  if (!request.busy) {
    endLook({ host, screen, request });
    return interrupted;
  }
  return show(DeployError.of('command/interrupted', {}, { cause: error }), screen, { debug, exitStatus: interrupted });
}

/** After Ctrl-C in the middle of a text (`logs -f`, `ask`) the prompt begins a line of its own. */
function endLook({ host, screen, request }: Ending): void {
  if (host.interruptStatus() !== undefined && screen.terminal && !request.busy) screen.err('\n');
}

async function show(error: unknown, screen: Screen, options: { readonly debug: boolean; readonly exitStatus?: number }): Promise<number> {
  const { writeError } = await import('../views/error.ts');
  return writeError(error, screen, { ...options, version });
}
