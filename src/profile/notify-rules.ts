/** Notifications carry no secrets: what is written in a profile is also kept in the state of a deployment. */
import { say } from '../core/message.ts';
import type { RuleFinding } from './layer-rules.ts';
import { isMap } from './map.ts';
import { isReference, isSecretName } from './secrets.ts';

export function checkNotify(notify: unknown): readonly RuleFinding[] {
  const items: readonly unknown[] = Array.isArray(notify) ? notify : [];
  return items.flatMap((item, index) => {
    if (!isMap(item)) return [];
    const path = ['notify', String(index)];
    const headers = Object.entries(isMap(item.headers) ? item.headers : {});
    return [
      ...checkWebhook(item.webhook, [...path, 'webhook']),
      ...headers.flatMap(([name, value]) => checkHeader(name, value, [...path, 'headers', name])),
    ];
  });
}

function checkWebhook(webhook: unknown, path: readonly string[]): readonly RuleFinding[] {
  if (typeof webhook !== 'string' || isReference(webhook)) return [];
  if (!hasSecret(webhook)) return isPlain(webhook) ? [toPlainFinding(path)] : [];
  const message = say('profile.webhook-secret', { path: path.join('.') });
  return [{ code: 'profile/secret', severity: 'error', path, at: 'value', message, hint: say('profile.webhook-secret.hint') }];
}

/** What is told to another machine in the clear is told to everybody on the way. */
function isPlain(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname } = new URL(address);
  return protocol === 'http:' && !/^(?:127\.[\d.]+|\[::1\]|(?:.+\.)?localhost)$/.test(hostname);
}

function toPlainFinding(path: readonly string[]): RuleFinding {
  const message = say('profile.webhook-plain', { path: path.join('.') });
  return { code: 'profile/wrong-value', severity: 'error', path, at: 'value', message, hint: say('profile.webhook-plain.hint') };
}

/** `user:password@`, `?token=…`, and the long random part that services put into the path. */
function hasSecret(address: string): boolean {
  const authority = /^\w+:\/\/([^/?#]*)/.exec(address)?.[1] ?? '';
  if (authority.includes('@')) return true;
  if (!URL.canParse(address)) return false;
  const { pathname, searchParams } = new URL(address);
  if ([...searchParams.keys()].some((name) => isSecretName(name) || /^(sig|signature|auth)$/i.test(name))) return true;
  return [...pathname.split('/'), ...searchParams.values()].some(isRandom);
}

function isRandom(part: string): boolean {
  return part.length >= 20 && /[a-z]/.test(part) && /[A-Z]/.test(part) && /\d/.test(part);
}

function checkHeader(name: string, value: unknown, path: readonly string[]): readonly RuleFinding[] {
  const about = { severity: 'error', path } as const;
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name))
    return [{ ...about, code: 'profile/wrong-value', at: 'key', message: say('profile.header-name', { path: path.join('.') }) }];
  if (typeof value !== 'string' || isReference(value)) return [];
  const isSecret = isSecretName(name) || /^(proxy-)?authorization$|^(set-)?cookie$|^x-auth/i.test(name) || /^(bearer|basic)\s/i.test(value);
  return isSecret ? [{ ...about, code: 'profile/secret', at: 'value', message: say('profile.want.secret', { path: path.join('.') }) }] : [];
}
