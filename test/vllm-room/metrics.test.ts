import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseMetrics } from '../../src/vllm/metrics.ts';

const page = readFileSync(new URL('../fixtures/metrics/vllm-0.32.0-cpu.txt', import.meta.url), 'utf8');

describe("the engine's own numbers", () => {
  it('of a real page', () => {
    expect(parseMetrics(page)).toEqual({
      asleep: 0,
      running: 0,
      waiting: 0,
      kvUsage: 0,
      promptTokens: 156,
      generationTokens: 72259,
      iterations: 21791,
      requestsSucceeded: 33,
      prefixHits: 0,
      prefixQueries: 156,
    });
  });

  it('of a server without statistics', () => {
    const without = page.split('\n').filter((line) => !line.includes('vllm:'));
    expect(without.length).toBeGreaterThan(10);
    expect(parseMetrics(without.join('\n'))).toEqual({});
  });

  it('adds engines up, and takes the fullest cache', () => {
    const both = [0, 1].flatMap((engine) => [
      `vllm:num_requests_running{engine="${engine}",model_name="a"} ${engine + 2}.0`,
      `vllm:kv_cache_usage_perc{engine="${engine}",model_name="a"} 0.${engine + 3}`,
      `vllm:generation_tokens_total{engine="${engine}",model_name="a"} 1e+03`,
    ]);
    expect(parseMetrics(`${both.join('\n')}\n`)).toEqual({ running: 5, kvUsage: 0.4, generationTokens: 2000 });
  });

  it('counts what ended well', () => {
    const lines = ['stop', 'length', 'abort', 'error'].map(
      (reason, index) => `vllm:request_success_total{finished_reason="${reason}"} ${10 ** index}`,
    );
    expect(parseMetrics(`${lines.join('\n')}\n`)).toEqual({ requestsSucceeded: 11 });
  });

  it('knows old names, and does not count a thing under both', () => {
    expect(parseMetrics('vllm:gpu_cache_usage_perc{model_name="a"} 0.5\nvllm:gpu_prefix_cache_hits_total 3\n')).toEqual({
      kvUsage: 0.5,
      prefixHits: 3,
    });
    expect(parseMetrics('vllm:gpu_prefix_cache_hits_total 3\nvllm:prefix_cache_hits_total 3\n')).toEqual({ prefixHits: 3 });
  });

  it('reads labels with anything in them', () => {
    expect(parseMetrics('vllm:num_requests_running{model_name="a } \\" 9 \\\\"} 4\n')).toEqual({ running: 4 });
  });

  const garbage = [
    '',
    '\n\n',
    'vllm:num_requests_running',
    'vllm:num_requests_running \n',
    'vllm:num_requests_running{a="b 3\n',
    'vllm:num_requests_running NaN\n',
    '<html>vllm:num_requests_running 3\n',
    'vllm:num_requests_running +Inf\n',
    '\0\0',
  ];
  it.each(garbage)('says nothing about %j', (text) => {
    expect(parseMetrics(text)).toEqual({});
  });

  it('does not take a number that was cut off', () => {
    expect(parseMetrics('vllm:num_requests_waiting 1\nvllm:num_requests_running 12')).toEqual({ waiting: 1 });
  });

  it('reads a page without end only so far', () => {
    const long = `vllm:num_requests_waiting 1\n${'# comment\n'.repeat(500_000)}vllm:num_requests_running 1\n`;
    expect(parseMetrics(long)).toEqual({ waiting: 1 });
  });
});
