import { describe, expect, it } from 'vitest';
import { createStreamReader, type StreamItem } from '../../src/vllm/sse.ts';

function readStream(bytes: Uint8Array, pieceBytes: number): readonly StreamItem[] {
  const reader = createStreamReader();
  const items: StreamItem[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) items.push(...reader.push(bytes.subarray(at, at + pieceBytes)));
  return [...items, ...reader.end()];
}

const encode = (text: string) => new TextEncoder().encode(text);
const answer: readonly StreamItem[] = [{ is: 'data', data: { text: 'héé 你好 🙂' } }, { is: 'data', data: { text: 'b' } }, { is: 'done' }];
const events = ['data: {"text":"héé 你好 🙂"}', 'data: {"text":"b"}', 'data: [DONE]', ''];

describe('a stream of events', () => {
  for (const newline of ['\n', '\r\n', '\r']) {
    const bytes = encode(events.join(newline + newline));
    it.each([1, 2, 3, 7, 1000])(`with ${JSON.stringify(newline)} in pieces of %i bytes`, (size) => {
      expect(readStream(bytes, size)).toEqual(answer);
    });
  }

  const table: readonly (readonly [string, string, readonly StreamItem[]])[] = [
    [
      'keep-alives and other fields',
      ': ping\n\nevent: x\nid: 1\n\ndata:{"a":1}\n\ndata: [DONE]\n\n',
      [{ is: 'data', data: { a: 1 } }, { is: 'done' }],
    ],
    ['data in two lines', 'data: {"a":\ndata: 1}\n\ndata: [DONE]\n\n', [{ is: 'data', data: { a: 1 } }, { is: 'done' }]],
    ['a killed server', 'data: {"a":1}\n\n', [{ is: 'data', data: { a: 1 } }, { is: 'cut' }]],
    [
      'a server killed in the middle',
      'data: {"a":1}\n\ndata: {"a"',
      [{ is: 'data', data: { a: 1 } }, { is: 'error', message: 'no JSON: {"a"' }, { is: 'cut' }],
    ],
    ['no end of the last line', 'data: {"a":1}\n\ndata: [DONE]', [{ is: 'data', data: { a: 1 } }, { is: 'done' }]],
    ['nothing', '', [{ is: 'cut' }]],
    [
      'an engine that died in mid-stream',
      'data: {"a":1}\n\ndata: {"error": {"message": "EngineCore encountered an issue.", "type": "InternalServerError", "param": null, "code": 500}}\n\ndata: [DONE]\n\n',
      [{ is: 'data', data: { a: 1 } }, { is: 'error', message: 'EngineCore encountered an issue.', code: 500 }, { is: 'done' }],
    ],
    ['an error that is only a word', 'data: {"error": "busy"}\n\ndata: [DONE]\n\n', [{ is: 'error', message: 'busy' }, { is: 'done' }]],
    ['an error of null is none', 'data: {"error": null}\n\ndata: [DONE]\n\n', [{ is: 'data', data: { error: null } }, { is: 'done' }]],
    ['anything after the end', 'data: [DONE]\n\ndata: {"a":1}\n\n', [{ is: 'done' }]],
  ];
  it.each(table)('%s', (_, text, expected) => {
    expect(readStream(encode(text), 1000)).toEqual(expected);
  });

  it('gives up an event without end', () => {
    const reader = createStreamReader();
    const piece = encode('x'.repeat(2 ** 20));
    const items = Array.from({ length: 10 }, () => reader.push(piece)).flat();
    expect(items).toEqual([{ is: 'error', message: 'event too large' }]);
  });
});
