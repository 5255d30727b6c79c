import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createUnwrapper, type UnwrappedLine } from '../../src/vllm/unwrap/unwrap.ts';
import { wraps } from './wraps.ts';

const logs = new URL('../fixtures/logs/vllm-0.32.0-cpu/', import.meta.url);
const captures = readdirSync(logs).filter((name) => name.endsWith('.log') || name.endsWith('.txt'));

function unwrap(lines: readonly string[]): { lines: readonly UnwrappedLine[]; formats: readonly string[] } {
  const found: UnwrappedLine[] = [];
  const unwrapper = createUnwrapper((line) => found.push(line), { cut: (line) => line.slice(0, 16_384) });
  for (const [index, line] of lines.entries()) unwrapper.push(line.replace(/\r+$/, ''), index + 1);
  unwrapper.end();
  return { lines: found, formats: unwrapper.formats };
}

const toTexts = (lines: readonly UnwrappedLine[]) => lines.map(({ text }) => text);

test('there are captures', () => expect(captures.length).toBeGreaterThan(5));

const plain = captures.map((file) => readFileSync(new URL(file, logs), 'utf8').split('\n'));
const withoutReturns = plain.map((lines) => lines.map((line) => line.replace(/\r+$/, '')));

describe.each(Object.entries(wraps))('%s', (name, wrap) => {
  test('every capture comes out as it went in, line for line', () => {
    for (const lines of withoutReturns) {
      const found = unwrap(lines.map(wrap));
      expect(toTexts(found.lines)).toEqual(lines);
      expect(found.lines.map(({ number }) => number)).toEqual(lines.map((_, index) => index + 1));
      if (name !== 'plain' && name !== 'windows line ends') expect(found.formats.length).toBeGreaterThan(0);
    }
  });

  test('a single line', () => {
    const line = 'ValueError: No available memory for the cache blocks.';
    expect(toTexts(unwrap([wrap(line, 0)]).lines)).toEqual([line]);
  });
});

describe('pieces of a line', () => {
  const docker = (log: string, stream = 'stderr') => JSON.stringify({ log, stream, time: '2026-11-21T10:00:00Z' });

  test('of Docker are put together at the missing end, within their stream', () => {
    const { lines } = unwrap([
      docker('a\n'),
      docker('To serve '),
      docker('out\n', 'stdout'),
      docker('at least '),
      docker('one\n'),
      docker('b\n'),
    ]);
    expect(lines).toEqual([
      { text: 'a', number: 1 },
      { text: 'out', number: 3 },
      { text: 'To serve at least one', number: 2 },
      { text: 'b', number: 6 },
    ]);
  });

  test('of CRI are put together from P to F', () => {
    const cri = (tag: string, text: string) => `2026-11-21T10:00:00.123456789Z stderr ${tag} ${text}`;
    expect(unwrap([cri('P', 'To serve '), cri('P', 'at least '), cri('F', 'one'), cri('F', 'b')]).lines).toEqual([
      { text: 'To serve at least one', number: 1 },
      { text: 'b', number: 4 },
    ]);
  });

  test('the last one without an end is not lost, nor a record that was cut', () => {
    expect(toTexts(unwrap([docker('a\n'), docker('To serve')]).lines)).toEqual(['a', 'To serve']);
    expect(toTexts(unwrap([docker('a\n'), docker('b\n'), '{"log":"Value\\"Error: To ser']).lines)).toEqual([
      'a',
      'b',
      'Value"Error: To ser',
    ]);
  });

  test('a line that has no end for ever stays bounded', () => {
    const { lines } = unwrap([docker('a\n'), ...Array.from({ length: 2000 }, () => docker('x'.repeat(1000))), docker('y\n')]);
    expect(lines[1]?.text.length).toBeLessThanOrEqual(16_384);
  });

  test('a message of several lines in a journal', () => {
    const record = JSON.stringify({ MESSAGE: 'Traceback:\n  File "a"\nValueError: b', _PID: '1' });
    expect(unwrap([record]).lines.map(({ text, number }) => [text, number])).toEqual([
      ['Traceback:', 1],
      ['  File "a"', 1],
      ['ValueError: b', 1],
    ]);
    const head = 'Nov 21 10:00:00 gpu7 vllm[2827]: ';
    const indented = [`${head}Traceback:`, `${' '.repeat(head.length)}  File "a"`, `${head}b`, `${head}c`];
    expect(toTexts(unwrap(indented).lines)).toEqual(['Traceback:', '  File "a"', 'b', 'c']);
  });
});

describe('whose line it is', () => {
  test.each([
    ['[pod/a-1/vllm] x', 'a-1/vllm'],
    ['vllm-1  | x', 'vllm-1'],
    ['Nov 21 10:00:00 gpu7 vllm[2827]: x', 'vllm'],
    [JSON.stringify({ MESSAGE: 'x', _SYSTEMD_UNIT: 'vllm.service' }), 'vllm.service'],
    ['Nov 21 10:00:00 gpu7 kernel: x', undefined],
    ['2026-11-21T10:00:00.123Z stdout F x', undefined],
  ])('%s', (line, source) => {
    expect(unwrap([line]).lines).toEqual([{ text: 'x', number: 1, ...(source === undefined ? {} : { source }) }]);
  });
});

describe('what only looks like a format', () => {
  const engine = Array.from({ length: 40 }, (_, index) => `(APIServer pid=1) INFO 11-21 10:00:${index} [x.py:1] line ${index}`);

  test.each(['NAME | VALUE', '2026-11-21T10:00:00.123Z INFO of a library', '{"log": "of somebody", "level": "info"}', '[pod/a/b] quoted'])(
    '%s in a plain log stays as it is',
    (odd) => {
      const lines = [...engine, odd, ...engine, odd, odd, ...engine];
      expect(unwrap(lines)).toEqual({ lines: lines.map((text, index) => ({ text, number: index + 1 })), formats: [] });
    },
  );

  test.each([
    'usage: vllm serve [model_tag] [options]\nvllm serve: error: unrecognized arguments: --swap-space',
    '2026-11-21 10:00:00,123 - INFO - of a library',
    '{"asctime": "2026-11-21 06:27:49,220", "levelname": "INFO", "message": "vLLM server version 0.32.0", "processName": "MainProcess"}',
    '  1 | import torch',
    '100%|██████████| 10/10 [00:01<00:00]',
  ])('%s alone stays as it is', (line) => {
    expect(toTexts(unwrap(line.split('\n')).lines)).toEqual(line.split('\n'));
  });

  test('a stamp in front of a line with a colon is no journal', () => {
    expect(unwrap(['2026-11-21T10:00:00.123Z vllm serve: error: unrecognized arguments: --x']).lines).toEqual([
      { text: 'vllm serve: error: unrecognized arguments: --x', number: 1 },
    ]);
  });
});

describe('a format that changes on the way', () => {
  const texts = Array.from({ length: 60 }, (_, index) => `INFO line ${index}`);
  const names = [
    'plain',
    'docker json-file',
    'CRI files',
    'docker logs -t',
    'kubectl logs --prefix',
    'docker compose logs -t',
    'journald short',
  ];

  test.each(names.flatMap((one) => names.filter((other) => other !== one).map((other) => [one, other] as const)))(
    '%s, then %s',
    (one, other) => {
      const [first, second] = [wraps[one], wraps[other]].map((wrap) => texts.map((text, index) => wrap?.(text, index) ?? ''));
      const { lines } = unwrap([...(first ?? []), ...(second ?? [])]);
      expect(toTexts(lines)).toEqual([...texts, ...texts]);
      expect(lines.map(({ number }) => number)).toEqual(lines.map((_, index) => index + 1));
    },
  );

  test('the last lines of a file are enough', () => {
    const tail = texts.slice(0, 4).map((text, index) => wraps['docker json-file']?.(text, index) ?? '');
    expect(toTexts(unwrap([...texts, ...tail]).lines)).toEqual([...texts, ...texts.slice(0, 4)]);
  });
});
