import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseBootLog } from '../../../src/plan/memory/boot-log.ts';
import {
  type Calibration,
  parseCalibration,
  toCalibrationDirectory,
  toCalibrationFile,
  toCalibrationKey,
} from '../../../src/plan/memory/calibration.ts';
import { load, places } from '../stand-ins.ts';
import { card, gib, toMemory } from './stand-ins.ts';

const read = (name: string) => readFileSync(new URL(`../../fixtures/${name}`, import.meta.url), 'utf8').split('\n');
// Composed from the wordings of 0.32 (v1/worker/gpu_worker.py and model_runner.py).
const lines = read('memory/start-0.32-gpu.log');
const bytes = (gibibytes: number) => Math.round(gibibytes * gib);

describe('parseBootLog', () => {
  it('reads what a start on a GPU prints', () => {
    expect(parseBootLog(lines)).toEqual({
      weightsBytes: bytes(2.53),
      kvBytes: bytes(15.42),
      totalBytes: bytes(22.06),
      budgetBytes: bytes(18.75),
      graphBytes: bytes(0.19),
      // The peak holds the estimate for graphs, too.
      activationBytes: bytes(0.5) - bytes(0.19),
    });
  });

  it('takes the GPU with the most weights and the least room', () => {
    const said = (rank: number, weights: number, kv: number) => [
      `(Worker_TP${rank} pid=${rank}) INFO 11-20 09:00:20 [x.py:1] Model loading took ${weights} GiB memory and 1.0 seconds`,
      `(Worker_TP${rank} pid=${rank}) INFO 11-20 09:00:20 [x.py:1] Available KV cache memory: ${kv} GiB`,
    ];
    expect(parseBootLog([...said(0, 7.5, 3.25), ...said(1, 7.25, 3.5)])).toEqual({ weightsBytes: bytes(7.5), kvBytes: bytes(3.25) });
  });

  it('takes what graphs took where nothing was put aside for them', () => {
    const older = lines
      .filter((line) => !line.includes('Estimated CUDA graph'))
      .map((line) => line.replace('consumed memory (weights + non-torch)', 'weight'));
    expect(parseBootLog(older)).toMatchObject({ graphBytes: bytes(0.15), activationBytes: bytes(0.5) });
  });

  it.each([
    ['a start on a CPU', read('logs/vllm-0.32.0-cpu/kill-api.log')],
    ['a start that is not there yet', lines.slice(0, 3)],
    ['nothing', []],
  ])('gives nothing for %s', (_, log) => {
    expect(parseBootLog(log)).toBeUndefined();
  });
});

async function learn(sets: readonly string[] = [], version = '0.32.0'): Promise<Calibration> {
  const report = parseBootLog(lines);
  if (report === undefined) throw new Error('the log tells nothing');
  const key = toCalibrationKey(await load('int4', ...sets), { gpu: card.name, version });
  return { key, at: '2026-11-20T09:00:40.000Z', totalBytes: 1, budgetBytes: 1, ...report };
}

describe('a plan after a start', () => {
  it('says what the start said', async () => {
    const memory = await toMemory('int4', [], { calibrations: [await learn()] });
    expect(memory).toMatchObject({
      source: 'calibrated',
      totalBytes: bytes(22.06),
      weightsBytes: bytes(2.53),
      graphBytes: bytes(0.19),
      activationBytes: bytes(0.5) - bytes(0.19),
      fits: 'yes',
    });
    expect(Math.abs((memory?.kvBytes ?? 0) - 15.42 * gib)).toBeLessThan(0.01 * gib);
    expect(Math.abs((memory?.kvTokens ?? 0) - 112_288)).toBeLessThan(60);
  });

  it('reckons with another share and another length', async () => {
    const memory = await toMemory('int4', ['vllm.gpu-memory-utilization=0.5', 'vllm.max-model-len=4096'], {
      calibrations: [await learn()],
    });
    expect(memory?.source).toBe('calibrated');
    expect(Math.abs((memory?.kvBytes ?? 0) - (0.5 * 22.06 - 18.75 + 15.42) * gib)).toBeLessThan(0.01 * gib);
  });

  it.each<[string, readonly string[], string, string]>([
    ['another version', [], '0.31.0', 'NVIDIA L4'],
    ['another GPU', [], '0.32.0', 'NVIDIA L40S'],
    ['another setting', ['vllm.max-num-seqs=64'], '0.32.0', 'NVIDIA L4'],
    ['another model', ['model=Qwen/Qwen3-8B-AWQ'], '0.32.0', 'NVIDIA L4'],
    ['another quantization', ['quantization=awq'], '0.32.0', 'NVIDIA L4'],
    ['more GPUs', ['vllm.tensor-parallel-size=2'], '0.32.0', 'NVIDIA L4'],
    ['a variable of vLLM', ['engine.env.VLLM_USE_V2_MODEL_RUNNER=0'], '0.32.0', 'NVIDIA L4'],
    ['a part of a setting', ['vllm.compilation-config.cudagraph_mode=PIECEWISE'], '0.32.0', 'NVIDIA L4'],
  ])('goes by the formula for %s', async (_, sets, version, name) => {
    const memory = await toMemory('int4', sets, { version, gpus: [{ ...card, name }], calibrations: [await learn()] });
    expect(memory?.source).toBe('formula');
  });

  it.each(['vllm.tool-call-parser=hermes', 'server.port=9000', 'thinking=off'])('minds nothing that takes no memory: %s', async (set) => {
    expect((await toMemory('int4', [set], { calibrations: [await learn()] }))?.source).toBe('calibrated');
  });
});

describe('the file of a start', () => {
  it('comes back as it was', async () => {
    const calibration = await learn();
    expect(parseCalibration(JSON.stringify(calibration))).toEqual(calibration);
    expect(toCalibrationDirectory(places)).toBe('/home/me/qwen/state/calibration');
    expect(toCalibrationFile(calibration.key)).toMatch(/^[0-9a-f]{8}\.json$/);
    expect(toCalibrationFile(calibration.key)).not.toBe(toCalibrationFile((await learn([], '0.31.0')).key));
  });

  it.each(['', '{', 'null', '[]', '{"key": "x"}', '{"key":"x","at":"y","totalBytes":1,"budgetBytes":1,"weightsBytes":"2","kvBytes":1}'])(
    'counts for nothing when it is %j',
    (text) => {
      expect(parseCalibration(text)).toBeUndefined();
    },
  );
});
