import { describe, expect, it } from 'vitest';
import type { GateCheck } from '../../src/core/event.ts';
import { checkGateReply, toGateRequests } from '../../src/vllm/gate.ts';

const models = JSON.stringify({ object: 'list', data: [{ id: 'Qwen3-0.6B' }, { id: 'Qwen/Qwen3-0.6B' }] });
const completion = JSON.stringify({ object: 'text_completion', choices: [{ index: 0, text: '', finish_reason: 'length' }] });
const chat = JSON.stringify({ object: 'chat.completion', choices: [{ message: { content: 'A' }, finish_reason: 'length' }] });
const noTokenizer = '{"error":{"message":"The decoder prompt cannot be empty","type":"BadRequestError","param":null,"code":400}}';

describe('what is asked', () => {
  it('asks four things, of one token, under the served name', () => {
    const requests = toGateRequests('Qwen3-0.6B');
    expect(requests.map(({ check, method, path }) => `${check} ${method} ${path}`)).toEqual([
      'health GET /health',
      'models GET /v1/models',
      'completion POST /v1/completions',
      'chat POST /v1/chat/completions',
    ]);
    for (const { body } of requests.slice(2)) expect(body).toMatchObject({ model: 'Qwen3-0.6B', max_tokens: 1, temperature: 0 });
  });

  it('shows the key where it is asked for, and not to /health', () => {
    const headers = toGateRequests('a', 'secret').map((request) => request.headers['authorization']);
    expect(headers).toEqual([undefined, 'Bearer secret', 'Bearer secret', 'Bearer secret']);
  });
});

describe('what counts as an answer', () => {
  const good: readonly (readonly [GateCheck, string])[] = [
    ['health', ''],
    ['models', models],
    ['completion', completion],
    ['chat', chat],
  ];
  it.each(good)('%s passes', (check, text) => {
    expect(checkGateReply(check, { status: 200, text, servedNames: ['Qwen3-0.6B', 'Qwen/Qwen3-0.6B'] })).toEqual({ passed: true });
  });

  const bad: readonly (readonly [GateCheck, number, string, string])[] = [
    ['health', 503, '', 'HTTP 503'],
    ['models', 401, '{"error":"Unauthorized"}', 'HTTP 401: Unauthorized'],
    ['models', 200, '{"data":[{"id":"other"},{"id":7}]}', 'listed: other; missing: Qwen3-0.6B'],
    ['models', 200, '{}', 'listed: -; missing: Qwen3-0.6B'],
    ['models', 200, '<html>', 'no JSON object: <html>'],
    ['completion', 400, noTokenizer, 'HTTP 400: The decoder prompt cannot be empty'],
    ['completion', 404, '{"object":"error","message":"no such model"}', 'HTTP 404: no such model'],
    ['completion', 404, '{"detail":"Not Found"}', 'HTTP 404: Not Found'],
    ['completion', 200, '{"error":{"message":"queue is full","code":503}}', 'queue is full'],
    ['completion', 200, '{"choices":[]}', 'no choices'],
    ['completion', 200, '{"choices":[{"finish_reason":"abort"}]}', 'finish_reason abort'],
    ['chat', 200, '', 'no JSON object: '],
    ['chat', 500, 'x'.repeat(1000), 'HTTP 500'],
  ];
  it.each(bad)('%s, HTTP %i, %s', (check, status, text, detail) => {
    expect(checkGateReply(check, { status, text, servedNames: ['Qwen3-0.6B'] })).toEqual({ passed: false, detail });
  });

  it('keeps its detail short', () => {
    const verdict = checkGateReply('chat', {
      status: 400,
      text: JSON.stringify({ error: { message: 'x\n'.repeat(999) } }),
      servedNames: [],
    });
    expect(verdict.passed ? '' : verdict.detail).toMatch(/^HTTP 400: (x )+x…?$|…$/);
    expect(verdict.passed ? 0 : verdict.detail.length).toBeLessThan(230);
  });
});
