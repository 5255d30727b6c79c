/** Keys in a log may stand in the proof of a diagnosis, and in what was taken out of it for titles and remedies. */
import type { Diagnosis, Remedy } from './finding.ts';
import type { Message, Param } from './message.ts';

type Mask = (text: string) => string;

export function maskDiagnosis(diagnosis: Diagnosis, mask: Mask): Diagnosis {
  const { title, evidence, remedies } = diagnosis;
  return {
    ...diagnosis,
    title: maskMessage(title, mask),
    evidence: evidence.map(({ line, text }) => ({ line, text: mask(text) })),
    ...(remedies === undefined ? {} : { remedies: remedies.map((remedy) => maskRemedy(remedy, mask)) }),
  };
}

function maskRemedy({ text, set, command }: Remedy, mask: Mask): Remedy {
  // A setting whose very name is hidden cannot be set.
  const settable = set !== undefined && Object.keys(set).every((path) => mask(path) === path) ? set : undefined;
  return {
    text: maskMessage(text, mask),
    ...(settable ? { set: Object.fromEntries(Object.entries(settable).map(([path, value]) => [path, maskValue(value, mask)])) } : {}),
    ...(command === undefined ? {} : { command: mask(command) }),
  };
}

function maskMessage({ id, params }: Message, mask: Mask): Message {
  const toParam = (value: Param) =>
    typeof value === 'object' ? maskMessage(value, mask) : typeof value === 'string' ? mask(value) : value;
  return { id, params: Object.fromEntries(Object.entries(params).map(([name, value]) => [name, toParam(value)])) };
}

function maskValue(value: unknown, mask: Mask): unknown {
  if (typeof value === 'string') return mask(value);
  if (Array.isArray(value)) return value.map((one) => maskValue(one, mask));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, maskValue(one, mask)]));
}
