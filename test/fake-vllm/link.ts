/**
 * Messages between the processes of the stand-in: JSON lines over a socket pair on descriptor 3. Not Node's own channel,
 * which needs variables in an environment that has to stay blank.
 */
import { Socket } from 'node:net';

export type Message =
  | { readonly type: 'ready'; readonly workerPid: number }
  | { readonly type: 'step' }
  | { readonly type: 'stepped' }
  | { readonly type: 'drain'; readonly mode: string; readonly seconds: number; readonly inFlight: number }
  | { readonly type: 'finish' }
  | { readonly type: 'eat' }
  | { readonly type: 'worker-died' };

export interface Link {
  send(message: Message): void;
}

export interface LinkEnds {
  readonly onMessage: (message: Message) => void;
  /** The other process has ended, or closed its side. */
  readonly onEnd: () => void;
}

export function openLink(socket: Socket, ends: LinkEnds): Link {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) ends.onMessage(JSON.parse(line));
  });
  // A dead peer shows as an end or as a reset; both are told once, by `close`.
  socket.on('error', () => socket.destroy());
  socket.once('close', ends.onEnd);
  return {
    send: (message) => void (socket.writable && socket.write(`${JSON.stringify(message)}\n`)),
  };
}

export function openParentLink(ends: LinkEnds): Link {
  return openLink(new Socket({ fd: 3, readable: true, writable: true }), ends);
}
