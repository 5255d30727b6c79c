/** Posting JSON to an address that a person chose: https too, anywhere. Honours no proxy variables. */
import { toFetchProblem } from './hub.ts';

export type WebhookAnswer =
  | { readonly is: 'answered'; readonly status: number }
  /** `problem`: a code of the operating system, or what was thrown; it may repeat what was sent. */
  | { readonly is: 'silent'; readonly problem: string };

export interface WebhookPost {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Never rejects. A redirect is not followed: what is meant for one address is not for another. */
export async function postWebhook(address: URL, { headers, body, timeoutMs, signal }: WebhookPost): Promise<WebhookAnswer> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new DOMException('', 'TimeoutError')), timeoutMs);
  try {
    const { url, authorization } = toPlainAddress(address);
    const all = new Headers({ 'content-type': 'application/json', ...authorization });
    for (const [name, value] of Object.entries(headers)) all.set(name, value);
    const reply = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      headers: all,
      body,
      signal: AbortSignal.any([limit.signal, signal]),
    });
    // Nobody reads it, and an unread one would keep the connection.
    await reply.body?.cancel();
    return { is: 'answered', status: reply.status };
  } catch (error) {
    return { is: 'silent', problem: toFetchProblem(error) };
  } finally {
    clearTimeout(timer);
  }
}

/** `fetch` refuses an address with `user:password@`, which is a header. */
function toPlainAddress(address: URL): { readonly url: URL; readonly authorization: Readonly<Record<string, string>> } {
  const { username, password } = address;
  if (username === '' && password === '') return { url: address, authorization: {} };
  const url = new URL(address);
  url.username = '';
  url.password = '';
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { url, authorization: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` } };
}
