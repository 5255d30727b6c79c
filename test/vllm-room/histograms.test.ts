import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { parseHistogram, toQuantile } from '../../src/vllm/histograms.ts';

const page = readFileSync(new URL('../fixtures/metrics/vllm-0.32.0-cpu.txt', import.meta.url), 'utf8');
const toPage = (counts: Readonly<Record<string, number>>, labels = 'engine="0"') =>
  Object.entries(counts)
    .map(([le, count]) => `vllm:ttft_bucket{${labels},le="${le}",model_name="a"} ${count}.0\n`)
    .join('');
const parse = (text: string) => parseHistogram(text, ['ttft']) ?? new Map();

describe('a histogram', () => {
  it('of a real page', () => {
    const found = parseHistogram(page, ['time_to_first_token_seconds']);
    expect(found?.size).toBe(23);
    expect(found?.get(0.04)).toBe(28);
    expect(found?.get(Number.POSITIVE_INFINITY)).toBe(33);
    expect(parseHistogram(page, ['inter_token_latency_seconds', 'time_per_output_token_seconds'])?.get(0.01)).toBe(72_202);
  });

  it('is not there', () => {
    expect(parseHistogram(page, ['unheard_of'])).toBeUndefined();
    expect(parseHistogram('', ['ttft'])).toBeUndefined();
  });

  it('has the first name that is there', () => {
    expect(parseHistogram(page, ['unheard_of', 'time_to_first_token_seconds'])?.size).toBe(23);
  });

  it('of several engines is their sum', () => {
    expect(parse(toPage({ '0.1': 1, '+Inf': 2 }) + toPage({ '0.1': 10, '+Inf': 20 }, 'engine="1"'))).toEqual(
      new Map([
        [0.1, 11],
        [Number.POSITIVE_INFINITY, 22],
      ]),
    );
  });

  it('leaves out what is cut or makes no sense', () => {
    expect(parse(`${toPage({ '0.1': 1 })}vllm:ttft_bucket{le="0.2"} 1`)).toEqual(new Map([[0.1, 1]]));
    expect(parse('vllm:ttft_bucket{le="x"} 1\nvllm:ttft_bucket{le="0.1"} NaN\nvllm:ttft_bucket{a="b"} 3\n')).toEqual(new Map());
  });
});

test.each([
  ['in the middle of a bucket', { '0.1': 0, '0.2': 0, '+Inf': 0 }, { '0.1': 0, '0.2': 10, '+Inf': 10 }, 0.15],
  ['in the first bucket', { '0.1': 0, '0.2': 0, '+Inf': 0 }, { '0.1': 4, '0.2': 4, '+Inf': 4 }, 0.05],
  ['of what came in between alone', { '0.1': 100, '0.2': 100, '+Inf': 100 }, { '0.1': 100, '0.2': 102, '+Inf': 102 }, 0.15],
  ['beyond the last bound', { '0.1': 0, '0.2': 0, '+Inf': 0 }, { '0.1': 0, '0.2': 0, '+Inf': 3 }, 0.2],
  ['when nothing came', { '0.1': 5, '0.2': 5, '+Inf': 5 }, { '0.1': 5, '0.2': 5, '+Inf': 5 }, undefined],
  ['when the engine began anew', { '0.1': 5, '0.2': 5, '+Inf': 5 }, { '0.1': 1, '0.2': 9, '+Inf': 9 }, undefined],
])('the median %s', (_, before, after, median) => {
  const found = toQuantile(0.5, parse(toPage(before)), parse(toPage(after)));
  if (median === undefined) expect(found).toBeUndefined();
  else expect(found).toBeCloseTo(median);
});
