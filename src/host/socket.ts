import { connect } from 'node:net';
import { type HttpReply, NoReply, toNoReply } from './no-reply.ts';

/**
 * One GET to a server of ours on a Unix socket, as HTTP/1.0: the answer is everything until the server closes.
 * `status` is asked in loops and prompts, and loading `node:http` would be a quarter of its time.
 */
export function fetchOverSocket(socketPath: string, path: string, timeoutMs: number): Promise<HttpReply> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(socketPath);
    socket.setTimeout(timeoutMs, () => socket.destroy(new NoReply('ETIMEDOUT')));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.once('error', (error) => reject(toNoReply(error)));
    socket.once('close', () => {
      const reply = parseReply(Buffer.concat(chunks).toString('utf8'));
      if (reply) resolve(reply);
      else reject(new NoReply('ECONNRESET'));
    });
    socket.write(`GET ${path} HTTP/1.0\r\n\r\n`);
  });
}

/** Undefined for an answer that was cut: the length is always stated by our server. */
function parseReply(text: string): HttpReply | undefined {
  const end = text.indexOf('\r\n\r\n');
  const head = text.slice(0, end);
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1];
  const length = /^content-length: *(\d+)/im.exec(head)?.[1];
  const body = text.slice(end + 4);
  if (end < 0 || status === undefined || Buffer.byteLength(body) !== Number(length)) return undefined;
  return { status: Number(status), text: body };
}
