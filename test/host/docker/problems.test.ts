import { expect, test } from 'vitest';
import { DeployError } from '../../../src/core/error.ts';
import { toPullPause } from '../../../src/host/docker/problems.ts';

const toError = (problem: string) => DeployError.of('docker/registry', { image: 'a', registry: 'b', problem });

test.each<[string, number | undefined]>([
  ['toomanyrequests: You have reached your pull rate limit', 2000],
  ['received unexpected HTTP status: 429 Too Many Requests', 2000],
  ['toomanyrequests: retry-after: 543.2\u00b5s, allowed: 44000/minute', 2000],
  ['toomanyrequests: Retry-After: 30', 30_000],
  ['toomanyrequests: retry after 2.5s', 2500],
  ['toomanyrequests: retry-after: 59s1000ms', 60_000],
  ['toomanyrequests: retry-after: 1m1s', undefined],
  ['toomanyrequests: retry-after: 3600', undefined],
  ['Head "https://r/v2/a/manifests/1": EOF', 2000],
  ['read tcp 10.0.0.1:1->10.0.0.2:443: read: connection reset by peer', 2000],
  ['received unexpected HTTP status: 503 Service Unavailable', 2000],
  ['Get "https://r/v2/": net/http: TLS handshake timeout', 2000],
  ['dial tcp: lookup r on 127.0.0.53:53: no such host', undefined],
  ['dial tcp 10.0.0.2:443: connect: connection refused', undefined],
  ['x509: certificate signed by unknown authority', undefined],
])('the pause after %s', (problem, pauseMs) => {
  expect(toPullPause(toError(problem), 1, 2000)).toBe(pauseMs);
});

test('pauses grow, and end', () => {
  const pauses = [1, 2, 3, 4].map((tries) => toPullPause(toError('EOF'), tries, 2000));
  expect(pauses).toEqual([2000, 4000, 8000, undefined]);
});

test('no other error is tried again', () => {
  const denied = DeployError.of('docker/image-denied', { image: 'a', registry: 'b', problem: 'denied: EOF' });
  expect(toPullPause(denied, 1, 2000)).toBeUndefined();
});
