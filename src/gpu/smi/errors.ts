/**
 * The sentences in which nvidia-smi, its library or the shell say that something is wrong. They come on stdout, also
 * where CSV or XML was asked for. Each is from a capture (test/fixtures/nvidia-smi).
 */
import type { SmiErrorKind } from './reading.ts';

export interface SmiSentence {
  readonly kind: SmiErrorKind;
  readonly said: string;
}

/** The first sentence of the text that says what is wrong. */
export function parseSmiError(lines: readonly string[]): SmiSentence | undefined {
  for (const line of lines) {
    const found = sentences.find(([pattern]) => pattern.test(line));
    if (found) return { kind: found[1], said: line.trim() };
  }
  return undefined;
}

/** It concerns all GPUs, and not one of them. */
export function isGeneral(sentence: SmiSentence | undefined): boolean {
  return sentence !== undefined && sentence.kind !== 'gpu-is-lost' && sentence.kind !== 'device-handle-unknown-error';
}

/** GPUs that the driver could not reach: `0000:02:00.0`. */
export function parseFailedBusIds(lines: readonly string[]): readonly string[] {
  const found = lines.flatMap((line) => deviceHandle.exec(line)?.[1] ?? []);
  return [...new Set(found)];
}

/** What a status says that came without a sentence: the numbers of the manual, and 18, which it leaves out. */
export function toKindOfExit(exitCode: number | undefined): SmiErrorKind | undefined {
  return exits.get(exitCode ?? 0);
}

const deviceHandle = /Unable to determine the device handle for GPU ?(?:\d+: )?([0-9A-Fa-f]{4,8}:[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}\.[0-7]): /;

/** In this order: a handle that is lost is both. */
const sentences: readonly (readonly [RegExp, SmiErrorKind])[] = [
  [/^NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver/, 'driver-not-loaded'],
  [/^NVIDIA-SMI couldn't find (?:libnvidia-ml|nvml)/i, 'nvml-library-not-found'],
  [/^Failed to initialize NVML: Driver\/library version mismatch/, 'driver-library-mismatch'],
  [/^Failed to initialize NVML: Unknown Error/, 'nvml-unknown-error'],
  [/^No devices were found/, 'no-devices'],
  [/^Unable to determine the device handle for GPU.*GPU is lost/, 'gpu-is-lost'],
  [/^Unable to determine the device handle for GPU/, 'device-handle-unknown-error'],
  [/^Field "[^"]*" is not a valid field to query/, 'field-invalid'],
  [/nvidia-smi: command not found$/, 'command-not-found'],
  [/^nvidia-smi ?: The term 'nvidia-smi' is not recognized/, 'command-not-found'],
  [/^'nvidia-smi' is not recognized/, 'command-not-found'],
];

const exits = new Map<number, SmiErrorKind>([
  [4, 'no-permission'],
  [9, 'driver-not-loaded'],
  [12, 'nvml-library-not-found'],
  [15, 'gpu-is-lost'],
  [18, 'driver-library-mismatch'],
  [127, 'command-not-found'],
]);
