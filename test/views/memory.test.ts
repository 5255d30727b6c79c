import { expect, test } from 'vitest';
import { say } from '../../src/core/message.ts';
import type { Memory } from '../../src/plan/plan.ts';
import { toMemoryDocument } from '../../src/views/documents.ts';
import { renderMemory } from '../../src/views/memory.ts';
import { createScreen } from './samples.ts';

const { palette } = createScreen('plain').screen;
const gib = 2 ** 30;

const memory: Memory = {
  gpu: 'GPU 0 (NVIDIA L4)',
  gpus: 1,
  totalBytes: 22 * gib,
  freeBytes: 12 * gib,
  budgetBytes: 18.7 * gib,
  weightsBytes: 2.49 * gib,
  activationBytes: 0.24 * gib,
  graphBytes: 0.21 * gib,
  overheadBytes: 0.3 * gib,
  kvBytes: 15.46 * gib,
  kvBytesPerToken: 147_456,
  kvTokens: 112_576,
  maxConcurrency: 13.74,
  fits: 'yes',
  fitsNow: 'no',
  source: 'formula',
  suggestion: { message: say('memory.suggest-share', { share: 0.52, free: '12.0 GiB' }), set: { 'vllm.gpu-memory-utilization': 0.52 } },
};

test('as text', () => {
  expect(renderMemory(memory, palette)).toBe(
    [
      'Memory of GPU 0 (NVIDIA L4): 18.7 GiB of 22.0 GiB for the engine',
      '  weights                2.5 GiB',
      '  activations            245.8 MiB'.replace('245.8', '246'),
      '  CUDA graphs            215 MiB',
      '  context and libraries  307 MiB',
      '  KV cache               15.5 GiB: 112,576 tokens, 13.74 requests of full length at once',
      '  fits                   yes',
      '  with what is free now  no: 12.0 GiB are free',
      '  what would help        the share that is free (12.0 GiB): --set vllm.gpu-memory-utilization=0.52',
      '  known from             the size of the model and starts of others',
      '',
    ].join('\n'),
  );
});

test('without what nobody knows', () => {
  const { kvTokens: _, kvBytesPerToken: __, maxConcurrency: ___, freeBytes: ____, fitsNow: _____, suggestion: ______, ...rest } = memory;
  const text = renderMemory({ ...rest, gpus: 2, graphBytes: 0, kvBytes: -gib, fits: 'no', source: 'engine' }, palette);
  expect(text).toContain('as of each of 2');
  expect(text).toContain('KV cache               0 B: how many tokens it holds, the engine decides (hybrid attention)');
  expect(text).not.toMatch(/CUDA graphs|free now|help|undefined|NaN/);
});

test('as a document', () => {
  const document = toMemoryDocument(memory);
  expect(document).toMatchObject({
    totalBytes: 22 * gib,
    fits: 'yes',
    source: 'formula',
    suggestion: {
      message: 'the share that is free (12.0 GiB): --set vllm.gpu-memory-utilization=0.52',
      set: { 'vllm.gpu-memory-utilization': 0.52 },
    },
  });
  expect(JSON.stringify(document)).not.toContain('null');
});
