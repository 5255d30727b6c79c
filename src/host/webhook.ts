/**
 * Posting JSON to an address that a person chose. Honours no proxy variables and follows no redirects. The address is
 * checked after it is resolved, by the connection itself: a name may stand for another machine at the next question.
 */
import { lookup as resolveName } from 'node:dns';
import { type RequestOptions, request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { type Message, say } from '../core/message.ts';
import { toFetchProblem } from './hub.ts';

export type WebhookAnswer =
  | { readonly is: 'answered'; readonly status: number }
  /** Nothing was sent. */
  | { readonly is: 'refused'; readonly why: Message }
  /** `problem`: a code of the operating system, or what was thrown; it may repeat what was sent. */
  | { readonly is: 'silent'; readonly problem: string };

export interface WebhookPost {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Never rejects. A redirect is not followed: what is meant for one address is not for another. */
export async function postWebhook(address: URL, post: WebhookPost): Promise<WebhookAnswer> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new DOMException('', 'TimeoutError')), post.timeoutMs);
  try {
    return { is: 'answered', status: await send(address, { ...post, signal: AbortSignal.any([limit.signal, post.signal]) }) };
  } catch (error) {
    return error instanceof Refusal ? { is: 'refused', why: error.why } : { is: 'silent', problem: toFetchProblem(error) };
  } finally {
    clearTimeout(timer);
  }
}

class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly why: Message;
  constructor(why: Message) {
    super(why.id);
    this.why = why;
  }
}

function send(address: URL, { headers, body, signal }: Omit<WebhookPost, 'timeoutMs'>): Promise<number> {
  const { username, password, protocol, hostname } = address;
  const isSecure = protocol === 'https:';
  const host = hostname.replace(/^\[|\]$/g, '');
  // An address that is a number is not resolved, so nobody would look at it.
  if (isIP(host) !== 0) refuseAddress(host, isSecure);
  const own = new Headers({ 'content-type': 'application/json', ...toAuthorization(username, password) });
  for (const [name, value] of Object.entries(headers)) own.set(name, value);
  const options: RequestOptions = {
    method: 'POST',
    host,
    port: address.port,
    path: `${address.pathname}${address.search}`,
    headers: { ...Object.fromEntries(own), 'content-length': Buffer.byteLength(body) },
    agent: false,
    signal,
    lookup: createLookup(isSecure),
  };
  return new Promise((resolve, reject) => {
    const call = (isSecure ? requestSecure : requestPlain)(options);
    call.once('response', (reply) => {
      resolve(reply.statusCode ?? 0);
      // Nobody reads it, and an unread one would keep the connection.
      call.destroy();
    });
    call.on('error', reject);
    call.end(body);
  });
}

/** All addresses of a name must do: which of them is taken is not ours to say. */
function createLookup(isSecure: boolean): LookupFunction {
  return (name, options, done) => {
    resolveName(name, { ...options, all: true }, (error, found) => {
      const [first] = found ?? [];
      if (error || first === undefined) return done(error ?? new Error('ENOTFOUND'), '');
      try {
        for (const { address } of found) refuseAddress(address, isSecure);
      } catch (refusal) {
        return done(refusal as Error, '');
      }
      return options.all ? done(null, [...found]) : done(null, first.address, first.family);
    });
  };
}

/** Link-local (where clouds keep what they tell their machines, keys too), metadata elsewhere, nobody, everybody. */
function createReserved(): BlockList {
  const list = new BlockList();
  for (const [net, bits] of [
    ['169.254.0.0', 16],
    ['0.0.0.0', 8],
    ['224.0.0.0', 3],
    ['100.100.100.200', 32],
    ['192.0.0.192', 32],
  ] as const)
    list.addSubnet(net, bits, 'ipv4');
  for (const [net, bits] of [
    ['fe80::', 10],
    ['ff00::', 8],
    ['::', 128],
    ['fd00:ec2::', 32],
    ['fd20:ce::', 64],
    ['64:ff9b::a9fe:0', 112],
  ] as const)
    list.addSubnet(net, bits, 'ipv6');
  return list;
}

function refuseAddress(address: string, isSecure: boolean): void {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  if (createReserved().check(address, family)) throw new Refusal(say('life.notify.reserved', { address }));
  if (!isSecure && !isLoopback(address)) throw new Refusal(say('life.notify.plain'));
}

function isLoopback(address: string): boolean {
  return /^(?:127\.|::1$|::ffff:127\.)/.test(address);
}

/** `user:password@` is a header. */
function toAuthorization(username: string, password: string): Readonly<Record<string, string>> {
  if (username === '' && password === '') return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}
